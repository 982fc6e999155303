import { CATALOGUE } from "./catalogue.ts";
import { deepEqual, isObject } from "./json.ts";
import { describeConflict, type Finding, type MemberFindings } from "./members.ts";
import type { ClusterName, FederatedKind, Json, LiveObject, Member, Problem } from "./model.ts";
import type { Role } from "./role.ts";

/** One entry of an AMKOCluster's `status.conditions`: three free strings, as AMKO has them. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
}

/** Where one member stands with one kind. `late`: behind for longer than `--stale-after`. */
export type Progress = "holds" | "behind" | "late" | "failed";

export interface MemberProgress {
  readonly cluster: ClusterName;
  readonly progress: Readonly<Record<FederatedKind, Progress>>;
}

/** Whether this cluster holds what the newest revision says. */
export type Synced =
  | { readonly kind: "yes"; readonly revision: string; readonly advice: string | null }
  | { readonly kind: "no"; readonly cause: string }
  | { readonly kind: "unknown"; readonly cause: string };

export interface StatusFacts {
  readonly role: Role;
  readonly synced: Synced;
  /** Of the valid members; empty unless this cluster leads. */
  readonly members: readonly MemberProgress[];
  /** Why a kind could not be exported; null where it could. */
  readonly exportProblems: Readonly<Record<FederatedKind, Problem | null>>;
  /** Kinds whose change waits for people to merge it. */
  readonly pendingKinds: readonly FederatedKind[];
  /** What the members' credentials brought to light; null where there are none. */
  readonly findings?: MemberFindings | null;
  /** Fields of the GSLBConfig that AMKO here reads only when it is restarted. */
  readonly restartFields?: readonly string[];
}

const VALIDATION = "current AMKOCluster Validation";
const INITIALISATION = "member cluster initialisation";
const MEMBER_VALIDATION = "member cluster validation";
const FEDERATION: Readonly<Record<FederatedKind, string>> = {
  GSLBConfig: "GSLBConfig Federation",
  GlobalDeploymentPolicy: "GDP Federation",
};
const RESTART = "Restart Required";
const SYNCED = "Synced";
const OUR_TYPES: readonly string[] = [
  VALIDATION,
  INITIALISATION,
  MEMBER_VALIDATION,
  ...Object.values(FEDERATION),
  RESTART,
  SYNCED,
];

const INVALID_CODES: ReadonlySet<string> = new Set(["AG1010", "AG1018", "AG1019", "AG5004", "AG5010"]);
const CONFLICT_CODE = "AG5002";

/** The conditions of one AMKOCluster, in AMKO's words where it has words. */
export function describeStatus(facts: StatusFacts): readonly Condition[] {
  switch (facts.role.kind) {
    case "lead":
      return [...leaderConditions(facts, facts.role.members), syncedCondition(facts.synced)];
    case "follow":
      return [
        { type: VALIDATION, status: "won't federate objects", reason: "AMKO not a leader" },
        syncedCondition(facts.synced),
      ];
    case "hold":
      return [...heldConditions(facts.role.problem), syncedCondition(facts.synced)];
    default:
      return facts.role satisfies never;
  }
}

/** Nothing is known about the cluster's place in the federation: everything else that was said stays. */
export function describeUnknown(cause: string): readonly Condition[] {
  return [syncedCondition({ kind: "unknown", cause })];
}

/** The types that a partial report (`describeUnknown`) sets; it leaves all others. */
export const PARTIAL_TYPES: readonly string[] = [SYNCED];

/** The conditions to write, or null when they already say that. Conditions of others stay. */
export function updateConditions(
  object: LiveObject,
  wanted: readonly Condition[],
  types: readonly string[] = OUR_TYPES,
): readonly Json[] | null {
  const status = isObject(object.status) ? object.status["conditions"] : undefined;
  const present = Array.isArray(status) ? (status as readonly Json[]) : [];
  const others = present.filter((entry) => !(isObject(entry) && types.includes(String(entry["type"]))));
  const next = [...others, ...wanted.map((condition) => ({ ...condition }))];
  return deepEqual(next, present) ? null : next;
}

function leaderConditions(facts: StatusFacts, members: readonly Member[]): readonly Condition[] {
  const excluded = members.flatMap(({ cluster, problem }) =>
    problem === null ? [] : [{ cluster, reason: problem.message }],
  );
  const findings = facts.findings ?? null;
  return [
    { type: VALIDATION, status: "valid AMKOCluster object", reason: "" },
    initialisationCondition(findings, members.length),
    validationCondition(findings, excluded, members.length),
    federationCondition("GSLBConfig", facts, excluded.map(describeFinding)),
    federationCondition("GlobalDeploymentPolicy", facts, excluded.map(describeFinding)),
    ...restartCondition(facts.restartFields ?? []),
  ];
}

