import { problem } from "./catalogue.ts";
import type { ClusterName, CommitId, Problem } from "./model.ts";

/** What one member's API server said when it was last asked. */
export type MemberReading =
  | {
      readonly kind: "answered";
      /** Its AMKOCluster says `isLeader: true`. */
      readonly leads: boolean;
      /** What it had acknowledged, as far as was known when it was asked; null: nothing. */
      readonly acknowledged: CommitId | null;
    }
  | { readonly kind: "unusable"; readonly reason: string };

/** What a leader learned of its members through their credentials. */
export interface MemberAnswers {
  /** The contexts of the members' kubeconfig, each with why it may not be used; null when there is no kubeconfig. */
  readonly contexts: ReadonlyMap<string, Problem | null> | null;
  /** Why there is a kubeconfig, but none that can be used. */
  readonly unusable: Problem | null;
  /** Of those members that answered or failed to; the others have not been asked to the end yet. */
  readonly readings: ReadonlyMap<ClusterName, MemberReading>;
}

/** The same, judged. Only what stands in `unusable`, `missing` and `conflicts` stops an export. */
export interface MemberFindings {
  readonly unusable: Problem | null;
  /** Members that the kubeconfig does not know. */
  readonly missing: readonly ClusterName[];
  /** Members whose context may not be used, and those that could not be asked, with the reason. */
  readonly refused: readonly Finding[];
  readonly unreachable: readonly Finding[];
  /** Members that lead although they acknowledged that they follow. */
  readonly conflicts: readonly ClusterName[];
}

export interface Finding {
  readonly cluster: ClusterName;
  readonly reason: string;
}

/** Judges what was learned. Null where there are no credentials: then there is nothing to find. */
export function judgeMembers(
  members: readonly ClusterName[],
  { contexts, unusable, readings }: MemberAnswers,
  conflicts: readonly ClusterName[],
): MemberFindings | null {
  if (contexts === null && unusable === null) return null;
  const known = contexts ?? new Map<string, Problem | null>();
  const refused = members.flatMap((cluster) => {
    const cause = known.get(cluster);
    return cause === undefined || cause === null ? [] : [{ cluster, reason: cause.message }];
  });
  const unreachable = members.flatMap((cluster) => {
    const reading = known.get(cluster) === null ? readings.get(cluster) : undefined;
    return reading?.kind === "unusable" ? [{ cluster, reason: reading.reason }] : [];
  });
  const missing = unusable === null ? members.filter((cluster) => !known.has(cluster)) : [];
  return { unusable, missing, refused, unreachable, conflicts };
}

/** Why the leader must not export; null when it may. */
export function stopsExport(findings: MemberFindings | null): Problem | null {
  if (findings === null) return null;
  const { unusable, missing, conflicts } = findings;
  if (unusable !== null) return unusable;
  if (missing.length > 0) {
    return problem("AG5022", `the members' kubeconfig has no context for ${missing.join(", ")}`);
  }
  return conflicts.length === 0 ? null : problem("AG5023", describeConflict(conflicts));
}

/** In AMKO's words. */
export function describeConflict(clusters: readonly ClusterName[]): string {
  return `AMKO in cluster ${clusters.join(", ")} is also a leader, conflicting state`;
}
