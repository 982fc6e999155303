import type { CommitId } from "../core/model.ts";
import { FederationError, hasCode } from "../errors.ts";
import type { HistoryRange } from "../ports.ts";
import { newestFirst, pastOf, resolveRange } from "./ancestry.ts";
import type { Clone, Clones } from "./clone.ts";
import type { Commit } from "./commit.ts";
import { createLru } from "./lru.ts";

/** Nobody's federation has this many commits; a repository that has is not one of its own. */
export const PAST_COMMITS_MAX = 50_000;

const EVERYTHING_COMMITS = 0x7fffffff;
/** Growing steps: most questions are about the last few commits, and the last step brings everything. */
const SMALL_STEPS_COMMITS = [64, 256, 1024, 4096, EVERYTHING_COMMITS] as const;
/** Steps of who asks a few questions and is gone: each step takes the server and us longer than what it may save. */
const LARGE_STEPS_COMMITS = [64, EVERYTHING_COMMITS] as const;

/** Commits are small and never change, so the ones that were read last, some 4,000, outlive a renewed clone. */
const COMMIT_CACHE_MAX_BYTES = 4 * 1024 * 1024;
/** What a short commit takes on the heap beside its message. */
const COMMIT_OVERHEAD_BYTES = 700;

/** Questions about what came before a commit, answered with no more of the past than they need. */
export interface PastReader {
  relation(ancestor: CommitId, descendant: CommitId, signal: AbortSignal): Promise<"same" | "ancestor" | "unrelated">;
  /** The ids of a range in order, each with a clone that holds it wholly. */
  walk(range: HistoryRange, signal: AbortSignal): AsyncGenerator<{ readonly id: CommitId; readonly clone: Clone }>;
}

export function createPastReader(clones: Clones, { readAhead }: { readonly readAhead: boolean }): PastReader {
  const steps = readAhead ? LARGE_STEPS_COMMITS : SMALL_STEPS_COMMITS;
  const cache = createLru<CommitId, Commit>({
    weightMax: COMMIT_CACHE_MAX_BYTES,
    weigh: ({ message }) => message.length + COMMIT_OVERHEAD_BYTES,
  });
  const readFrom = (clone: Clone) => (id: CommitId) => readCommit(clone, id);
  const readAnywhere = (clone: Clone) => async (id: CommitId) => {
    const known = cache.get(id) ?? (await readCommit(clone, id));
    if (known !== null) cache.set(id, known);
    return known;
  };

  return {
    async relation(ancestor, descendant, signal) {
      if (ancestor === descendant) return "same";
      const clone = await clones.holding(descendant, "recent", signal).catch(unlessGone);
      if (clone === null) return "unrelated";
      const graph = new Map<CommitId, Commit>();
      for await (const _ of deepening({ clones, clone, from: descendant, steps }, signal)) {
        const isComplete = await explore({ graph, start: descendant, read: readAnywhere(clone), stopAt: ancestor });
        if (graph.has(ancestor)) return "ancestor";
        if (isComplete) return "unrelated";
      }
      throw endsTooEarly(ancestor);
    },
    async *walk(range, signal) {
      if (range.from === range.until) return;
      const clone = await clones.holding(range.from, "recent", signal);
      const graph = new Map<CommitId, Commit>();
      const done = new Set<CommitId>();
      for await (const _ of deepening({ clones, clone, from: range.from, steps }, signal)) {
        await explore({ graph, start: range.from, read: readFrom(clone), stopAt: null });
        const verdict = resolveRange(graph, range);
        if (verdict.kind === "outside") throw endsTooEarly(range.until);
        if (verdict.kind === "deepen") continue;
        for (const id of newestFirst(graph, verdict.commits, done)) {
          yield { id, clone };
          done.add(id);
        }
        if (done.size === verdict.commits.size && verdict.missing.size === 0) return;
      }
      throw endsTooEarly(range.until);
    },
  };
}

interface Deepening {
  readonly clones: Clones;
  readonly clone: Clone;
  readonly from: CommitId;
  readonly steps: readonly number[];
}

/** Yields once for what is here, then again each time more of the past has come. */
async function* deepening({ clones, clone, from, steps }: Deepening, signal: AbortSignal): AsyncGenerator<void> {
  let knownUses = clone.uses;
  yield;
  for (let step = 0; ; ) {
    const commits = steps[step];
    if (commits === undefined) return;
    const outcome = await clones.deepen(clone, { from, commits, knownUses }, signal);
    knownUses = clone.uses;
    if (outcome !== "others") step += 1;
    if (outcome !== "none") yield;
  }
}

interface Exploration {
  readonly graph: Map<CommitId, Commit>;
  readonly start: CommitId;
  readonly read: (id: CommitId) => Promise<Commit | null>;
  /** Need not be looked behind. */
  readonly stopAt: CommitId | null;
}

/** Adds to `graph` what can be reached from `start`, nearest first. True when all of it is here. */
async function explore({ graph, start, read, stopAt }: Exploration): Promise<boolean> {
  const pending = [...pastOf(graph, start).missing];
  let isComplete = true;
  // The array grows while it is walked: breadth first, so that a near ancestor is found without reading far.
  for (const id of pending) {
    if (graph.has(id)) continue;
    const commit = await read(id);
    if (commit === null) {
      isComplete = false;
      continue;
    }
    graph.set(id, commit);
    if (id === stopAt) return isComplete;
    if (graph.size > PAST_COMMITS_MAX) {
      throw new FederationError("AG2012", `the history is longer than ${PAST_COMMITS_MAX} commits`, {
        remedy: "Keep the federation in a repository of its own, or begin a new one with amko-gitops init.",
      });
    }
    pending.push(...commit.parents);
  }
  return isComplete;
}

async function readCommit({ store }: Clone, id: CommitId): Promise<Commit | null> {
  return store.has(id) ? await store.readCommit(id) : null;
}

function unlessGone(error: unknown): null {
  if (hasCode(error, "AG2012")) return null;
  throw error;
}

function endsTooEarly(wanted: CommitId | null): FederationError {
  const what = wanted === null ? "its first commit" : wanted;
  return new FederationError("AG2012", `the history that the git server gives ends before ${what}`);
}
