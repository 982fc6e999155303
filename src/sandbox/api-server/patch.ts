import jsonPatch from "fast-json-patch";
import { deepEqual, isArray, isObject, member } from "../../core/json.ts";
import type { Json, JsonObject } from "../../core/model.ts";
import { ApiError, badRequest } from "./status.ts";

/** More operations than a kube-apiserver takes. */
const OPERATIONS_MAX = 10_000;

/**
 * Applies a JSON patch (RFC 6902), or nothing of it.
 * @throws ApiError 400 when it is malformed, 422 when an operation cannot be applied or a test fails.
 */
export function applyJsonPatch(target: JsonObject, patch: Json): JsonObject {
  if (!isArray(patch)) throw badRequest("error decoding patch: a JSON patch is a list of operations");
  if (patch.length > OPERATIONS_MAX) {
    const message = `The allowed maximum operations in a JSON patch is ${OPERATIONS_MAX}, got ${patch.length}`;
    throw new ApiError(413, "RequestEntityTooLarge", message);
  }
  try {
    const operations = structuredClone(patch) as unknown as jsonPatch.Operation[];
    const { newDocument } = jsonPatch.applyPatch(structuredClone(target), operations, true, true, true);
    return newDocument;
  } catch (error) {
    // The library's own error, or its TypeError for operations that would reach a prototype.
    const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new ApiError(422, "Invalid", `the server rejected our request due to an error in our request: ${why}`);
  }
}

/** Applies a JSON merge patch (RFC 7386). */
export function applyMergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const base = isObject(target) ? target : {};
  const kept = Object.entries(base).filter(([key]) => !Object.hasOwn(patch, key));
  const patched = Object.entries(patch)
    .filter(([, value]) => value !== null)
    .map(([key, value]): [string, Json] => [key, applyMergePatch(member(base, key), value)]);
  return Object.fromEntries([...kept, ...patched]);
}

/** Lists that a strategic merge patch adds to instead of replacing; by the key of their entries, or null for values. */
const MERGED_LISTS: ReadonlyMap<string, string | null> = new Map([
  ["finalizers", null],
  ["ownerReferences", "uid"],
  ["conditions", "type"],
]);

const DELETE_FROM_LIST = "$deleteFromPrimitiveList/";

/**
 * Applies a strategic merge patch: a merge patch whose lists merge where the built-in kinds here say so, with the
 * directives `$patch`, `$retainKeys`, `$setElementOrder` (order is kept as it is) and `$deleteFromPrimitiveList`.
 */
export function applyStrategicMergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const base = member(patch, "$patch") === "replace" || !isObject(target) ? {} : target;
  if (member(patch, "$patch") === "delete") return {};
  const retained = member(patch, "$retainKeys");
  const kept = Object.entries(base)
    .filter(([key]) => !isArray(retained) || retained.includes(key))
    .map(([key, value]): [string, Json] => [key, withoutDeleted(value, member(patch, DELETE_FROM_LIST + key))]);
  const merged = new Map(kept);
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith("$")) continue;
    if (value === null) merged.delete(key);
    else merged.set(key, mergeField(key, merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

function mergeField(key: string, before: Json | undefined, patch: Json): Json {
  const mergeKey = MERGED_LISTS.get(key);
  if (mergeKey === undefined || !isArray(patch) || !isArray(before)) return applyStrategicMergePatch(before, patch);
  if (mergeKey === null) return [...before, ...patch.filter((entry) => !before.includes(entry))];
  return mergeEntries(before, patch, mergeKey);
}

function mergeEntries(before: readonly Json[], patch: readonly Json[], mergeKey: string): Json {
  const keyOf = (entry: Json) => member(entry, mergeKey);
  const merged = before.flatMap((entry) => {
    const change = patch.find((candidate) => deepEqual(keyOf(candidate), keyOf(entry)));
    if (change === undefined) return [entry];
    return member(change, "$patch") === "delete" ? [] : [applyStrategicMergePatch(entry, change)];
  });
  const added = patch.filter(
    (entry) =>
      isObject(entry) &&
      member(entry, "$patch") === undefined &&
      !before.some((old) => deepEqual(keyOf(old), keyOf(entry))),
  );
  return [...merged, ...added];
}

function withoutDeleted(value: Json, deleted: Json | undefined): Json {
  return isArray(value) && isArray(deleted) ? value.filter((entry) => !deleted.includes(entry)) : value;
}
