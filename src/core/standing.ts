import { differingKinds } from "./kind-files.ts";
import { type CommitId, FEDERATED_KINDS, type FederatedKind, type Revision } from "./model.ts";

/** Where a cluster stands, by its own refs: what it said last about what it holds. */
export type ClusterStanding =
  | { readonly kind: "holds"; readonly applied: CommitId }
  | { readonly kind: "behind"; readonly applied: CommitId; readonly lacks: readonly FederatedKind[] }
  /** `reason` is the cluster's own word. */
  | { readonly kind: "failing"; readonly applied: CommitId | null; readonly reason: string }
  /** It never acknowledged anything: no agent runs there, or it may not push. */
  | { readonly kind: "unreported" };

/** What a cluster's own refs say. */
export interface ClusterWord {
  readonly applied: CommitId | null;
  /** What it acknowledged; null where that is not in the head's past. */
  readonly held: Revision | null;
  /** Why it cannot apply; null where it can. */
  readonly failure: string | null;
}

/** A cluster holds a kind when what it acknowledged has the same files of it, as the agents count it. */
export function standingAt(head: Revision, { applied, held, failure }: ClusterWord): ClusterStanding {
  if (failure !== null) return { kind: "failing", applied, reason: failure };
  if (applied === null) return { kind: "unreported" };
  const lacks = held === null ? FEDERATED_KINDS : differingKinds(held, head);
  return lacks.length === 0 ? { kind: "holds", applied } : { kind: "behind", applied, lacks };
}

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
