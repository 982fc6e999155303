import { isArray, isObject } from "./json.ts";
import type { Json, JsonObject } from "./model.ts";

/** An object that has to stand at `where`, as the other readers here. @throws TypeError that names the place. */
export function objectAt(value: Json | undefined, where: string): JsonObject {
  if (isObject(value)) return value;
  throw new TypeError(`${where} must be an object`);
}

export function arrayAt(value: Json | undefined, where: string): readonly Json[] {
  if (isArray(value)) return value;
  throw new TypeError(`${where} must be a list`);
}

export function stringAt(value: Json | undefined, where: string): string {
  if (typeof value === "string") return value;
  throw new TypeError(`${where} must be a string`);
}

export function stringsAt(value: Json | undefined, where: string): readonly string[] {
  return arrayAt(value, where).map((entry) => stringAt(entry, `${where}[]`));
}
