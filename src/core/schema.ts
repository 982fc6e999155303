import type { AmkoKind, Json, JsonObject } from "./model.ts";

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

interface Bounds {
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

export type SchemaPath = readonly (string | number)[];

export interface SchemaError {
  readonly path: SchemaPath;
  /** Without the path: `must be at most 86400, but is 90000`. */
  readonly message: string;
  readonly rule: "type" | "required" | "enum" | "duplicate" | "value";
}

export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
  readonly jsonPath: string;
}

/** A CustomResourceDefinition with the one version that is served and stored. */
export interface CustomResourceDefinition {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly statusSubresource: boolean;
  readonly schema: Schema;
  readonly additionalPrinterColumns: readonly PrinterColumn[];
}

export type Schemas = Readonly<Record<AmkoKind, CustomResourceDefinition>>;

/**
 * Reads a CustomResourceDefinition manifest (`apiextensions.k8s.io/v1`).
 * @throws TypeError that names the field that is missing or malformed.
 */
export function readCustomResourceDefinition(value: Json): CustomResourceDefinition {
  const root = objectAt(value, "manifest");
  if (root["apiVersion"] !== "apiextensions.k8s.io/v1" || root["kind"] !== "CustomResourceDefinition") {
    throw new TypeError("not a CustomResourceDefinition of apiextensions.k8s.io/v1");
  }
  const spec = objectAt(root["spec"], "spec");
  const names = objectAt(spec["names"], "spec.names");
  const kind = stringAt(names["kind"], "spec.names.kind");
  const version = onlyVersion(spec);
  const subresources = version["subresources"];
  const schema = objectAt(version["schema"], "spec.versions[].schema");
  return {
    group: stringAt(spec["group"], "spec.group"),
    version: stringAt(version["name"], "spec.versions[].name"),
    kind,
    listKind: stringAt(names["listKind"] ?? `${kind}List`, "spec.names.listKind"),
    plural: stringAt(names["plural"], "spec.names.plural"),
    singular: stringAt(names["singular"] ?? kind.toLowerCase(), "spec.names.singular"),
    shortNames: stringsAt(names["shortNames"] ?? [], "spec.names.shortNames"),
    categories: stringsAt(names["categories"] ?? [], "spec.names.categories"),
    namespaced: stringAt(spec["scope"], "spec.scope") === "Namespaced",
    statusSubresource: isObject(subresources) && Object.hasOwn(subresources, "status"),
    schema: readSchema(objectAt(schema["openAPIV3Schema"], "spec.versions[].schema.openAPIV3Schema")),
    additionalPrinterColumns: arrayAt(
      version["additionalPrinterColumns"] ?? [],
      "spec.versions[].additionalPrinterColumns",
    ).map(readPrinterColumn),
  };
}

/**
 * The schemas of AMKO's three kinds.
 * @throws TypeError when one is missing.
 */
