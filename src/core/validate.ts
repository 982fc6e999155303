import type { DocumentPath } from "./document-path.ts";
import { briefJson, deepEqual, isArray, isObject, member } from "./json.ts";
import type { Json, JsonObject } from "./model.ts";
import type { Bounds, Schema, SchemaType } from "./schema.ts";

export interface SchemaError {
  readonly path: DocumentPath;
  /** Without the path: `must be at most 86400, but is 90000`. */
  readonly message: string;
  readonly rule: "type" | "required" | "enum" | "duplicate" | "value";
}

/** Checks a value that was pruned and defaulted. Empty means valid; errors come in the schema's order. */
export function validate(value: Json, schema: Schema): readonly SchemaError[] {
  return validateAt(value, schema, []);
}

function validateAt(value: Json, schema: Schema, path: DocumentPath): readonly SchemaError[] {
  if (value === null && schema.nullable) return [];
  const wrongType = typeError(value, schema, path);
  if (wrongType !== null) return [wrongType];
  return [
    ...enumErrors(value, schema, path),
    ...scalarErrors(value, schema, path),
    ...(isArray(value) ? arrayErrors(value, schema, path) : []),
    ...(isObject(value) ? objectErrors(value, schema, path) : []),
    ...combinationErrors(value, schema, path),
  ];
}

function typeError(value: Json, schema: Schema, path: DocumentPath): SchemaError | null {
  const actual = typeOf(value);
  if (schema.intOrString) {
    if (actual === "integer" || actual === "string") return null;
    return { path, rule: "type", message: `must be an integer or a string, but is ${articled(actual)}` };
  }
  if (schema.type === null || schema.type === actual) return null;
  if (schema.type === "number" && actual === "integer") return null;
  return { path, rule: "type", message: `must be ${articled(schema.type)}, but is ${articled(actual)}` };
}

function enumErrors(value: Json, schema: Schema, path: DocumentPath): readonly SchemaError[] {
  if (schema.enum === null || schema.enum.some((allowed) => deepEqual(allowed, value))) return [];
  const allowed = schema.enum.map((entry) => JSON.stringify(entry)).join(", ");
  return [{ path, rule: "enum", message: `must be one of ${allowed}, but is ${briefJson(value)}` }];
}

function scalarErrors(value: Json, { bounds, pattern }: Schema, path: DocumentPath): readonly SchemaError[] {
  if (typeof value === "number") return numberErrors(value, bounds, path);
  if (typeof value !== "string") return [];
  // Lengths count code points, as Go's utf8.RuneCountInString does.
  const errors = sizeErrors([...value].length, bounds.minLength, bounds.maxLength, "character", path);
  if (pattern === null || pattern.test(value)) return errors;
  return [...errors, { path, rule: "value", message: `must match ${pattern.source}, but is ${briefJson(value)}` }];
}

function numberErrors(value: number, bounds: Bounds, path: DocumentPath): readonly SchemaError[] {
  const errors: SchemaError[] = [];
  const fail = (wanted: string) => errors.push({ path, rule: "value", message: `must be ${wanted}, but is ${value}` });
  const { minimum, maximum, multipleOf } = bounds;
  if (minimum !== undefined) {
    if (bounds.exclusiveMinimum === true ? value <= minimum : value < minimum) {
      fail(bounds.exclusiveMinimum === true ? `greater than ${minimum}` : `at least ${minimum}`);
    }
  }
  if (maximum !== undefined) {
    if (bounds.exclusiveMaximum === true ? value >= maximum : value > maximum) {
      fail(bounds.exclusiveMaximum === true ? `less than ${maximum}` : `at most ${maximum}`);
    }
  }
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf)) fail(`a multiple of ${multipleOf}`);
  return errors;
}

