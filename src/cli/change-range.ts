import type { CommitId, Revision } from "../core/model.ts";
import { FederationError } from "../errors.ts";
import type { OpenRepository } from "./house.ts";

/** What one revision adds to another's past. */
export interface ChangeRange {
  /** The newest revision that both have in common. */
  readonly base: Revision;
  /** What the change adds since then, newest first. */
  readonly commits: readonly Revision[];
}

/** More commits than this are no change that people review. */
const CHANGE_COMMITS_MAX = 2000;

/**
 * Finds what `head` adds since it parted from `onto`, however often that was merged into it meanwhile.
 * @throws FederationError AG4009 when the two have no past in common
 */
export async function readChangeRange(
  repository: OpenRepository,
  onto: CommitId,
  head: CommitId,
  signal: AbortSignal,
): Promise<ChangeRange> {
  const commits: Revision[] = [];
  const open = new Set<CommitId>([head]);
  let base: Revision | null = null;
  for await (const revision of repository.history({ from: head, until: null }, CHANGE_COMMITS_MAX, signal)) {
    // What stands only in the common past is not asked about again.
    if (!open.delete(revision.commit)) continue;
    if ((await repository.relation(revision.commit, onto, signal)) === "unrelated") {
      commits.push(revision);
      for (const parent of revision.parents) open.add(parent);
    } else base ??= revision;
    if (open.size === 0) break;
  }
  if (base !== null && open.size === 0) return { base, commits };
  const [from, to] = [head.slice(0, 8), onto.slice(0, 8)];
  throw new FederationError("AG4009", `${from} and ${to} have no past in common, or it is too far away`, {
    remedy: "Give --base the branch that the change is to be merged into, and fetch its whole history.",
  });
}
