import { type HeldRevision, lacksSince } from "../core/federation-status.ts";
import type { CommitId, Revision } from "../core/model.ts";
import type { RepositoryReader } from "../ports.ts";
import { createProgress } from "./progress.ts";
import type { Shell } from "./shell.ts";

/** Nobody's federation has more commits. */
const REVISIONS_MAX = 50_000;

/**
 * The revisions that clusters acknowledged, each with since when the branch is ahead of it; null for what is not in the
 * branch's past. One walk from the head serves all of them, as deep as the oldest.
 */
export async function readHeldRevisions(
  repository: RepositoryReader,
  head: Revision,
  applied: ReadonlySet<CommitId>,
  shell: Shell,
): Promise<ReadonlyMap<CommitId, HeldRevision | null>> {
  const seen = await walkTo(repository, head, applied, shell);
  const held = new Map<CommitId, HeldRevision | null>();
  for (const commit of applied) {
    const revision = seen.get(commit);
    if (revision === undefined) {
      held.set(commit, null);
      continue;
    }
    const past = reachable(revision, seen);
    const lacking = [...seen.values()].filter((one) => !past.has(one.commit));
    held.set(commit, { revision, lacksSinceSeconds: lacksSince(lacking, revision) });
  }
  return held;
}

/** Newest first, down to the last one that is wanted. */
async function walkTo(
  repository: RepositoryReader,
  head: Revision,
  applied: ReadonlySet<CommitId>,
  shell: Shell,
): Promise<ReadonlyMap<CommitId, Revision>> {
  const seen = new Map([[head.commit, head]]);
  const wanted = new Set(applied);
  wanted.delete(head.commit);
  if (wanted.size === 0) return seen;
  const progress = createProgress(shell);
  try {
    for await (const revision of repository.history({ from: head.commit, until: null }, REVISIONS_MAX, shell.signal)) {
      seen.set(revision.commit, revision);
      progress.tell(`read ${seen.size} revisions`);
      wanted.delete(revision.commit);
      if (wanted.size === 0) break;
    }
  } finally {
    progress.end();
  }
  return seen;
}

function reachable(from: Revision, seen: ReadonlyMap<CommitId, Revision>): ReadonlySet<CommitId> {
  const found = new Set([from.commit]);
  // A set is walked in the order of insertion, what is added on the way included.
  for (const commit of found) for (const parent of seen.get(commit)?.parents ?? []) found.add(parent);
  return found;
}
