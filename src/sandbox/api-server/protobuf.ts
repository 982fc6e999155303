import type { Json, JsonObject } from "../../core/model.ts";
import { badRequest } from "./status.ts";

/** kubectl 1.34 sends what it composes itself (`create configmap`, `create namespace`) in this form, and only in it. */
export const PROTOBUF = "application/vnd.kubernetes.protobuf";

/** How one field of a message is read. Fields that are not named here were never set by kubectl, and are skipped. */
type Field =
  | { readonly name: string; readonly as: "text" | "boolean" | "texts" | "textMap" | "bytesMap" }
  | { readonly name: string; readonly as: "message"; readonly message: Message };
/** By field number. */
type Message = Readonly<Record<number, Field>>;

const OBJECT_META: Message = {
  1: { name: "name", as: "text" },
  2: { name: "generateName", as: "text" },
  3: { name: "namespace", as: "text" },
  5: { name: "uid", as: "text" },
  6: { name: "resourceVersion", as: "text" },
  11: { name: "labels", as: "textMap" },
  12: { name: "annotations", as: "textMap" },
  14: { name: "finalizers", as: "texts" },
};
const METADATA: Message = { 1: { name: "metadata", as: "message", message: OBJECT_META } };

const MESSAGES: ReadonlyMap<string, Message> = new Map([
  ["Namespace", METADATA],
  [
    "ConfigMap",
    {
      ...METADATA,
      2: { name: "data", as: "textMap" },
      3: { name: "binaryData", as: "bytesMap" },
      4: { name: "immutable", as: "boolean" },
    },
  ],
  [
    "Secret",
    {
      ...METADATA,
      2: { name: "data", as: "bytesMap" },
      3: { name: "type", as: "text" },
      4: { name: "stringData", as: "textMap" },
      5: { name: "immutable", as: "boolean" },
    },
  ],
]);

const MAGIC = Buffer.from("k8s\0");

/**
 * Reads an object from Kubernetes' protobuf envelope.
 * @throws ApiError 400 when it is malformed or of a kind that nobody sends so.
 */
export function readProtobuf(bytes: Buffer): JsonObject {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw malformed();
  const envelope = readFields(bytes.subarray(MAGIC.length));
  const type = readFields(asBytes(envelope.get(1)?.[0]));
  const apiVersion = asText(type.get(1)?.[0]);
  const kind = asText(type.get(2)?.[0]);
  const message = apiVersion === "v1" ? MESSAGES.get(kind) : undefined;
  if (message === undefined) throw badRequest(`this server takes ${apiVersion} ${kind} as JSON or YAML only`);
  return { apiVersion, kind, ...readMessage(asBytes(envelope.get(2)?.[0]), message) };
}

type RawValue = bigint | Buffer;

function readMessage(bytes: Buffer, message: Message): JsonObject {
  const entries = [...readFields(bytes)].flatMap(([number, values]): [string, Json][] => {
    const field = message[number];
    const value = field === undefined ? "" : readValue(field, values);
    // The empty text is how this form says that a text is not set.
    return field === undefined || value === "" ? [] : [[field.name, value]];
  });
  return Object.fromEntries(entries);
}

function readValue(field: Field, values: readonly RawValue[]): Json {
  const last = values.at(-1);
  switch (field.as) {
    case "text":
      return asText(last);
    case "boolean":
      return last === 1n;
    case "texts":
      return values.map(asText);
    case "textMap":
      return readMap(values, asText);
    case "bytesMap":
      return readMap(values, (value) => asBytes(value).toString("base64"));
    case "message":
      return readMessage(asBytes(last), field.message);
    default:
      return field satisfies never;
  }
}

/** A map is a list of messages: key in field 1, value in field 2. */
function readMap(values: readonly RawValue[], readEntry: (value: RawValue | undefined) => string): JsonObject {
  const entries = values.map((value) => readFields(asBytes(value)));
  return Object.fromEntries(entries.map((entry) => [asText(entry.get(1)?.[0]), readEntry(entry.get(2)?.[0])]));
}

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

/** The values of a message by field number, in the order in which they came. */
function readFields(bytes: Buffer): ReadonlyMap<number, readonly RawValue[]> {
  const fields = new Map<number, RawValue[]>();
  let offset = 0;
  const readVarint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 64n; shift += 7n) {
      const byte = bytes[offset];
      if (byte === undefined) throw malformed();
      offset += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw malformed();
  };
  const take = (length: number): Buffer => {
    if (offset + length > bytes.length) throw malformed();
    offset += length;
    return bytes.subarray(offset - length, offset);
  };
  while (offset < bytes.length) {
    const tag = Number(readVarint());
    const number = tag >>> 3;
    const values = fields.get(number) ?? [];
    fields.set(number, values);
    const wireType = tag & 7;
    if (wireType === VARINT) values.push(readVarint());
    else if (wireType === LENGTH_DELIMITED) values.push(take(Number(readVarint())));
    else if (wireType === FIXED_64) values.push(take(8));
    else if (wireType === FIXED_32) values.push(take(4));
    else throw malformed();
  }
  return fields;
}

function asBytes(value: RawValue | undefined): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.alloc(0);
}

function asText(value: RawValue | undefined): string {
  return asBytes(value).toString("utf8");
}

function malformed(): Error {
  return badRequest("the body of the request is no Kubernetes protobuf");
}
