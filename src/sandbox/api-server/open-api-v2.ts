import { stringify } from "yaml";
import { PATCH_PARAMETERS, pathOf } from "./open-api.ts";
import type { ResourceType } from "./resource-type.ts";

/** Clients ask for it with an `@` in place of the second dot, but cannot parse that in an answer. */
export const OPEN_API_V2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/**
 * The OpenAPI v2 document, in the only form that kubectl before 1.29 reads: protobuf, as gnostic's OpenAPIv2.proto lays it
 * out. It holds what such a kubectl looks for before it writes: which parameters a patch of each kind takes. What the
 * fields of objects mean it asks of version 3.
 */
export function openApiV2(types: readonly ResourceType[]): Buffer {
  const paths = types.map((type) => {
    const operation = [
      ...PATCH_PARAMETERS.map(({ name }) => message(8, parameter(name))),
      message(13, kindExtension(type)),
    ];
    const item = message(8, Buffer.concat(operation));
    return message(2, Buffer.concat([text(1, `${pathOf(type)}/{name}`), message(2, item)]));
  });
  const info = Buffer.concat([text(1, "amko-gitops sandbox"), text(2, "v1.30.0")]);
  return Buffer.concat([text(1, "2.0"), message(2, info), message(8, Buffer.concat(paths))]);
}

/** ParametersItem > Parameter > NonBodyParameter > QueryParameterSubSchema. */
function parameter(name: string): Buffer {
  const query = Buffer.concat([text(2, "query"), text(4, name)]);
  return message(1, message(2, message(3, query)));
}

/** NamedAny > Any; the value is YAML. */
function kindExtension({ group, version, kind }: ResourceType): Buffer {
  const value = text(2, stringify({ group, version, kind }));
  return Buffer.concat([text(1, "x-kubernetes-group-version-kind"), message(2, value)]);
}

function text(field: number, content: string): Buffer {
  return message(field, Buffer.from(content));
}

const LENGTH_DELIMITED = 2;

function message(field: number, content: Buffer): Buffer {
  return Buffer.concat([varint((field << 3) | LENGTH_DELIMITED), varint(content.length), content]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
