import { isArray, isObject, member } from "../../core/json.ts";
import type { Json, JsonObject } from "../../core/model.ts";
import {
  compareFields,
  describeField,
  type FieldSet,
  fromFieldsV1,
  statedFields,
  toFieldsV1,
  withoutFields,
} from "./field-set.ts";
import { type ApiObject, omit, textAt, timestamp, withMetadata, withoutMetadata } from "./object.ts";
import { ApiError } from "./status.ts";

/** Who writes, as `metadata.managedFields` names them. */
export interface Writer {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  /** `status`, or empty for the object itself. */
  readonly subresource: string;
}

interface Ownership extends Writer {
  readonly time: string;
  readonly fields: FieldSet;
}

/** More managers than this are folded into one, oldest first, as a kube-apiserver does. */
const UPDATE_MANAGERS_MAX = 10;
const ANCIENT_MANAGER = "ancient-changes";

/**
 * Records who wrote what in an update: the writer owns what it changed, others lose it. `before` is null for a new
 * object. An object that was sent with `managedFields: [{}]` forgets all ownership.
 */
export function trackUpdate(before: ApiObject | null, after: ApiObject, writer: Writer): ApiObject {
  const { managedFields = [] } = after.metadata;
  const [only] = managedFields;
  if (managedFields.length === 1 && only !== undefined && Object.keys(only).length === 0) {
    return withoutMetadata(after, "managedFields");
  }
  const ownerships = readOwnerships(managedFields.length > 0 ? after : (before ?? after));
  const { written, removed } = compareFields(before ?? undefined, after);
  const changed = written.union(removed);
  const mine = ownerships.find((ownership) => sameWriter(ownership, writer));
  const others = ownerships.filter((ownership) => ownership !== mine).map((other) => without(other, changed));
  const fields = (mine?.fields ?? new Set<string>()).difference(removed).union(written);
  const time = mine === undefined || changed.size > 0 ? timestamp() : mine.time;
  return writeOwnerships(after, foldAncient([...others, { ...writer, time, fields }]));
}

/**
 * Merges an applied configuration into the live object: what it states is set, what the same manager stated before and
 * states no longer is removed unless somebody else owns it.
 * @throws ApiError 409 that names each field with another value that somebody else owns, unless `force`.
 */
export function mergeApplied(
  live: ApiObject | null,
  configuration: ApiObject,
  writer: Writer,
  force: boolean,
): ApiObject {
  const ownerships = live === null ? [] : ownershipsBeforeApply(live, writer);
  const mine = ownerships.find((ownership) => sameWriter(ownership, writer));
  const others = ownerships.filter((ownership) => ownership !== mine);
  const stated = statedFields(configuration);
  const merged = live === null ? configuration : (merge(live, configuration) as ApiObject);
  const { written, removed } = compareFields(live ?? undefined, merged);
  const overridden = stated.intersection(written).union(removed);
  const disputed = force ? new Set<string>() : overridden.difference(fieldsOfLastApplied(live, writer));
  const conflicts = others.filter(({ fields }) => !fields.isDisjointFrom(disputed));
  if (conflicts.length > 0) throw applyConflict(conflicts, disputed);

  const kept = others.map((other) => without(other, overridden));
  const elsewhere = kept.reduce<FieldSet>((union, { fields }) => union.union(fields), stated);
  const abandoned = (mine?.fields ?? new Set<string>()).difference(elsewhere);
  // A field that contains one that stays cannot go itself.
  const gone = [...abandoned].filter((field) => ![...elsewhere].some((other) => other.startsWith(field.slice(0, -1))));
  const result = withoutFields(merged, new Set(gone));
  return writeOwnerships(result, [...kept, { ...writer, time: timestamp(), fields: stated }]);
}

/** Times apart, is the ownership the same? Then a write that changes nothing else changes nothing. */
export function timelessManagedFields(object: ApiObject): readonly JsonObject[] {
  return (object.metadata.managedFields ?? []).map((entry) => omit(entry, "time"));
}

/** Fields that an object had before anybody was recorded belong to a manager of their own. */
function ownershipsBeforeApply(live: ApiObject, { apiVersion }: Writer): readonly Ownership[] {
  const ownerships = readOwnerships(live);
  if (ownerships.length > 0) return ownerships;
  const manager = "before-first-apply";
  const fields = statedFields(live);
  return [{ manager, operation: "Update", apiVersion, subresource: "", time: timestamp(), fields }];
}

const LAST_APPLIED_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * What kubectl applied on the client's side, as long as nobody changed it, is kubectl's to change on the server's side
 * too, although it is recorded under another manager. That is how a kube-apiserver lets people move from one to the other.
 */