function sizeErrors(
  size: number,
  minimum: number | undefined,
  maximum: number | undefined,
  unit: string,
  path: DocumentPath,
): readonly SchemaError[] {
  const counted = (count: number) => `${count} ${count === 1 ? unit : unit === "property" ? "properties" : `${unit}s`}`;
  if (minimum !== undefined && size < minimum) {
    return [{ path, rule: "value", message: `must have at least ${counted(minimum)}, but has ${size}` }];
  }
  if (maximum !== undefined && size > maximum) {
    return [{ path, rule: "value", message: `must have at most ${counted(maximum)}, but has ${size}` }];
  }
  return [];
}

function arrayErrors(value: readonly Json[], schema: Schema, path: DocumentPath): readonly SchemaError[] {
  const { items, bounds } = schema;
  return [
    ...sizeErrors(value.length, bounds.minItems, bounds.maxItems, "item", path),
    ...duplicateErrors(value, schema, path),
    ...(items === null ? [] : value.flatMap((entry, index) => validateAt(entry, items, [...path, index]))),
  ];
}

function duplicateErrors(value: readonly Json[], schema: Schema, path: DocumentPath): readonly SchemaError[] {
  if (schema.listType === "atomic") return [];
  const identities = value.map((entry) => listIdentity(entry, schema));
  return identities.flatMap((identity, index): SchemaError[] => {
    const first = identities.findIndex((other) => deepEqual(other, identity));
    if (first === index) return [];
    const message = `repeats entry ${first}: ${briefJson(identity)}`;
    return [{ path: [...path, index], rule: "duplicate", message }];
  });
}

function listIdentity(entry: Json, { listType, listMapKeys }: Schema): Json {
  if (listType !== "map" || !isObject(entry)) return entry;
  return Object.fromEntries(listMapKeys.map((key) => [key, member(entry, key) ?? null]));
}

function objectErrors(value: JsonObject, schema: Schema, path: DocumentPath): readonly SchemaError[] {
  const { required, bounds } = schema;
  const missing = required
    .filter((key) => !Object.hasOwn(value, key))
    .map((key): SchemaError => ({ path: [...path, key], rule: "required", message: "is required" }));
  const fields = Object.entries(value).flatMap(([key, field]) => {
    const known = schema.properties.get(key) ?? schema.additionalProperties;
    return known === null ? [] : validateAt(field, known, [...path, key]);
  });
  const size = Object.keys(value).length;
  return [...missing, ...sizeErrors(size, bounds.minProperties, bounds.maxProperties, "property", path), ...fields];
}

function combinationErrors(value: Json, schema: Schema, path: DocumentPath): readonly SchemaError[] {
  const fits = (branch: Schema) => validateAt(value, branch, path).length === 0;
  const errors: SchemaError[] = schema.allOf.flatMap((branch) => [...validateAt(value, branch, path)]);
  const fail = (message: string) => errors.push({ path, rule: "value", message });
  if (schema.anyOf.length > 0 && !schema.anyOf.some(fits)) fail("fits none of the forms in anyOf");
  if (schema.oneOf.length > 0) {
    const count = schema.oneOf.filter(fits).length;
    if (count !== 1) fail(`must fit exactly one of the forms in oneOf, but fits ${count}`);
  }
  if (schema.not !== null && fits(schema.not)) fail("has the form that not forbids");
  return errors;
}

function typeOf(value: Json): SchemaType | "null" {
  if (value === null) return "null";
  if (isArray(value)) return "array";
  // 5.0 and 5 are one number in JSON, and the API server takes both for an integer; what needs more than 64 bits is none.
  // The greatest that has 64 bits was rounded up when it was read.
  if (typeof value === "number") return Number.isInteger(value) && Math.abs(value) <= 2 ** 63 ? "integer" : "number";
  return typeof value as "object" | "string" | "boolean";
}

function articled(type: SchemaType | "null"): string {
  if (type === "null") return "null";
  return /^[aio]/.test(type) ? `an ${type}` : `a ${type}`;
}
