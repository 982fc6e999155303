import { applyDefaults } from "../../core/defaults.ts";
import { type DocumentPath, describePath } from "../../core/document-path.ts";
import { isObject, member } from "../../core/json.ts";
import type { Json } from "../../core/model.ts";
import { prune } from "../../core/prune.ts";
import { type SchemaError, validate } from "../../core/validate.ts";
import { type ApiObject, type Metadata, nameOf, omit, textAt } from "./object.ts";
import { OBJECT_META } from "./object-meta.ts";
import { apiVersionOf, type ResourceType } from "./resource-type.ts";
import { badRequest, type Cause, invalid } from "./status.ts";

/** What becomes of fields that the schema does not know; `warn` collects what the client is told. */
export interface FieldPolicy {
  readonly fieldValidation: "Strict" | "Warn" | "Ignore";
  readonly warn: (warning: string) => void;
}

/**
 * Takes what a client sent as an object of `type`: right apiVersion and kind, metadata of the right form.
 * @throws ApiError 400.
 */
export function decode(type: ResourceType, sent: Json, policy: FieldPolicy): ApiObject {
  if (!isObject(sent)) throw badRequest("the body of the request is no object");
  const { kind } = type;
  const apiVersion = apiVersionOf(type);
  // A built-in object may leave out what the path says already, and clients' typed calls do.
  const stated = (field: string, expected: string) => textAt(sent, field) || (type.custom ? "" : expected);
  if (stated("kind", kind) === "") throw badRequest("Object 'Kind' is missing");
  if (stated("apiVersion", apiVersion) !== apiVersion || stated("kind", kind) !== kind) {
    const actual = `${textAt(sent, "apiVersion")}, Kind=${textAt(sent, "kind")}`;
    throw badRequest(`the object provided is unrecognized (must be of type ${kind} of ${apiVersion}): ${actual}`);
  }
  const metadata = member(sent, "metadata") ?? {};
  const [wrong] = validate(applyDefaults(metadata, OBJECT_META), OBJECT_META);
  if (wrong !== undefined) throw cannotBeHandled(type, describePath(["metadata", ...wrong.path]), wrong.message);
  const { value, dropped } = prune(applyDefaults(metadata, OBJECT_META), OBJECT_META);
  tellUnknown(
    type,
    dropped.map((path) => ["metadata", ...path]),
    policy,
  );
  return { ...sent, apiVersion, kind, metadata: withoutEmpty(value as Metadata) };
}

/** Drops fields that the schema does not know, and tells the client as it asked to be told. */
export function dropUnknown(type: ResourceType, object: ApiObject, policy: FieldPolicy): ApiObject {
  const { value, dropped } = prune(object, type.schema);
  tellUnknown(type, dropped, policy);
  return value as ApiObject;
}

/**
 * Fills in defaults and checks the object against its schema and the rules for metadata.
 * @throws ApiError 422, or 400 where a built-in's type is wrong, as a decoder of Go types answers.
 */
export function completeAndCheck(type: ResourceType, object: ApiObject): ApiObject {
  const complete = applyDefaults(object, type.schema) as ApiObject;
  const errors = validate(complete, type.schema);
  const [first] = errors;
  if (!type.custom && first !== undefined) throw cannotBeHandled(type, describePath(first.path), first.message);
  const causes = [...metadataCauses(complete), ...errors.map(schemaCause)];
  if (causes.length > 0) throw invalid(type, nameOf(complete), causes);
  return complete;
}

/** A server that keeps metadata as Go types does not tell an empty map or list from none. */
function withoutEmpty(metadata: Metadata): Metadata {
  const isEmpty = (value: unknown) => typeof value === "object" && Object.keys(value ?? {}).length === 0;
  return omit(metadata, ...Object.keys(metadata).filter((key) => isEmpty(metadata[key])));
}

function cannotBeHandled({ kind, version }: ResourceType, field: string, message: string) {
  return badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${field} ${message}`);
}

function tellUnknown(
  { kind, version }: ResourceType,
  unknown: readonly DocumentPath[],
  { fieldValidation, warn }: FieldPolicy,
): void {
  if (unknown.length === 0 || fieldValidation === "Ignore") return;
  const complaints = unknown.map((path) => `unknown field ${JSON.stringify(describePath(path))}`);
  if (fieldValidation === "Strict") {
    const list = complaints.join(", ");
    throw badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: strict decoding error: ${list}`);
  }
  for (const complaint of complaints) warn(complaint);
}

const CAUSES = {
  type: ["FieldValueTypeInvalid", "Invalid value"],
  required: ["FieldValueRequired", "Required value"],
  enum: ["FieldValueNotSupported", "Unsupported value"],
  duplicate: ["FieldValueDuplicate", "Duplicate value"],
  value: ["FieldValueInvalid", "Invalid value"],
} as const satisfies Record<SchemaError["rule"], readonly [string, string]>;

function schemaCause({ path, rule, message }: SchemaError): Cause {
  const [reason, title] = CAUSES[rule];
  return { reason, field: describePath(path), message: rule === "required" ? title : `${title}: ${message}` };
}

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const NAME_MAX_CHARACTERS = 253;
const QUALIFIED_NAME = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const ANNOTATIONS_MAX_BYTES = 256 * 1024;

function metadataCauses({ metadata }: ApiObject): readonly Cause[] {
  const { name = "", labels = {}, annotations = {} } = metadata;
  const causes: Cause[] = [];
  const refuse = (field: string, value: string, why: string) =>
    causes.push({
      reason: "FieldValueInvalid",
      field: `metadata.${field}`,
      message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
    });
  if (!SUBDOMAIN.test(name) || name.length > NAME_MAX_CHARACTERS) {
    refuse("name", name, "a lowercase RFC 1123 subdomain of at most 253 characters is wanted");
  }
  for (const [key, value] of Object.entries(labels)) {
    if (!QUALIFIED_NAME.test(key)) refuse("labels", key, "no qualified name");
    if (!LABEL_VALUE.test(value)) refuse("labels", value, "no valid label value");
  }
  let sizeBytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    if (!QUALIFIED_NAME.test(key)) refuse("annotations", key, "no qualified name");
    sizeBytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (sizeBytes > ANNOTATIONS_MAX_BYTES) {
    const message = `Too long: may not be more than ${ANNOTATIONS_MAX_BYTES} bytes`;
    causes.push({ reason: "FieldValueTooLong", field: "metadata.annotations", message });
  }
  return causes;
}