function fieldsOfLastApplied(live: ApiObject | null, { manager }: Writer): FieldSet {
  const text = textAt(live ?? {}, "metadata", "annotations", LAST_APPLIED_ANNOTATION);
  const applied = manager === "kubectl" && text !== "" ? parseJson(text) : undefined;
  if (live === null || applied === undefined) return new Set();
  const { written } = compareFields(live, merge(live, applied));
  return statedFields(applied).difference(written);
}

/** An annotation is anybody's text; what is no JSON was not written by kubectl. */
function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function applyConflict(conflicts: readonly Ownership[], disputed: FieldSet): ApiError {
  const disputes = conflicts.map((owner) => ({
    message: `conflict with ${describeOwner(owner)}`,
    summary: `conflicts with ${describeOwner(owner)}`,
    fields: [...owner.fields.intersection(disputed)].map(describeField).toSorted(),
  }));
  const causes = disputes.flatMap(({ message, fields }) =>
    fields.map((field) => ({ reason: "FieldManagerConflict", message, field })),
  );
  const [only] = causes;
  const text =
    causes.length === 1
      ? `1 conflict: ${only?.message}: ${only?.field}`
      : `${causes.length} conflicts: ${disputes.map(({ summary, fields }) => `${summary}:\n- ${fields.join("\n- ")}`).join("\n")}`;
  return new ApiError(409, "Conflict", `Apply failed with ${text}`, { causes });
}

function describeOwner({ manager, operation, apiVersion, subresource }: Writer): string {
  const part = subresource === "" ? "" : ` with subresource "${subresource}"`;
  return `"${manager}"${part}${operation === "Update" ? ` using ${apiVersion}` : ""}`;
}

function merge(live: Json | undefined, configuration: Json): Json {
  if (!isObject(live) || !isObject(configuration)) return configuration;
  const stated = Object.entries(configuration).map(([key, value]): [string, Json] => [
    key,
    merge(member(live, key), value),
  ]);
  return Object.fromEntries([...Object.entries(live), ...stated]);
}

function without(ownership: Ownership, fields: FieldSet): Ownership {
  return { ...ownership, fields: ownership.fields.difference(fields) };
}

function sameWriter(one: Writer, other: Writer): boolean {
  return (
    one.manager === other.manager &&
    one.operation === other.operation &&
    one.subresource === other.subresource &&
    one.apiVersion === other.apiVersion
  );
}

function foldAncient(ownerships: readonly Ownership[]): readonly Ownership[] {
  const updates = ownerships.filter(({ operation, fields }) => operation === "Update" && fields.size > 0);
  if (updates.length <= UPDATE_MANAGERS_MAX) return ownerships;
  const oldest = updates
    .toSorted((one, other) => one.time.localeCompare(other.time))
    .slice(0, updates.length - UPDATE_MANAGERS_MAX + 1);
  const fields = oldest.reduce<FieldSet>((union, ownership) => union.union(ownership.fields), new Set());
  const time = oldest.at(-1)?.time ?? timestamp();
  const { apiVersion = "" } = oldest[0] ?? {};
  const ancient: Ownership = {
    manager: ANCIENT_MANAGER,
    operation: "Update",
    apiVersion,
    subresource: "",
    time,
    fields,
  };
  return [ancient, ...ownerships.filter((ownership) => !oldest.includes(ownership))];
}

function readOwnerships(object: ApiObject): readonly Ownership[] {
  const { managedFields } = object.metadata;
  if (!isArray(managedFields)) return [];
  return managedFields.map((entry) => ({
    manager: textAt(entry, "manager"),
    operation: textAt(entry, "operation") === "Apply" ? "Apply" : "Update",
    apiVersion: textAt(entry, "apiVersion"),
    subresource: textAt(entry, "subresource"),
    time: textAt(entry, "time"),
    fields: fromFieldsV1(member(entry, "fieldsV1")),
  }));
}

function writeOwnerships(object: ApiObject, ownerships: readonly Ownership[]): ApiObject {
  const managedFields = ownerships
    .filter(({ fields }) => fields.size > 0)
    .map(({ manager, operation, apiVersion, subresource, time, fields }) => ({
      manager,
      operation,
      apiVersion,
      time,
      fieldsType: "FieldsV1",
      fieldsV1: toFieldsV1(fields),
      ...(subresource === "" ? {} : { subresource }),
    }));
  return managedFields.length === 0
    ? withoutMetadata(object, "managedFields")
    : withMetadata(object, { managedFields });
}
