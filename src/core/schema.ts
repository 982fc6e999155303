import { briefJson } from "./json.ts";
import type { Json, JsonObject } from "./model.ts";
import { arrayAt, objectAt, stringAt, stringsAt } from "./read-json.ts";

/**
 * Structural OpenAPI v3 schemas as a Kubernetes API server applies them to custom resources: prune, default, validate,
 * in this order. Rules in CEL and `format` are not evaluated; AMKO's schemas use neither.
 *
 * Properties are looked up in maps and objects are built from entries throughout, so that keys such as `__proto__` and
 * `constructor` are data like any other.
 */
export interface Schema {
  /** Null accepts every type (`x-kubernetes-int-or-string`, or nothing was said). */
  readonly type: SchemaType | null;
  readonly nullable: boolean;
  readonly intOrString: boolean;
  readonly preserveUnknownFields: boolean;
  /** The value holds a whole object: apiVersion, kind and metadata stay in it, known or not. */
  readonly embeddedResource: boolean;
  readonly properties: ReadonlyMap<string, Schema>;
  /** Of every further key; null where further keys are unknown. */
  readonly additionalProperties: Schema | null;
  readonly items: Schema | null;
  /** Undefined where there is none. */
  readonly default: Json | undefined;
  readonly enum: readonly Json[] | null;
  readonly required: readonly string[];
  readonly bounds: Bounds;
  readonly pattern: RegExp | null;
  /** How entries of a list are told apart; a `set` or `map` list holds none twice. */
  readonly listType: "atomic" | "set" | "map";
  readonly listMapKeys: readonly string[];
  readonly allOf: readonly Schema[];
  readonly anyOf: readonly Schema[];
  readonly oneOf: readonly Schema[];
  readonly not: Schema | null;
}

export type SchemaType = "object" | "array" | "string" | "integer" | "number" | "boolean";

export interface Bounds {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
}

/**
 * Reads a structural schema. Keywords that only describe are dropped.
 * @throws TypeError that names the keyword that is malformed.
 */
export function readSchema(source: JsonObject): Schema {
  const intOrString = source["x-kubernetes-int-or-string"] === true;
  const list = (keyword: string): readonly Schema[] =>
    arrayAt(source[keyword] ?? [], keyword).map((entry) => readSchema(objectAt(entry, keyword)));
  const one = (keyword: string): Schema | null =>
    source[keyword] === undefined ? null : readSchema(objectAt(source[keyword], keyword));
  const properties = Object.entries(objectAt(source["properties"] ?? {}, "properties"));
  return {
    type: intOrString ? null : typeAt(source["type"]),
    nullable: source["nullable"] === true,
    intOrString,
    preserveUnknownFields: source["x-kubernetes-preserve-unknown-fields"] === true,
    embeddedResource: source["x-kubernetes-embedded-resource"] === true,
    properties: new Map(properties.map(([key, schema]) => [key, readSchema(objectAt(schema, key))])),
    additionalProperties: readAdditionalProperties(source["additionalProperties"]),
    items: one("items"),
    // An explicit null default counts as none, as the API server's decoder sees it.
    default: source["default"] ?? undefined,
    enum: source["enum"] === undefined ? null : arrayAt(source["enum"], "enum"),
    required: stringsAt(source["required"] ?? [], "required"),
    bounds: readBounds(source),
    pattern: readPattern(source["pattern"]),
    listType: listTypeAt(source["x-kubernetes-list-type"]),
    listMapKeys: stringsAt(source["x-kubernetes-list-map-keys"] ?? [], "x-kubernetes-list-map-keys"),
    allOf: list("allOf"),
    anyOf: list("anyOf"),
    oneOf: list("oneOf"),
    not: one("not"),
  };
}

function readAdditionalProperties(value: Json | undefined): Schema | null {
  if (value === undefined || value === false) return null;
  // As at the API server, `true` lets every key in but knows nothing of what is below it.
  return value === true ? ANYTHING : readSchema(objectAt(value, "additionalProperties"));
}

/** Patterns are RE2's. Its few escapes that a Unicode expression refuses are read as JavaScript always did. */
function readPattern(value: Json | undefined): RegExp | null {
  if (value === undefined) return null;
  const pattern = stringAt(value, "pattern");
  for (const flags of ["u", ""]) {
    try {
      return new RegExp(pattern, flags);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  throw new TypeError(`pattern is no regular expression: ${pattern}`);
}

const NUMERIC_BOUNDS = [
  "minimum",
  "maximum",
  "multipleOf",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
] as const;

function readBounds(source: JsonObject): Bounds {
  const numbers = NUMERIC_BOUNDS.flatMap((keyword): [string, number][] => {
    const value = source[keyword];
    if (value === undefined) return [];
    if (typeof value !== "number") throw new TypeError(`${keyword} must be a number`);
    return [[keyword, value]];
  });
  return {
    ...Object.fromEntries(numbers),
    exclusiveMinimum: source["exclusiveMinimum"] === true,
    exclusiveMaximum: source["exclusiveMaximum"] === true,
  };
}

const TYPES: readonly string[] = ["object", "array", "string", "integer", "number", "boolean"];

function typeAt(value: Json | undefined): SchemaType | null {
  if (value === undefined || value === "") return null;
  if (typeof value === "string" && TYPES.includes(value)) return value as SchemaType;
  throw new TypeError(`type must be one of ${TYPES.join(", ")}, but is ${briefJson(value)}`);
}

function listTypeAt(value: Json | undefined): Schema["listType"] {
  if (value === undefined) return "atomic";
  if (value === "atomic" || value === "set" || value === "map") return value;
  throw new TypeError(`x-kubernetes-list-type must be atomic, set or map, but is ${briefJson(value)}`);
}

/** Of a place of which nothing is said. */
export const ANYTHING: Schema = readSchema({ nullable: true });
