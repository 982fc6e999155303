import type { CommitPlan } from "../core/commit-plan.ts";
import { isAllThatChanged } from "../core/file-changes.ts";
import { FederationError, hasCode } from "../errors.ts";
import type { CommitAuthor } from "../ports.ts";
import type { Calling, Planned, PushOutcome } from "./commit.ts";

/** Where a plan goes, and as what. */
export interface Push {
  /** The ref of the proposal below the prefix; null pushes to the tracked branch. */
  readonly proposal: string | null;
  readonly message: string;
  readonly author: CommitAuthor;
}

/**
 * Pushes a plan: compare-and-swap on the tracked branch, or a proposal where none stands. A proposal that is somebody
 * else's is not overwritten, unless it says the very same.
 * @throws FederationError AG2003 or AG2011 when something moved, AG5017 when another proposal stands there
 */
export async function pushPlan(
  { given, shell, repository }: Calling,
  { head, plan }: Planned<CommitPlan>,
  { proposal, message, author }: Push,
): Promise<PushOutcome> {
  const request = { message, author, parent: head.commit, changes: plan.changes };
  if (proposal === null) {
    const made = await repository.publish(request, shell.signal).catch(refusedToPeople);
    return { outcome: "committed", commit: made, branch: given.place().branch };
  }
  const branch = `${given.place().refPrefix}/${proposal}`;
  const standing = head.refs.get(proposal) ?? null;
  if (standing !== null) {
    const { parents, files } = await repository.read(standing, shell.signal);
    const isOnHead = parents.length === 1 && parents[0] === head.commit;
    if (isOnHead && isAllThatChanged(plan.changes, head.revision.files, files)) {
      return { outcome: "standing", commit: standing, branch };
    }
    throw new FederationError("AG5017", `${branch} holds another proposal, ${standing.slice(0, 8)}`, {
      remedy: "Merge that branch, or delete it when nobody wants it any more; then try again.",
    });
  }
  const made = await repository.propose({ ...request, ref: proposal, expected: null }, shell.signal);
  return { outcome: "proposed", commit: made, branch };
}

/** What the catalogue advises is for an agent. A branch that is protected wants a review. */
function refusedToPeople(error: unknown): never {
  if (!hasCode(error, "AG2004", "AG2013")) throw error;
  const remedy = "Add --propose to push it to a branch that is reviewed and merged, or get the right to push here.";
  throw new FederationError(error.code, error.message, { cause: error, remedy });
}