/** Whether each member's client could be made from the members' kubeconfig. */
function initialisationCondition(findings: MemberFindings | null, members: number): Condition {
  const type = INITIALISATION;
  if (findings?.unusable != null) {
    const { message, remedy } = findings.unusable;
    return { type, status: "member cluster clients invalid", reason: `${message} ${remedy}` };
  }
  const missing = findings?.missing ?? [];
  const unfetched = [
    ...missing.map((cluster) => ({ cluster, reason: "no context in the members' kubeconfig" })),
    ...(findings?.refused ?? []),
  ];
  if (unfetched.length === 0) return { type, status: "all cluster clients fetched", reason: "" };
  const remedy = missing.length === 0 ? CATALOGUE.AG4007.remedy : CATALOGUE.AG5022.remedy;
  const reason = `${unfetched.map(describeFinding).join("; ")}. ${remedy}`;
  const all = unfetched.length === members;
  return {
    type,
    status: all ? "member cluster clients invalid" : "some member cluster clients couldn't be fetched",
    reason,
  };
}

function validationCondition(
  findings: MemberFindings | null,
  excluded: readonly Finding[],
  members: number,
): Condition {
  const type = MEMBER_VALIDATION;
  const conflicts = findings?.conflicts ?? [];
  if (conflicts.length > 0) {
    return { type, status: "member cluster clients invalid", reason: describeConflict(conflicts) };
  }
  const failed = [...excluded, ...(findings?.unreachable ?? [])];
  if (failed.length === 0) return { type, status: "validated all member clusters", reason: "" };
  const reason = failed.map(describeFinding).join("; ");
  const none = excluded.length > 0 && excluded.length === members;
  return { type, status: none ? "member cluster clients invalid" : "error in validating some member clusters", reason };
}

function describeFinding({ cluster, reason }: Finding): string {
  return `${cluster}: ${reason}`;
}

function restartCondition(fields: readonly string[]): readonly Condition[] {
  if (fields.length === 0) return [];
  const reason = `AMKO reads ${fields.join(", ")} of the GSLBConfig only when it starts: run kubectl -n avi-system rollout restart statefulset amko`;
  return [{ type: RESTART, status: "True", reason }];
}

function federationCondition(kind: FederatedKind, facts: StatusFacts, excluded: readonly string[]): Condition {
  const type = FEDERATION[kind];
  const exportProblem = facts.exportProblems[kind];
  if (exportProblem !== null) {
    return { type, status: "failure in federation", reason: `${exportProblem.message}. ${exportProblem.remedy}` };
  }
  if (facts.pendingKinds.includes(kind)) {
    return { type, status: "federating", reason: "a proposal waits to be merged" };
  }
  const of = (...wanted: readonly Progress[]): readonly string[] =>
    facts.members.filter(({ progress }) => wanted.includes(progress[kind])).map(({ cluster }) => cluster);
  const failed = [
    ...of("failed").map((cluster) => `${cluster}: could not apply it, see amko/failed`),
    ...of("late").map(describeLate),
    ...excluded,
  ];
  if (failed.length > 0) {
    const all = failed.length === facts.members.length + excluded.length;
    return {
      type,
      status: all ? "failure in federation" : "error in federating to some clusters",
      reason: failed.join("; "),
    };
  }
  const behind = of("behind");
  if (behind.length > 0) return { type, status: "federating", reason: `waiting for ${behind.join(", ")}` };
  return { type, status: "federated to all valid clusters successfully", reason: "" };
}

function describeLate(cluster: string): string {
  return `${cluster}: has not confirmed it in time`;
}

/** Whether the status calls a member late already: an agent that has not watched it for as long believes that. */
export function saysLate({ status }: LiveObject, cluster: ClusterName): boolean {
  const conditions = isObject(status) ? status["conditions"] : undefined;
  const entries = Array.isArray(conditions) ? (conditions as readonly Json[]).filter(isObject) : [];
  const text = describeLate(cluster);
  return entries.some(({ reason }) => typeof reason === "string" && reason.split("; ").includes(text));
}

function heldConditions(problem: Problem): readonly Condition[] {
  const reason = `${problem.message}. ${problem.remedy}`;
  if (INVALID_CODES.has(problem.code)) return [{ type: VALIDATION, status: "invalid AMKOCluster object", reason }];
  if (problem.code === CONFLICT_CODE) {
    return [{ type: MEMBER_VALIDATION, status: "member cluster clients invalid", reason }];
  }
  return [{ type: VALIDATION, status: "won't federate objects", reason }];
}

function syncedCondition(synced: Synced): Condition {
  switch (synced.kind) {
    case "yes":
      return {
        type: SYNCED,
        status: "True",
        reason: synced.advice === null ? synced.revision : `${synced.revision}; ${synced.advice}`,
      };
    case "no":
      return { type: SYNCED, status: "False", reason: synced.cause };
    case "unknown":
      return { type: SYNCED, status: "Unknown", reason: synced.cause };
    default:
      return synced satisfies never;
  }
}
