import type { Json, JsonObject } from "./model.ts";

/** The same value, whatever the order of keys. The order of entries in arrays counts; "no value" equals only itself. */
export function deepEqual(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (isArray(a)) return isArray(b) && a.length === b.length && a.every((entry, i) => deepEqual(entry, b[i]));
  return isObject(a) && isObject(b) && equalObjects(a, b);
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** The member that the object itself has: never one of its prototype, whatever key a file asks for. */
export function member(value: Json | undefined, key: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** Its members in the order of their keys' UTF-16 code units: the same for the same object, in every locale. */
export function sortedEntries(object: JsonObject): readonly (readonly [string, Json])[] {
  return Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));
}

const BRIEF_MAX_CHARACTERS = 64;

/** A value in a message: as JSON, cut where it is long. */
export function briefJson(value: Json): string {
  const text = JSON.stringify(value);
  return text.length <= BRIEF_MAX_CHARACTERS ? text : `${text.slice(0, BRIEF_MAX_CHARACTERS)}…`;
}

function equalObjects(a: JsonObject, b: JsonObject): boolean {
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && deepEqual(a[key], b[key]))
  );
}