export function collectSchemas(definitions: readonly CustomResourceDefinition[]): Schemas {
  const find = (kind: AmkoKind): CustomResourceDefinition => {
    const found = definitions.find((definition) => definition.kind === kind);
    if (found === undefined) throw new TypeError(`no CustomResourceDefinition for ${kind} was given`);
    return found;
  };
  return {
    AMKOCluster: find("AMKOCluster"),
    GSLBConfig: find("GSLBConfig"),
    GlobalDeploymentPolicy: find("GlobalDeploymentPolicy"),
  };
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

/** Checks a value that was pruned and defaulted. Empty means valid; errors come in the schema's order. */
export function validate(value: Json, schema: Schema): readonly SchemaError[] {
  return validateAt(value, schema, []);
}

/**
 * Fills in defaults. Before that, nulls in fields that are not nullable go: a field with a default gets it, one
 * without is dropped. A field that is nullable keeps its null.
 */
export function applyDefaults(value: Json, schema: Schema): Json {
  return fillDefaults(dropNulls(value, schema), schema);
}

/**
 * Removes what the schema does not know, except apiVersion, kind and metadata of the root. `dropped` names each removed
 * field; what stood below it is not listed.
 */
export function prune(value: Json, schema: Schema): { readonly value: Json; readonly dropped: readonly SchemaPath[] } {
  const dropped: SchemaPath[] = [];
  const pruned = pruneAt(value, { ...schema, embeddedResource: true }, [], dropped);
  return { value: pruned, dropped };
}

/** The fields that {@link prune} would remove. */
export function unknownFields(value: Json, schema: Schema): readonly SchemaPath[] {
  return prune(value, schema).dropped;
}

/** `spec.trafficSplit[1].weight`; keys that are no plain word are quoted. */
export function describePath(path: SchemaPath): string {
  return path
    .map((step, index) => {
      if (typeof step === "number") return `[${step}]`;
      if (!/^[\w-]+$/.test(step)) return `[${JSON.stringify(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join("");
}

// Pruning and defaulting

const META_FIELDS: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);

/** `schema` null stands for a place of which nothing is known: objects lose all their fields there. */
function pruneAt(value: Json, schema: Schema | null, path: SchemaPath, dropped: SchemaPath[]): Json {
  if (isArray(value)) {
    const items = schema?.preserveUnknownFields === true ? preserving(schema.items) : (schema?.items ?? null);
    return value.map((entry, index) => pruneAt(entry, items, [...path, index], dropped));
  }
  if (!isObject(value)) return value;
  const entries: [string, Json][] = [];
  for (const [key, field] of Object.entries(value)) {
    const known = fieldSchema(schema, key);
    if (known !== null) entries.push([key, known === true ? field : pruneAt(field, known, [...path, key], dropped)]);
    else dropped.push([...path, key]);
  }
  return Object.fromEntries(entries);
}

/** The schema of one field; `true` where any value stays as it is; null where the field is unknown. */
function fieldSchema(schema: Schema | null, key: string): Schema | true | null {
  if (schema === null) return null;
  if (schema.embeddedResource && META_FIELDS.has(key)) return true;
  return schema.properties.get(key) ?? schema.additionalProperties ?? (schema.preserveUnknownFields ? true : null);
}

/** What a list preserves, its entries preserve too. */
function preserving(items: Schema | null): Schema {
  return { ...(items ?? ANYTHING), preserveUnknownFields: true };
}

function dropNulls(value: Json, schema: Schema): Json {
  return mapFields(value, schema, (field, known) => {
    if (field !== null) return dropNulls(field, known);
    return known.nullable || known.default !== undefined ? null : undefined;
  });
}

function fillDefaults(value: Json, schema: Schema): Json {
  const filled = mapFields(value, schema, (field, known) => {
    const replaced = field === null && !known.nullable ? (known.default ?? null) : field;
    return fillDefaults(replaced, known);
  });
  if (!isObject(filled)) return filled;
  const missing = [...schema.properties].flatMap(([key, known]): [string, Json][] =>
    known.default === undefined || Object.hasOwn(filled, key) ? [] : [[key, fillDefaults(known.default, known)]],
  );
  return missing.length === 0 ? filled : Object.fromEntries([...Object.entries(filled), ...missing]);
}

/** Maps what the schema knows of an object's fields or a list's entries; `undefined` drops a field. */
function mapFields(value: Json, schema: Schema, change: (field: Json, known: Schema) => Json | undefined): Json {
  if (isArray(value)) {
    const { items } = schema;
    // An entry is never dropped: that would renumber the others. Validation tells of a null that stays.
    return items === null ? value : value.map((entry) => change(entry, items) ?? null);
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value).flatMap(([key, field]): [string, Json][] => {
    const known = schema.properties.get(key) ?? schema.additionalProperties;
    if (known === null) return [[key, field]];
    const changed = change(field, known);
    return changed === undefined ? [] : [[key, changed]];
  });
  return Object.fromEntries(entries);
}

// Validation

function validateAt(value: Json, schema: Schema, path: SchemaPath): readonly SchemaError[] {
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

function typeError(value: Json, schema: Schema, path: SchemaPath): SchemaError | null {
  const actual = typeOf(value);
  if (schema.intOrString) {
    if (actual === "integer" || actual === "string") return null;
    return { path, rule: "type", message: `must be an integer or a string, but is ${articled(actual)}` };
  }
  if (schema.type === null || schema.type === actual) return null;
  if (schema.type === "number" && actual === "integer") return null;
  return { path, rule: "type", message: `must be ${articled(schema.type)}, but is ${articled(actual)}` };
}

function enumErrors(value: Json, schema: Schema, path: SchemaPath): readonly SchemaError[] {
  if (schema.enum === null || schema.enum.some((allowed) => sameJson(allowed, value))) return [];
  const allowed = schema.enum.map((entry) => JSON.stringify(entry)).join(", ");
  return [{ path, rule: "enum", message: `must be one of ${allowed}, but is ${brief(value)}` }];
}

function scalarErrors(value: Json, { bounds, pattern }: Schema, path: SchemaPath): readonly SchemaError[] {
  if (typeof value === "number") return numberErrors(value, bounds, path);
  if (typeof value !== "string") return [];
  // Lengths count code points, as Go's utf8.RuneCountInString does.
  const errors = sizeErrors([...value].length, bounds.minLength, bounds.maxLength, "character", path);
  if (pattern === null || pattern.test(value)) return errors;
  return [...errors, { path, rule: "value", message: `must match ${pattern.source}, but is ${brief(value)}` }];
}

function numberErrors(value: number, bounds: Bounds, path: SchemaPath): readonly SchemaError[] {
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
  path: SchemaPath,
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

function arrayErrors(value: readonly Json[], schema: Schema, path: SchemaPath): readonly SchemaError[] {
  const { items, bounds } = schema;
  return [
    ...sizeErrors(value.length, bounds.minItems, bounds.maxItems, "item", path),
    ...duplicateErrors(value, schema, path),
    ...(items === null ? [] : value.flatMap((entry, index) => validateAt(entry, items, [...path, index]))),
  ];
}

function duplicateErrors(value: readonly Json[], schema: Schema, path: SchemaPath): readonly SchemaError[] {
  if (schema.listType === "atomic") return [];
  const identities = value.map((entry) => canonical(listIdentity(entry, schema)));
  return value.flatMap((entry, index): SchemaError[] => {
    const first = identities.indexOf(identities[index] ?? "");
    if (first === index) return [];
    const what = brief(listIdentity(entry, schema));
    return [{ path: [...path, index], rule: "duplicate", message: `repeats entry ${first}: ${what}` }];
  });
}

function listIdentity(entry: Json, { listType, listMapKeys }: Schema): Json {
  if (listType !== "map" || !isObject(entry)) return entry;
  return Object.fromEntries(listMapKeys.map((key) => [key, own(entry, key) ?? null]));
}

function objectErrors(value: JsonObject, schema: Schema, path: SchemaPath): readonly SchemaError[] {
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

function combinationErrors(value: Json, schema: Schema, path: SchemaPath): readonly SchemaError[] {
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

// Reading

function onlyVersion(spec: JsonObject): JsonObject {
  const served = arrayAt(spec["versions"], "spec.versions")
    .map((version) => objectAt(version, "spec.versions[]"))
    .filter((version) => version["served"] === true);
  const [version] = served;
  if (version === undefined || served.length > 1 || version["storage"] !== true) {
    throw new TypeError("spec.versions must have exactly one served version, the stored one");
  }
  return version;
}

function readPrinterColumn(value: Json): PrinterColumn {
  const column = objectAt(value, "additionalPrinterColumns[]");
  return {
    name: stringAt(column["name"], "additionalPrinterColumns[].name"),
    type: stringAt(column["type"], "additionalPrinterColumns[].type"),
    format: stringAt(column["format"] ?? "", "additionalPrinterColumns[].format"),
    description: stringAt(column["description"] ?? "", "additionalPrinterColumns[].description"),
    priority: Number(column["priority"] ?? 0),
    jsonPath: stringAt(column["jsonPath"], "additionalPrinterColumns[].jsonPath"),
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
  throw new TypeError(`type must be one of ${TYPES.join(", ")}, but is ${brief(value)}`);
}

function listTypeAt(value: Json | undefined): Schema["listType"] {
  if (value === undefined) return "atomic";
  if (value === "atomic" || value === "set" || value === "map") return value;
  throw new TypeError(`x-kubernetes-list-type must be atomic, set or map, but is ${brief(value)}`);
}

const ANYTHING: Schema = readSchema({ nullable: true });

function objectAt(value: Json | undefined, where: string): JsonObject {
  if (value !== undefined && isObject(value)) return value;
  throw new TypeError(`${where} must be an object`);
}

function arrayAt(value: Json | undefined, where: string): readonly Json[] {
  if (value !== undefined && isArray(value)) return value;
  throw new TypeError(`${where} must be a list`);
}

function stringAt(value: Json | undefined, where: string): string {
  if (typeof value === "string") return value;
  throw new TypeError(`${where} must be a string`);
}

function stringsAt(value: Json | undefined, where: string): readonly string[] {
  return arrayAt(value, where).map((entry) => stringAt(entry, `${where}[]`));
}

// JSON values

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function own(value: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

function typeOf(value: Json): SchemaType | "null" {
  if (value === null) return "null";
  if (isArray(value)) return "array";
  // 5.0 and 5 are one number in JSON, and the API server takes both for an integer.
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value as "object" | "string" | "boolean";
}

function articled(type: SchemaType | "null"): string {
  if (type === "null") return "null";
  return /^[aio]/.test(type) ? `an ${type}` : `a ${type}`;
}

const BRIEF_MAX_CHARACTERS = 64;

function brief(value: Json): string {
  const text = JSON.stringify(value);
  return text.length <= BRIEF_MAX_CHARACTERS ? text : `${text.slice(0, BRIEF_MAX_CHARACTERS)}…`;
}

function sameJson(one: Json, other: Json): boolean {
  return canonical(one) === canonical(other);
}

/** One text for all spellings of the same value. */
function canonical(value: Json): string {
  if (isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const keys = Object.keys(value).toSorted();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(own(value, key) ?? null)}`).join(",")}}`;
}
