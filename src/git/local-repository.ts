import type { CommitId } from "../core/model.ts";
import { parseRevision } from "../core/records.ts";
import { FederationError, hasCode } from "../errors.ts";
import type { Repository } from "../ports.ts";
import { readChangedPaths } from "./changed-paths.ts";
import type { GitProgram } from "./git-program.ts";
import { createLocalObjects, type LocalObjects } from "./local-objects.ts";
import { createLocalPast, isShallow } from "./local-past.ts";
import { findLocalPlace, type LocalPlace } from "./local-place.ts";
import { createOwnRefs, type RefSource } from "./local-refs.ts";
import { chooseRemote, openLocalRemote } from "./local-remote.ts";
import { checkRefName } from "./ref-name.ts";
import { type RemoteAccess, USUAL_ACCESS } from "./remote-access.ts";
import { createRevisionReader } from "./revision.ts";
import { createWriter, type WritingPlace } from "./writer.ts";

export interface LocalRepositorySettings {
  /** A clone's work tree, any folder in it, its .git, or a bare repository. */
  readonly directory: string;
  readonly branch: string;
  /** The federation's folder; "" is the root. */
  readonly path: string;
  readonly refPrefix: string;
  /**
   * Which remote to ask: a name; null reads the refs of this very repository (a bare one; a hook). Not given: the
   * branch's configured remote, else origin, else the only remote, else null.
   */
  readonly remote?: string | null;
  /** Whether git may ask a person for a password at the terminal. */
  readonly interactive: boolean;
  /** For each git process. */
  readonly timeoutMs: number;
  /** The environment that git gets (a hook's quarantine variables come through it). */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** How the remote at an address is talked to; as git is set up, when not given. */
  readonly readAccess?: (url: string) => Promise<RemoteAccess>;
  /** Told how far a fetch has come, in a few words; null when it is over. */
  readonly onProgress?: (text: string | null) => void;
  /** Whether refs may be written here to keep what was fetched; never in somebody's clone. */
  readonly keepsFetched?: boolean;
}

export interface LocalRepository extends Repository {
  /** Top of the work tree; null for a bare repository. */
  readonly workTree: string | null;
  /** Where in the work tree the folder is that was named; empty for its top, and without a work tree. */
  readonly prefix: string;
  /**
   * The commit that any name stands for (a branch, a tag, HEAD~2, an abbreviated id, `origin/main`, a revision as
   * messages write it), here or, for a branch, at the remote; null when there is none.
   */
  resolve(name: string, signal: AbortSignal): Promise<CommitId | null>;
  /** What the work tree holds in the federation's folder and no commit does, from its top; nothing for a bare repository. */
  uncommitted(signal: AbortSignal): Promise<readonly string[]>;
  /** Every path that differs between two commits that are here, from the repository's root; null stands for no files. */
  changedPaths(from: CommitId | null, to: CommitId, signal: AbortSignal): Promise<readonly string[]>;
  /** Whether the past of `to` has a beginning that the past of `from` has not. Both are here. */
  bringsRoot(from: CommitId, to: CommitId, signal: AbortSignal): Promise<boolean>;
  /** Ends git's processes. */
  close(): Promise<void>;
}

/** Revisions that are read at once: git answers while the next questions are on their way. */
const READ_AHEAD = 64;

/**
 * The federation repository through somebody's clone, or a bare repository, and the `git` program: remotes, ssh,
 * credential helpers and proxies work as people have configured them. Objects are added; no ref, no file and no index
 * of the clone is ever touched. When a call's signal aborts, the call rejects with the signal's reason.
 * @throws FederationError AG4002 for settings that can never work, AG4006 without git, AG4008 without a repository.
 */
export async function openLocalRepository(
  settings: LocalRepositorySettings,
  signal: AbortSignal,
): Promise<LocalRepository> {
  checkRefName(settings.branch, "AG4002");
  checkRefName(settings.refPrefix, "AG4002");
  const place = await findLocalPlace(settings, signal);
  return wire(place, await openRefs(place, settings, signal), settings);
}

async function openRefs(
  { git, workTree, gitDirectory }: LocalPlace,
  settings: LocalRepositorySettings,
  signal: AbortSignal,
): Promise<RefSource> {
  const remote = await chooseRemote(git, settings, signal);
  if (remote === null) return createOwnRefs(git, workTree ?? gitDirectory);
  const { environment, interactive, onProgress = () => undefined, keepsFetched = false } = settings;
  const { readAccess = async () => USUAL_ACCESS } = settings;
  const asksPerson = interactive && settings.readAccess === undefined;
  return await openLocalRemote({ git, remote, environment, readAccess, asksPerson, onProgress, keepsFetched }, signal);
}

