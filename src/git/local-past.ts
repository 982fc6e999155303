import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { CommitId } from "../core/model.ts";
import { FederationError, hasCode } from "../errors.ts";
import type { HistoryRange } from "../ports.ts";
import { resolveRange } from "./ancestry.ts";
import type { Commit } from "./commit.ts";
import type { GitProgram } from "./git-program.ts";
import type { LocalObjects } from "./local-objects.ts";
import { PAST_COMMITS_MAX } from "./past.ts";
import { serverWords } from "./words.ts";

/** Questions about what came before a commit, put to git itself. */
export interface LocalPast {
  relation(ancestor: CommitId, descendant: CommitId, signal: AbortSignal): Promise<"same" | "ancestor" | "unrelated">;
  /**
   * The ids of a range, newest first, at most `limit`, and whether the clone breaks off within it.
   * @throws FederationError AG2012 when `until` is not in the past of `from`, AG2014 when a shallow clone cannot tell.
   */
  range(range: HistoryRange, limit: number, signal: AbortSignal): Promise<LocalRange>;
  /** Whether the past of `to` has a beginning that the past of `from` has not. */
  bringsRoot(from: CommitId, to: CommitId, signal: AbortSignal): Promise<boolean>;
}

export interface LocalRange {
  readonly ids: readonly CommitId[];
  readonly breaksOff: boolean;
}

export interface LocalPastSettings {
  readonly git: GitProgram;
  /** The folder that git's answers are relative to. */
  readonly directory: string;
  readonly objects: LocalObjects;
  /** Brings a commit here. @throws FederationError AG2012 when there is none. */
  readonly hold: (commit: CommitId, signal: AbortSignal) => Promise<void>;
}

export function createLocalPast({ git, directory, objects, hold }: LocalPastSettings): LocalPast {
  /** The commits that are here without their parents, as far as git was told. */
  async function readShallows(signal: AbortSignal): Promise<ReadonlySet<string>> {
    const path = await git.ask(["rev-parse", "--git-path", "shallow"], { signal });
    const text = await readFile(resolve(directory, path), "utf8").catch(() => "");
    return new Set(text.split("\n").filter((line) => line !== ""));
  }

  async function listIds(args: readonly string[], signal: AbortSignal): Promise<readonly CommitId[]> {
    const output = await git.ask(["rev-list", "--date-order", ...args, "--"], { signal });
    return output === "" ? [] : (output.split("\n") as CommitId[]);
  }

  async function isAncestor(ancestor: CommitId, descendant: CommitId, signal: AbortSignal): Promise<boolean> {
    if (!(await objects.hasCommit(ancestor))) return false;
    const { code, stderr } = await git.run(["merge-base", "--is-ancestor", ancestor, descendant], { signal });
    if (code === 0 || code === 1) return code === 0;
    throw new FederationError("AG4008", `git cannot tell the history in ${directory}: ${serverWords(stderr, [])}`);
  }

  async function breaksOff(from: CommitId, shallows: ReadonlySet<string>, signal: AbortSignal): Promise<boolean> {
    return shallows.size > 0 && (await listIds([from], signal)).some((id) => shallows.has(id));
  }

  /** With the parents that the shallow clone hides, to tell what a cut past leaves open. */
  async function readGraph(from: CommitId, signal: AbortSignal): Promise<ReadonlyMap<CommitId, Commit>> {
    const ids = await listIds([`--max-count=${PAST_COMMITS_MAX}`, from], signal);
    return new Map(await Promise.all(ids.map(async (id) => [id, await objects.readCommit(id)] as const)));
  }

  return {
    async relation(ancestor, descendant, signal) {
      if (ancestor === descendant) return "same";
      const isGone = await hold(descendant, signal).then(
        () => false,
        (error: unknown) => {
          if (hasCode(error, "AG2012")) return true;
          throw error;
        },
      );
      if (isGone) return "unrelated";
      if (await isAncestor(ancestor, descendant, signal)) return "ancestor";
      if (await breaksOff(descendant, await readShallows(signal), signal)) throw isShallow(directory, ancestor);
      return "unrelated";
    },
    async range({ from, until }, limit, signal) {
      if (from === until) return { ids: [], breaksOff: false };
      await hold(from, signal);
      const shallows = await readShallows(signal);
      const bounded = [`--max-count=${Math.min(limit, PAST_COMMITS_MAX)}`];
      if (until === null) {
        const ids = await listIds([...bounded, from], signal);
        return { ids, breaksOff: ids.some((id) => shallows.has(id)) };
      }
      if (!(await isAncestor(until, from, signal))) {
        if (await breaksOff(from, shallows, signal)) throw isShallow(directory, until);
        throw new FederationError("AG2012", `${until} is not in the past of ${from}`);
      }
      if (shallows.size > 0) {
        const verdict = resolveRange(await readGraph(from, signal), { from, until });
        if (verdict.kind !== "known") throw isShallow(directory, until);
      }
      return { ids: await listIds([...bounded, from, `^${until}`], signal), breaksOff: false };
    },
    async bringsRoot(from, to, signal) {
      return (await listIds(["--max-parents=0", "--max-count=1", to, `^${from}`], signal)).length > 0;
    },
  };
}

export function isShallow(directory: string, wanted: CommitId | null): FederationError {
  const what = wanted === null ? "the first commit" : wanted;
  return new FederationError("AG2014", `the clone ${directory} is shallow, and its history ends before ${what}`);
}
