import type { CommitId } from "./model.ts";

/** Where a cluster stands, by its own refs: what it said last about what it holds. */
export type ClusterStanding =
  | { readonly kind: "holds"; readonly applied: CommitId }
  | { readonly kind: "behind"; readonly applied: CommitId }
  /** `reason` is the cluster's own word. */
  | { readonly kind: "failing"; readonly applied: CommitId | null; readonly reason: string }
  /** It never acknowledged anything: no agent runs there, or it may not push. */
  | { readonly kind: "unreported" };

/** In a few words, for tables. */
export function describeStanding(standing: ClusterStanding): string {
  switch (standing.kind) {
    case "holds":
      return "up to date";
    case "behind":
      return `behind, at ${standing.applied.slice(0, 8)}`;
    case "failing":
      return `cannot apply: ${standing.reason}`;
    case "unreported":
      return "never reported";
    default:
      return standing satisfies never;
  }
}