function wire(place: LocalPlace, refs: RefSource, settings: LocalRepositorySettings): LocalRepository {
  const { git, workTree } = place;
  const directory = workTree ?? place.gitDirectory;
  const branchRef = `refs/heads/${settings.branch}`;
  const refsPrefix = `refs/heads/${settings.refPrefix}/`;
  const objects = createLocalObjects(git, settings.timeoutMs);
  const holder = createHolder(objects, refs);
  const past = createLocalPast({ git, directory, objects, hold: holder.hold });
  const revisions = createRevisionReader(settings.path);
  const writer = createWriter(settings, writingPlace({ objects, refs, hold: holder.hold, past }));

  return {
    ...writer,
    url: refs.url,
    workTree,
    prefix: place.prefix,
    async list(scope, signal) {
      const listed = await refs.list(scope === "branch" ? [branchRef] : [branchRef, refsPrefix], signal);
      holder.expect([...listed.values()]);
      const below = [...listed]
        .filter(([name]) => name.startsWith(refsPrefix))
        .map(([name, id]): [string, CommitId] => [name.slice(refsPrefix.length), id]);
      return { head: listed.get(branchRef) ?? null, refs: scope === "branch" ? null : new Map(below) };
    },
    async read(commit, signal) {
      await holder.hold(commit, signal);
      return await revisions.read(objects, commit);
    },
    async readFiles(commit, signal) {
      await holder.hold(commit, signal);
      return await revisions.readAll(objects, commit);
    },
    relation: past.relation,
    async *history(range, limit, signal) {
      if (limit <= 0) return;
      const { ids, breaksOff } = await past.range(range, limit, signal);
      for (let start = 0; start < ids.length; start += READ_AHEAD) {
        signal.throwIfAborted();
        yield* await Promise.all(ids.slice(start, start + READ_AHEAD).map((id) => revisions.read(objects, id)));
      }
      if (breaksOff && ids.length < limit) throw isShallow(directory, range.until);
    },
    resolve: (name, signal) => resolveName({ git, refs, hold: holder.hold }, name, signal),
    async uncommitted(signal) {
      if (workTree === null) return [];
      const top = settings.path === "" ? "" : `${settings.path}/`;
      const folders = ["clusters", "federation"].map((name) => `:(top,literal)${top}${name}`);
      const paths = ["--porcelain", "--no-renames", "-z", "--untracked-files=all", "--", ...folders];
      const told = await git.ask(["status", ...paths], { signal });
      return told.split("\0").flatMap((line) => (line === "" ? [] : [line.slice("XY ".length)]));
    },
    changedPaths: (from, to, signal) => readChangedPaths(git, { from, to }, signal),
    bringsRoot: past.bringsRoot,
    close: git.close,
  };
}

interface Holder {
  /** Brings a commit here where it is not. @throws FederationError AG2012 when there is none. */
  hold(commit: CommitId, signal: AbortSignal): Promise<void>;
  /** Commits that were just listed: whoever wants one of them will want the others, and gets them in one go. */
  expect(commits: readonly CommitId[]): void;
}

function createHolder(objects: LocalObjects, refs: RefSource): Holder {
  let expected: readonly CommitId[] = [];
  let last: Promise<unknown> = Promise.resolve();

  async function missing(ids: readonly CommitId[]): Promise<readonly CommitId[]> {
    const have = await Promise.all(ids.map((id) => objects.hasCommit(id)));
    return ids.filter((_, index) => have[index] !== true);
  }

  async function fetch(commit: CommitId, signal: AbortSignal): Promise<void> {
    if (await objects.hasCommit(commit)) return;
    const others = (await missing(expected)).filter((id) => id !== commit);
    expected = [];
    // One that has gone meanwhile would spoil it for the others, so then the one that is wanted is asked for alone.
    const together = others.length > 0 && (await refs.fetch([commit, ...others], signal));
    if (!together) await refs.fetch([commit], signal);
    if (await objects.hasCommit(commit)) return;
    throw new FederationError("AG2012", `${refs.url} does not hand out commit ${commit}`);
  }

  return {
    async hold(commit, signal) {
      if (await objects.hasCommit(commit)) return;
      // One after the other: two at once would each fetch what the other is about to bring.
      const mine = last.then(() => fetch(commit, signal));
      last = mine.catch(() => undefined);
      await mine;
    },
    expect(commits) {
      expected = commits;
    },
  };
}

function writingPlace({
  objects,
  refs,
  hold,
  past,
}: {
  readonly objects: LocalObjects;
  readonly refs: RefSource;
  readonly hold: Holder["hold"];
  readonly past: Pick<Repository, "relation">;
}): WritingPlace {
  return {
    async desk(parent, signal) {
      if (parent !== null) await hold(parent, signal);
      return { objects: objects.draft(), landed: () => undefined };
    },
    async push(move, pack, signal) {
      await objects.add(pack, signal);
      if (move.target !== null) await hold(move.target, signal);
      return await refs.push(move, signal);
    },
    refAt: async (ref, signal) => (await refs.list([ref], signal)).get(ref) ?? null,
    isBelow: async (commit, descendant, signal) => (await past.relation(commit, descendant, signal)) === "ancestor",
  };
}

interface Resolver {
  readonly git: GitProgram;
  readonly refs: RefSource;
  readonly hold: Holder["hold"];
}

async function resolveName({ git, refs, hold }: Resolver, name: string, signal: AbortSignal): Promise<CommitId | null> {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no revision's name holds them, and no argument a NUL
  if (name === "" || /[\u0000-\u001f]/.test(name)) return null;
  const wanted = parseRevision(name) ?? name;
  const { code, stdout } = await git.run(
    ["rev-parse", "--verify", "--quiet", "--end-of-options", `${wanted}^{commit}`],
    { signal },
  );
  if (code === 0) return stdout.toString("utf8").trimEnd() as CommitId;
  const elsewhere = /^[0-9a-f]{40}$/.test(wanted) ? (wanted as CommitId) : await branchAt(refs, wanted, signal);
  if (elsewhere === null) return null;
  try {
    await hold(elsewhere, signal);
    return elsewhere;
  } catch (error) {
    if (hasCode(error, "AG2012")) return null;
    throw error;
  }
}

/** A branch that nobody has fetched into this clone: a proposal, mostly. */
async function branchAt(refs: RefSource, name: string, signal: AbortSignal): Promise<CommitId | null> {
  try {
    checkRefName(name, "AG9001");
  } catch {
    return null;
  }
  const ref = `refs/heads/${name}`;
  return (await refs.list([ref], signal)).get(ref) ?? null;
}
