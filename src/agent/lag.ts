import { lacksSince } from "../core/federation-status.ts";
import type { CommitId, Revision } from "../core/model.ts";
import { clusterRef } from "../core/refs.ts";
import { asFederationError } from "../errors.ts";
import type { Branch, Context, Memory, Result } from "./context.ts";

/** A cluster that lacks more than these is far behind; how far exactly helps nobody. */
const LACKING_MAX_REVISIONS = 100;

/**
 * Completes what a pass found out by since when its cluster lacks something: the committer date of the oldest revision
 * that it does not hold. Looked up once for what it holds, so that a cluster that stays behind costs nothing more.
 */
export async function withLag(context: Context, branch: Branch, result: Result): Promise<Result> {
  const { stance, state, memory } = result;
  if (stance === null || state === "working") return result;
  if (stance.lacksSinceSeconds !== undefined) return { ...result, memory: { ...memory, lag: null } };
  const after = memory.held ?? acknowledged(memory);
  const known = memory.lag?.after === after ? memory.lag.sinceSeconds : null;
  const sinceSeconds = known ?? (await findLag(context, branch, after, result));
  const lag = sinceSeconds === null ? null : { after, sinceSeconds };
  return { ...result, memory: { ...memory, lag }, stance: { ...stance, lacksSinceSeconds: sinceSeconds } };
}

function acknowledged({ self, refs }: Memory): CommitId | null {
  return (self === null ? null : refs?.get(clusterRef("applied", self))) ?? null;
}

/** Null where nothing is lacking. Where git does not say, the newest revision's date: it is that late at least. */
async function findLag(
  { repository, log, signal }: Context,
  { head, revision }: Branch,
  after: CommitId | null,
  { error }: Result,
): Promise<number | null> {
  if (after === head) return null;
  const atLeast = revision.committedAtSeconds;
  if (after === null || error?.code.startsWith("AG2")) return atLeast;
  try {
    if ((await repository.relation(after, head, signal)) !== "ancestor") return atLeast;
    const lacking: Revision[] = [];
    for await (const one of repository.history({ from: head, until: after }, LACKING_MAX_REVISIONS, signal)) {
      lacking.push(one);
    }
    return lacksSince(lacking, await repository.read(after, signal));
  } catch (failure) {
    const { code, message } = asFederationError(failure);
    log("debug", "how far the cluster is behind could not be read", { code, cause: message });
    return atLeast;
  }
}
