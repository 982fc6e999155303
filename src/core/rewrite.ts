import type { CommitId } from "./model.ts";

/** How a tracked branch's head lies to the one that was judged before. */
export type HistoryVerdict =
  | { readonly kind: "goes-on" }
  /** It does not descend from it, and a person said yes to that. */
  | { readonly kind: "accepted" }
  /** `put-back`: the branch stands at an older revision; `rewritten`: somewhere else altogether. */
  | { readonly kind: "halted"; readonly how: "put-back" | "rewritten"; readonly before: CommitId };

export interface HistoryFacts {
  /** The newest head that was judged; null for none. */
  readonly before: CommitId | null;
  readonly head: CommitId;
  /** The head that a person accepted; null for none. */
  readonly accepted: CommitId | null;
}

/** Judges a head, asking how commits lie to each other only as far as the answer needs. */
export async function judgeHistory(
  { before, head, accepted }: HistoryFacts,
  relation: (ancestor: CommitId, descendant: CommitId) => Promise<"same" | "ancestor" | "unrelated">,
): Promise<HistoryVerdict> {
  if (before === null || before === head) return { kind: "goes-on" };
  if ((await relation(before, head)) !== "unrelated") return { kind: "goes-on" };
  // What was built on an accepted head since is accepted with it.
  if (accepted !== null && (await relation(accepted, head)) !== "unrelated") return { kind: "accepted" };
  const isOlder = (await relation(head, before)) === "ancestor";
  return { kind: "halted", how: isOlder ? "put-back" : "rewritten", before };
}
