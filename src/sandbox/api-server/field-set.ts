import { deepEqual, isObject, member } from "../../core/json.ts";
import type { Json, JsonObject } from "../../core/model.ts";
import { type ApiObject, omit } from "./object.ts";

/**
 * Fields of an object, each as the JSON text of its path. Lists count as one field: every list of AMKO's kinds is
 * atomic, as lists are unless a schema says otherwise.
 */
export type FieldSet = ReadonlySet<string>;
type FieldPath = readonly string[];

/** What the server writes itself, and so nobody owns. */
const UNOWNED = new Set(
  [
    ["apiVersion"],
    ["kind"],
    ["metadata"],
    ...[
      "name",
      "generateName",
      "namespace",
      "uid",
      "resourceVersion",
      "generation",
      "creationTimestamp",
      "deletionTimestamp",
      "deletionGracePeriodSeconds",
      "managedFields",
      "selfLink",
    ].map((key) => ["metadata", key]),
  ].map((path) => JSON.stringify(path)),
);

/** Every field that an applied configuration states. */
export function statedFields(configuration: Json): FieldSet {
  return owned(leaves(configuration, []));
}

export interface FieldChanges {
  /** Fields that are new or have another value. */
  readonly written: FieldSet;
  readonly removed: FieldSet;
}

export function compareFields(before: Json | undefined, after: Json): FieldChanges {
  const written: FieldPath[] = [];
  const removed: FieldPath[] = [];
  compareAt(before, after, [], written, removed);
  return { written: owned(written), removed: owned(removed) };
}

/** Removes fields, and objects that lose their last field by it. */
export function withoutFields(object: ApiObject, fields: FieldSet): ApiObject {
  return [...fields].reduce<ApiObject>(
    (rest, field) => removeAt(rest, JSON.parse(field) as FieldPath) as ApiObject,
    object,
  );
}

/** `.spec.ttl`, as messages about field managers write it. */
export function describeField(field: string): string {
  return (JSON.parse(field) as FieldPath).map((key) => `.${key}`).join("");
}

/** The form of `metadata.managedFields[].fieldsV1`. */
export function toFieldsV1(fields: FieldSet): JsonObject {
  return toTree([...fields].map((field) => JSON.parse(field) as FieldPath));
}

/** Reads `fieldsV1`. A list of which only some entries are named counts as the whole list. */
export function fromFieldsV1(tree: Json | undefined): FieldSet {
  return owned(isObject(tree) ? fromTree(tree, []) : []);
}

function owned(paths: readonly FieldPath[]): FieldSet {
  return new Set(paths.map((path) => JSON.stringify(path)).filter((field) => !UNOWNED.has(field)));
}

function leaves(value: Json, path: FieldPath): readonly FieldPath[] {
  if (!isObject(value) || Object.keys(value).length === 0) return [path];
  return Object.entries(value).flatMap(([key, field]) => leaves(field, [...path, key]));
}

/** An object's own path is written when the object is new, and removed when it is gone, beside those of its fields. */
function compareAt(
  before: Json | undefined,
  after: Json | undefined,
  path: FieldPath,
  written: FieldPath[],
  removed: FieldPath[],
): void {
  if (isObject(before) && isObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      compareAt(member(before, key), member(after, key), [...path, key], written, removed);
    }
    return;
  }
  if (deepEqual(before, after)) return;
  if (before !== undefined && (after === undefined || isObject(before))) removed.push(...pathsOf(before, path));
  if (after !== undefined) written.push(...pathsOf(after, path));
}

function pathsOf(value: Json, path: FieldPath): readonly FieldPath[] {
  if (!isObject(value)) return [path];
  return [path, ...Object.entries(value).flatMap(([key, field]) => pathsOf(field, [...path, key]))];
}

function removeAt(value: JsonObject, [key = "", ...rest]: FieldPath): JsonObject {
  const field = member(value, key);
  if (field === undefined) return value;
  if (rest.length === 0) return omit(value, key);
  if (!isObject(field)) return value;
  const smaller = removeAt(field, rest);
  return Object.keys(smaller).length === 0 ? omit(value, key) : { ...omit(value, key), [key]: smaller };
}

function toTree(paths: readonly FieldPath[]): JsonObject {
  const byKey = Map.groupBy(
    paths.filter((path) => path.length > 0),
    ([key]) => key ?? "",
  );
  const entries = [...byKey].map(([key, below]): [string, Json] => {
    const children = toTree(below.map((path) => path.slice(1)));
    const itself = below.some((path) => path.length === 1);
    return [`f:${key}`, itself && Object.keys(children).length > 0 ? { ".": {}, ...children } : children];
  });
  return Object.fromEntries(entries);
}

function fromTree(tree: JsonObject, path: FieldPath): readonly FieldPath[] {
  const entries = Object.entries(tree);
  const fields = entries.filter(([step]) => step.startsWith("f:"));
  const itself = fields.length < entries.length || entries.length === 0;
  return [
    ...(itself && path.length > 0 ? [path] : []),
    ...fields.flatMap(([step, below]) => fromTree(isObject(below) ? below : {}, [...path, step.slice(2)])),
  ];
}
