import type { CommitId } from "../core/model.ts";
import { FederationError } from "../errors.ts";
import type { GitProgram } from "./git-program.ts";
import type { PushReport, RefCommand } from "./send-pack.ts";
import { serverWords } from "./words.ts";

/** The refs that a local repository works with: those of a remote, or its own. */
export interface RefSource {
  /** The address people know, without credentials. */
  readonly url: string;
  /** The branches at `refs`, and below those that end with a slash. Full names. */
  list(refs: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, CommitId>>;
  /** Brings commits here, with all that they are made of. False when one of them is not to be had. */
  fetch(commits: readonly CommitId[], signal: AbortSignal): Promise<boolean>;
  /** Moves a ref to a commit that is here, only from where it is expected. */
  push(move: RefCommand, signal: AbortSignal): Promise<PushReport>;
}

const NO_COMMIT = "0".repeat(40);

/** The refs of the repository itself: a bare one that is shared, or the one whose hook is running. */
export function createOwnRefs(git: GitProgram, directory: string): RefSource {
  return {
    url: directory,
    async list(refs, signal) {
      const output = await git.ask(["for-each-ref", "--format=%(objectname) %(refname)", "--", ...refs], { signal });
      return parseRefs(output, refs);
    },
    // What is not here is nowhere.
    fetch: () => Promise.resolve(false),
    async push({ ref, expected, target }, signal) {
      const checkout = await checkoutOf(git, ref, signal);
      // Moved under a work tree, it would look there as if somebody had undone the change, and be undone by a commit.
      if (checkout !== null) return { kind: "refused", words: `the branch is checked out in ${checkout}` };
      const move = target === null ? ["-d", "--", ref] : ["--", ref, target];
      const { code, stderr } = await git.run(["update-ref", "--no-deref", ...move, expected ?? NO_COMMIT], { signal });
      return code === 0 ? { kind: "done" } : { kind: "refused", words: serverWords(stderr, []) };
    },
  };
}

/** Lines as `ls-remote` and `for-each-ref` print them, without what their patterns match beside. */
export function parseRefs(output: string, refs: readonly string[]): ReadonlyMap<string, CommitId> {
  const found = new Map<string, CommitId>();
  for (const line of output.split("\n")) {
    const [, id, name] = /^([0-9a-f]{40})[ \t](\S+)$/.exec(line) ?? [];
    if (id === undefined || name === undefined) {
      if (line !== "") throw new FederationError("AG2008", "git printed a ref's line that cannot be read");
      continue;
    }
    if (refs.some((ref) => (ref.endsWith("/") ? name.startsWith(ref) : name === ref))) found.set(name, id as CommitId);
  }
  return found;
}

/** The work tree in which somebody is on this branch; null when there is none. */
async function checkoutOf(git: GitProgram, ref: string, signal: AbortSignal): Promise<string | null> {
  const listing = await git.ask(["worktree", "list", "--porcelain"], { signal });
  const entry = listing.split("\n\n").find((text) => text.split("\n").includes(`branch ${ref}`));
  return entry === undefined ? null : (entry.split("\n")[0]?.replace(/^worktree /, "") ?? "");
}
