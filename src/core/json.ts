import type { Json, JsonObject } from "./model.ts";

/** The same value, whatever the order of keys. The order of entries in arrays counts; "no value" equals only itself. */
export function deepEqual(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (isJsonArray(a)) return isJsonArray(b) && a.length === b.length && a.every((entry, i) => deepEqual(entry, b[i]));
  return isJsonObject(a) && isJsonObject(b) && equalObjects(a, b);
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isJsonArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** The member that the object itself has: never one of its prototype, whatever key a file asks for. */
export function member(value: Json | undefined, key: string): Json | undefined {
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** Its members in the order of their keys' UTF-16 code units: the same for the same object, in every locale. */
export function sortedEntries(object: JsonObject): readonly (readonly [string, Json])[] {
  return Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));
}

function equalObjects(a: JsonObject, b: JsonObject): boolean {
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && deepEqual(a[key], b[key]))
  );
}
