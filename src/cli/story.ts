import type { CommitId } from "../core/model.ts";
import { refsByCluster } from "../core/refs.ts";
import { createStoryReader, type StoryEntry, type StoryScope } from "../core/story.ts";
import type { RepositoryReader } from "../ports.ts";
import type { Head } from "./head.ts";
import type { Progress } from "./progress.ts";

/** Nobody's federation has more commits. */
const REVISIONS_MAX = 50_000;

/** Reads the story of a branch, newest first, one entry after the other, as far as the caller wants it. */
export async function* readStory(
  repository: RepositoryReader,
  { commit: head, schemas, viewCache: cache }: Pick<Head, "commit" | "schemas" | "viewCache">,
  scope: StoryScope,
  progress: Progress,
  signal: AbortSignal,
): AsyncIterable<StoryEntry> {
  const reader = createStoryReader(head, { schemas, cache, scope });
  let count = 0;
  for await (const revision of repository.history({ from: head, until: null }, REVISIONS_MAX, signal)) {
    count += 1;
    progress.tell(`read ${count} revisions`);
    yield* reader.take(revision);
  }
  yield* reader.end();
}

/** The clusters that say they hold a revision, by its commit. */
export function holders(refs: ReadonlyMap<string, CommitId>): ReadonlyMap<CommitId, readonly string[]> {
  const result = new Map<CommitId, string[]>();
  for (const [cluster, commit] of refsByCluster(refs, "applied")) {
    result.set(commit, [...(result.get(commit) ?? []), cluster]);
  }
  return result;
}
