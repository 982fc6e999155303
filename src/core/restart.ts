import { deepEqual, isArray, isObject } from "./json.ts";
import type { CommitId, Json } from "./model.ts";

/** Fields of a GSLBConfig that a running AMKO reads once, when it starts. */
const READ_AT_START: readonly (readonly string[])[] = [
  ["gslbLeader", "credentials"],
  ["gslbLeader", "controllerVersion"],
  ["gslbLeader", "tenant"],
  ["memberClusters"],
  ["refreshInterval"],
  ["useCustomGlobalFqdn"],
];
/** A change of this one makes AMKO restart by itself, and then it reads the others too. */
const RESTARTS_AMKO: readonly string[] = ["gslbLeader", "controllerIP"];

/** Values by field, `spec.memberClusters`; a field that is not set is not there. */
export type FieldValues = Readonly<Record<string, Json>>;

/** What the AMKO of one term in office runs with. */
export interface RestartRecord {
  /** The term: AMKO restarts when a cluster takes office. */
  readonly claim: CommitId;
  /** The StatefulSet's revision that runs; null while nobody knew. */
  readonly revision: string | null;
  /** What AMKO read when it started. */
  readonly loaded: FieldValues;
  /** What the object said when it was last looked at. */
  readonly seen: FieldValues;
}

export interface RestartFacts {
  readonly record: RestartRecord | null;
  readonly claim: CommitId;
  /** Null where the StatefulSet is not there. */
  readonly workload: { readonly revision: string | null; readonly rolledOut: boolean } | null;
  /** `spec` of the cluster's one GSLBConfig; undefined where there is none. */
  readonly spec: Json | undefined;
}

/**
 * What to remember after a look at the object. A roll that is noticed together with a change came before it: a change
 * wakes the agent at once, a roll does not, so AMKO started with what was seen before.
 */
export function noteRestart({ record, claim, workload, spec }: RestartFacts): RestartRecord | null {
  if (spec === undefined) return record?.claim === claim ? record : null;
  const seen = readFields(spec);
  const running = workload?.rolledOut === true ? workload.revision : null;
  if (record === null || record.claim !== claim) {
    return { claim, revision: workload?.revision ?? null, loaded: seen, seen };
  }
  const rolled = running !== null && running !== record.revision;
  // Changed in the middle of a roll: nobody can tell what that one reads, so only the next one counts.
  const during = workload?.rolledOut === false && !deepEqual(record.seen, seen);
  const ip = fieldName(RESTARTS_AMKO);
  const restarts = !deepEqual(record.seen[ip] ?? null, seen[ip] ?? null);
  return {
    claim,
    revision: rolled ? running : during ? workload.revision : record.revision,
    loaded: restarts ? seen : rolled ? record.seen : record.loaded,
    seen,
  };
}

/** The fields that took effect in the object but not in AMKO, as people write them. */
export function restartFields(record: RestartRecord | null): readonly string[] {
  if (record === null) return [];
  return READ_AT_START.map(fieldName).filter((field) => {
    const [loaded, seen] = [record.loaded[field] ?? null, record.seen[field] ?? null];
    return !deepEqual(loaded, seen);
  });
}

/** What a change of a GSLBConfig's spec asks of AMKO: fields that restart it, and fields that wait for a restart by hand. */
export function restartsBetween(
  before: Json,
  after: Json,
): { readonly restarts: readonly string[]; readonly waits: readonly string[] } {
  const [former, next] = [readFields(before), readFields(after)];
  const changed = (path: readonly string[]): readonly string[] => {
    const field = fieldName(path);
    return deepEqual(former[field] ?? null, next[field] ?? null) ? [] : [field];
  };
  const restarts = changed(RESTARTS_AMKO);
  return { restarts, waits: restarts.length > 0 ? [] : READ_AT_START.flatMap(changed) };
}

function readFields(spec: Json): FieldValues {
  const entries = [...READ_AT_START, RESTARTS_AMKO].flatMap((path) => {
    const value = path.reduce<Json | undefined>((found, key) => (isObject(found) ? found[key] : undefined), spec);
    return value === undefined || isZero(value) ? [] : [[fieldName(path), value] as const];
  });
  return Object.fromEntries(entries);
}

/** To a program in Go these are no other than a field that is not set. */
function isZero(value: Json): boolean {
  return value === null || value === false || value === "" || value === 0 || (isArray(value) && value.length === 0);
}

function fieldName(path: readonly string[]): string {
  return ["spec", ...path].join(".");
}
