import type { CommitId } from "../core/model.ts";
import { FederationError, hasCode } from "../errors.ts";
import { createObjectStore, type ObjectStore } from "./object-store.ts";
import type { Remote } from "./remote.ts";

/**
 * A copy of as much of the repository as was needed so far, in memory. `shallows` are the commits that are here
 * without their parents, `tips` the commits that were fetched or pushed, which the next fetch builds on.
 */
export interface Clone {
  readonly store: ObjectStore;
  readonly shallows: Set<CommitId>;
  readonly tips: CommitId[];
  /** Fetches and commits of our own so far; each leaves something behind. */
  uses: number;
}

export interface Clones {
  /**
   * A clone that holds `commit`. `alone` fetches nothing of its past, for the small commits that refs point to.
   * @throws FederationError AG2012 when the server does not hand out the commit.
   */
  holding(commit: CommitId, depth: "recent" | "alone", signal: AbortSignal): Promise<Clone>;
  /**
   * Brings the newest `commits` of the past of `from` into the clone: `none` when all of them were here. `others` when
   * somebody else brought something since the clone had `knownUses`: it may do, and nothing was asked for.
   */
  deepen(
    clone: Clone,
    wish: { readonly from: CommitId; readonly commits: number; readonly knownUses: number },
    signal: AbortSignal,
  ): Promise<"more" | "none" | "others">;
  /**
   * Commits that were just listed, for a caller who will want most of them: when one that is not here is asked for, all
   * of them come in one go. An agent, which reads few of them, does not say this.
   */
  expect(commits: Iterable<CommitId>): void;
}

/**
 * Packs pile up with every fetch and are never merged, so reads get slower and memory grows. After this many fetches
 * and commits the clone is replaced by a new one of depth 1; what it no longer knows of the past is fetched when it is
 * asked for.
 */
export const USES_PER_CLONE = 50;

/**
 * How much of the past a later fetch brings along. Unlimited, the merge of a branch that was started before the clone
 * would bring the whole history; 1, two commits between polls would cost another request.
 */
const RECENT_COMMITS = 8;

/** Commits that are told to the server as being here; the newest are the ones that save bytes. */
const HAVES_MAX = 32;

/** Commits that are asked for in one go. Each is 50 bytes of the request; servers take at least a megabyte. */
const WANTS_MAX = 10_000;

export function createClones(remote: Remote): Clones {
  let current: Clone | null = null;
  let expected: ReadonlySet<CommitId> = new Set();
  const inTurn = createTurns();

  async function fetchCommit(commit: CommitId, depth: "recent" | "alone", signal: AbortSignal): Promise<Clone> {
    const clone = isWorn(current) ? await emptyClone() : current;
    const commits = depth === "alone" || clone.tips.length === 0 ? 1 : RECENT_COMMITS;
    const fetch = { remote, clone, depth: commits };
    if (!(await fetchExpected(fetch, commit, signal))) await fetchOne(fetch, commit, signal);
    if (!clone.store.has(commit)) throw new FederationError("AG2008", `the git server did not send commit ${commit}`);
    return clone;
  }

  /** Fetches `commit` with everything that is expected. False when there is nothing else, or not all of it is to be had. */
  async function fetchExpected(fetch: Omit<Fetch, "wants">, commit: CommitId, signal: AbortSignal): Promise<boolean> {
    const others = [...expected].filter((id) => id !== commit && !fetch.clone.store.has(id)).slice(0, WANTS_MAX - 1);
    if (others.length === 0) return false;
    const refusal = await fetchInto({ ...fetch, wants: [...others, commit] }, signal).catch(tooMuch);
    // One that has gone since it was listed would spoil it for the others again and again.
    if (refusal !== null) expected = new Set();
    return refusal === null;
  }

  /** A transport failure leaves the clone as it was. What else went wrong may have damaged it. */
  async function orStartAnew<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isRemoteFailure(error)) current = null;
      throw error;
    }
  }

  return {
    holding(commit, depth, signal) {
      if (!isWorn(current) && current.store.has(commit)) return Promise.resolve(current);
      return inTurn(async () => {
        if (!isWorn(current) && current.store.has(commit)) return current;
        current = await orStartAnew(() => fetchCommit(commit, depth, signal));
        return current;
      });
    },
    deepen(clone, { from, commits, knownUses }, signal) {
      return inTurn(async () => {
        if (clone.uses !== knownUses) return "others";
        if (clone.shallows.size === 0) return "none";
        const before = new Set(clone.shallows);
        await orStartAnew(() => fetchOne({ remote, clone, depth: commits }, from, signal));
        return before.symmetricDifference(clone.shallows).size === 0 ? "none" : "more";
      });
    },
    expect(commits) {
      expected = new Set(commits);
    },
  };
}

