import type { ClusterName, CommitId, Revision } from "../core/model.ts";
import type { Designation } from "../core/role.ts";
import { evaluate } from "../core/view.ts";
import { hasCode } from "../errors.ts";
import type { Branch, Context, Local, Memory } from "./context.ts";

/** So much of the branch's past is looked at; a claim that is older than this counts as forgotten. */
const TERM_MAX_REVISIONS = 500;

/**
 * A claim belongs to one designation. Where the branch named anybody else since it was made, also while this agent could
 * not read it, it is forgotten, and the wait starts anew: whoever led in between must be given the time to read.
 */
export async function keepClaim(
  context: Context,
  branch: Branch,
  { self }: Local,
  memory: Memory,
  designation: Designation,
): Promise<Memory> {
  const { claim } = memory;
  if (designation !== "leader" || claim?.head === undefined || claim.head === branch.head) return memory;
  const isSame = await ledAllAlong(context, self, branch.head, claim.head);
  return { ...memory, claim: isSame ? { ...claim, head: branch.head } : null };
}

/**
 * Whether each revision of the branch after one head, up to the other, named this cluster: what stood on merged branches
 * never counted. False where that cannot be known.
 */
export async function ledAllAlong(
  { repository, schemas, viewCache, signal }: Context,
  self: ClusterName,
  from: CommitId,
  until: CommitId,
): Promise<boolean> {
  const between = new Map<CommitId, Revision>();
  try {
    for await (const revision of repository.history({ from, until }, TERM_MAX_REVISIONS, signal)) {
      between.set(revision.commit, revision);
    }
  } catch (error) {
    // The branch was rewritten: who led in between cannot be known.
    if (hasCode(error, "AG2012")) return false;
    throw error;
  }
  if (between.size === TERM_MAX_REVISIONS) return false;
  let next = between.get(from);
  while (next !== undefined) {
    const { leadership } = evaluate(next.files, schemas, viewCache);
    if (leadership.kind !== "leader" || leadership.cluster !== self) return false;
    const [parent] = next.parents;
    next = parent === undefined ? undefined : between.get(parent);
  }
  return true;
}
