import { parseCountedRevision } from "../core/counted-revision.ts";
import type { CommitId } from "../core/model.ts";
import { parseCommitId, parseRevision } from "../core/records.ts";
import type { RepositoryReader } from "../ports.ts";

/** Fewer digits name too many commits. */
const ABBREVIATION_MIN = 4;
/** How far back an abbreviated id, or `main~3`, is looked for. */
const COMMITS_MAX = 50_000;

/**
 * The commit that a name stands for, without git's help: the tracked branch, `HEAD`, either with `~3` behind it, one of
 * the branches below the prefix, a revision as messages write it (`main@sha1:…`), a commit id, or the beginning of one.
 */
export async function resolveName(
  repository: RepositoryReader,
  { branch, refPrefix }: { readonly branch: string; readonly refPrefix: string },
  name: string,
  signal: AbortSignal,
): Promise<CommitId | null> {
  const exact = parseCommitId(name) ?? parseRevision(name);
  if (exact !== null) return exact;
  const { head, refs } = await repository.list("all", signal);
  const below = refs?.get(name.startsWith(`${refPrefix}/`) ? name.slice(refPrefix.length + 1) : name);
  if (below !== undefined) return below;
  if (head === null) return null;
  const counted = parseCountedRevision(name);
  if (counted !== null && ["HEAD", branch, `origin/${branch}`].includes(counted.base)) {
    return await ancestor(repository, head, counted.steps, signal);
  }
  if (!/^[0-9a-f]+$/.test(name) || name.length < ABBREVIATION_MIN) return null;
  return await abbreviated(repository, head, name, signal);
}

/** The first parent of the first parent, and so on; null where there are not so many. */
async function ancestor(
  repository: RepositoryReader,
  head: CommitId,
  steps: number,
  signal: AbortSignal,
): Promise<CommitId | null> {
  if (steps > COMMITS_MAX) return null;
  let at: CommitId | undefined = head;
  for (let step = 0; step < steps && at !== undefined; step += 1) {
    const { parents } = await repository.read(at, signal);
    at = parents[0];
  }
  return at ?? null;
}

/** Null where none, or more than one, begins so. */
async function abbreviated(
  repository: RepositoryReader,
  head: CommitId,
  start: string,
  signal: AbortSignal,
): Promise<CommitId | null> {
  const found = new Set<CommitId>();
  for await (const { commit } of repository.history({ from: head, until: null }, COMMITS_MAX, signal)) {
    if (commit.startsWith(start)) found.add(commit);
  }
  const [only = null] = found;
  return found.size === 1 ? only : null;
}