interface Fetch {
  readonly remote: Remote;
  readonly clone: Clone;
  /** The one that matters most stands last. */
  readonly wants: readonly CommitId[];
  readonly depth: number;
}

async function fetchOne(fetch: Omit<Fetch, "wants">, want: CommitId, signal: AbortSignal): Promise<void> {
  const refusal = await fetchInto({ ...fetch, wants: [want] }, signal);
  if (refusal !== null) throw await explainRefusal(fetch.remote, want, refusal, signal);
}

/** Null when everything came; the server's words when it refuses one of the commits, which one they need not say. */
async function fetchInto({ remote, clone, wants, depth }: Fetch, signal: AbortSignal): Promise<string | null> {
  const haves = clone.tips.slice(-HAVES_MAX);
  const answer = await remote.fetch({ wants, haves, shallows: [...clone.shallows], depth }, signal);
  if (answer.kind === "refused") return answer.words;
  await clone.store.addPack(answer.pack);
  clone.uses += 1;
  for (const want of wants) noteTip(clone, want);
  for (const id of answer.shallows) clone.shallows.add(id);
  for (const id of clone.shallows) {
    if (await hasAllParents(clone.store, id)) clone.shallows.delete(id);
  }
  return null;
}

/** What is too much together may still come one by one. */
function tooMuch(error: unknown): string {
  if (hasCode(error, "AG2009")) return "too much at once";
  throw error;
}

/**
 * A refusal's words do not say whether the commit is gone or the server is unwell, and much hangs on it: what is gone
 * was rewritten. A commit that a branch points to cannot be gone.
 */
async function explainRefusal(
  remote: Remote,
  want: CommitId,
  words: string,
  signal: AbortSignal,
): Promise<FederationError> {
  const refs = await remote.listRefs(["refs/heads/"], signal);
  const code = [...refs.values()].includes(want) ? "AG2008" : "AG2012";
  return new FederationError(code, `the git server does not hand out commit ${want}: ${words}`);
}

/** Remembers that the server has `commit` and that it is here, fetched or of our own making. */
export function noteTip(clone: Clone, commit: CommitId): void {
  const known = clone.tips.indexOf(commit);
  if (known >= 0) clone.tips.splice(known, 1);
  clone.tips.push(commit);
}

async function hasAllParents(store: ObjectStore, id: CommitId): Promise<boolean> {
  if (!store.has(id)) return true;
  const { parents } = await store.readCommit(id);
  return parents.every((parent) => store.has(parent));
}

async function emptyClone(): Promise<Clone> {
  return { store: await createObjectStore(), shallows: new Set(), tips: [], uses: 0 };
}

function isWorn(clone: Clone | null): clone is null {
  return clone === null || clone.uses >= USES_PER_CLONE;
}

function isRemoteFailure(error: unknown): boolean {
  return error instanceof FederationError && error.code !== "AG2008" && error.code !== "AG9001";
}

/**
 * Runs one at a time, in order: two fetches into one clone would each ask for what the other is about to bring. Where
 * the server is away, those that waited for their turn fail with the one that met it: each would hang as long again.
 */
function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  let issued = 0;
  let outage: { readonly lastTicket: number; readonly error: unknown } | null = null;
  return (work) => {
    issued += 1;
    const ticket = issued;
    const mine = last.then(async () => {
      if (outage !== null && ticket <= outage.lastTicket) throw outage.error;
      return await work();
    });
    last = mine.catch((error: unknown) => {
      if (hasCode(error, "AG2001", "AG2010")) outage = { lastTicket: issued, error };
    });
    return mine;
  };
}
