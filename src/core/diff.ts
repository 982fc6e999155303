import { deepEqual, isObject } from "./json.ts";
import type { Json, JsonObject } from "./model.ts";

/** A step of a path: a map's key, or the entry of a keyed list (`[cluster1]`). */
export type FieldStep = string | { readonly entry: string };
export type FieldPath = readonly FieldStep[];

/** One field that differs; `undefined` where it was or is not there. */
export interface FieldChange {
  readonly path: FieldPath;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

/** Lists whose entries carry one of these are compared entry by entry, as people think of them. */
const ENTRY_KEYS = ["cluster", "clusterContext"] as const;

/** The smallest fields that differ, in the order of `before`, then of `after`. Arrays without keys are one value. */
export function diffFields(
  before: Json | undefined,
  after: Json | undefined,
  path: FieldPath = [],
): readonly FieldChange[] {
  if (before === undefined || after === undefined) {
    return before === after ? [] : [{ path, before, after }];
  }
  if (isObject(before) && isObject(after))
    return diffMaps(new Map(Object.entries(before)), new Map(Object.entries(after)), path);
  const entriesBefore = keyedEntries(before);
  const entriesAfter = keyedEntries(after);
  if (entriesBefore !== null && entriesAfter !== null && entriesBefore.key === entriesAfter.key) {
    return diffEntries(entriesBefore.entries, entriesAfter.entries, path, before, after);
  }
  return deepEqual(before, after) ? [] : [{ path, before, after }];
}

/** A list as a map, if every entry is an object named by the same key and no name stands twice. */
export function keyedEntries(
  value: Json,
): { readonly key: string; readonly entries: ReadonlyMap<string, JsonObject> } | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  for (const key of ENTRY_KEYS) {
    const entries = new Map<string, JsonObject>();
    for (const entry of value as readonly Json[]) {
      const name = isObject(entry) && Object.hasOwn(entry, key) ? entry[key] : null;
      if (typeof name === "string") entries.set(name, entry as JsonObject);
    }
    if (entries.size === value.length) return { key, entries };
  }
  return null;
}

function diffMaps(
  before: ReadonlyMap<string, Json>,
  after: ReadonlyMap<string, Json>,
  path: FieldPath,
  step: (key: string) => FieldStep = (key) => key,
): readonly FieldChange[] {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].flatMap((key) => diffFields(before.get(key), after.get(key), [...path, step(key)]));
}

function diffEntries(
  before: ReadonlyMap<string, JsonObject>,
  after: ReadonlyMap<string, JsonObject>,
  path: FieldPath,
  listBefore: Json,
  listAfter: Json,
): readonly FieldChange[] {
  const changes = diffMaps(before, after, path, (entry) => ({ entry }));
  if (changes.length > 0 || deepEqual(listBefore, listAfter)) return changes;
  // Only the order differs. AMKO may not care, but the objects are not equal, so it has to be told.
  return [{ path, before: listBefore, after: listAfter }];
}

/** `spec.trafficSplit[cluster1].weight`; a key that is no plain word stands quoted: `label["app.io/name"]`. */
export function formatFieldPath(path: FieldPath): string {
  let text = "";
  for (const step of path) {
    if (typeof step !== "string") text += `[${plain(step.entry) ? step.entry : JSON.stringify(step.entry)}]`;
    else if (/^[A-Za-z_][A-Za-z0-9_-]*$/.test(step)) text += text === "" ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

const VALUE_MAX_CHARACTERS = 200;

/** A value on one line, for people: plain words as they are, anything else as JSON, cut where it is long. */
export function formatFieldValue(value: Json | undefined, missing: string): string {
  if (value === undefined) return missing;
  const text = typeof value === "string" && plain(value) ? value : JSON.stringify(value);
  return text.length <= VALUE_MAX_CHARACTERS ? text : `${text.slice(0, VALUE_MAX_CHARACTERS)}…`;
}

/** `spec.ttl: 10 -> (removed)` */
export function formatFieldChange({ path, before, after }: FieldChange): string {
  return `${formatFieldPath(path)}: ${formatFieldValue(before, "(none)")} -> ${formatFieldValue(after, "(removed)")}`;
}

function plain(text: string): boolean {
  return /^[A-Za-z0-9_.:/@%+-]+$/.test(text);
}
