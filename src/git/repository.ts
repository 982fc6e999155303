import type { CommitId, FileChange, ObjectId } from "../core/model.ts";
import { FederationError, hasCode } from "../errors.ts";
import type { CommitAuthor, OrphanCommit, PublishRequest, RefListing, RefMove, Repository } from "../ports.ts";
import { changeTree } from "./change-tree.ts";
import { type Clone, createClones, noteTip } from "./clone.ts";
import { formatCommit } from "./commit.ts";
import { createObjectStore, type ObjectStore } from "./object-store.ts";
import { formatPack } from "./pack.ts";
import { createPastReader } from "./past.ts";
import { checkRefName } from "./ref-name.ts";
import { openRemote, type Remote } from "./remote.ts";
import { createRevisionReader } from "./revision.ts";
import { openTransport, type RequestReport } from "./transport.ts";
import { parseRepositoryUrl } from "./url.ts";

/** A federation is some hundred kilobytes; whoever needs more has put something else into its repository. */
const FETCH_MAX_BYTES = 64 * 1024 * 1024;

export interface RepositorySettings {
  /** http or https, without credentials. */
  readonly url: string;
  readonly branch: string;
  /** The federation's folder; "" is the root. */
  readonly path: string;
  /** Without slashes at its ends: `amko`. */
  readonly refPrefix: string;
  /** A mounted git Secret: `username` and `password`, or `bearerToken`, and `ca.crt`; null where there is none. */
  readonly credentialsDirectory: string | null;
  /** For each request, from connecting to the last byte. */
  readonly timeoutMs: number;
  readonly nowMs: () => number;
  readonly fetchMaxBytes?: number;
  /** Where HTTP_PROXY, HTTPS_PROXY and NO_PROXY are looked up; the process's environment when not given. */
  readonly proxyEnv?: Readonly<Record<string, string | undefined>>;
  /** Told after each request, also a failed one. */
  readonly onRequest?: (report: RequestReport) => void;
}

/**
 * The federation repository behind an http or https address. Keeps a shallow clone in memory, nothing on disk.
 * When a call's signal aborts, the call rejects with the signal's reason.
 * @throws FederationError AG4002 or AG4003 for settings that can never work; no request is made yet.
 */
export function openRepository(settings: RepositorySettings): Repository {
  const url = parseRepositoryUrl(settings.url);
  checkRefName(settings.branch, "AG4002");
  checkRefName(settings.refPrefix, "AG4002");
  const transport = openTransport({
    url,
    credentialsDirectory: settings.credentialsDirectory,
    timeoutMs: settings.timeoutMs,
    nowMs: settings.nowMs,
    proxyEnv: settings.proxyEnv ?? process.env,
    onRequest: settings.onRequest ?? (() => undefined),
  });
  const remote = openRemote(transport, settings.fetchMaxBytes ?? FETCH_MAX_BYTES);
  return { url, ...openReaderAndWriter(remote, settings) };
}

function openReaderAndWriter(remote: Remote, settings: RepositorySettings): Omit<Repository, "url"> {
  const branchRef = `refs/heads/${settings.branch}`;
  const refsPrefix = `refs/heads/${settings.refPrefix}/`;
  const clones = createClones(remote);
  const revisions = createRevisionReader(settings.path);
  const past = createPastReader(clones);

  async function prepare(request: PublishRequest, signal: AbortSignal) {
    const clone = await clones.holding(request.parent, "recent", signal);
    return { clone, made: await commitOnto(clone, request, settings.path) };
  }

  /** Whether a push whose answer was lost did land, and somebody has built on it since. */
  async function isBelow(commit: CommitId, { at, answerLost }: Elsewhere, signal: AbortSignal): Promise<boolean> {
    return answerLost && at !== null && (await past.relation(commit, at, signal)) === "ancestor";
  }

  return {
    list: (scope, signal) => list(remote, { branchRef, refsPrefix, scope }, signal),
    async read(commit, signal) {
      const { store } = await clones.holding(commit, "recent", signal);
      return await revisions.read(store, commit);
    },
    relation: past.relation,
    async *history(range, limit, signal) {
      let count = 0;
      for await (const { id, clone } of past.walk(range, signal)) {
        if (count >= limit) return;
        yield await revisions.read(clone.store, id);
        count += 1;
      }
    },
    async readFiles(commit, signal) {
      const { store } = await clones.holding(commit, "alone", signal);
      return await revisions.readAll(store, commit);
    },
    async publish(request, signal) {
      const { clone, made } = await prepare(request, signal);
      const move = { ref: branchRef, expected: request.parent, target: made.id };
      const landing = await pushRef(remote, move, clone.store.packOf(made.written), signal);
      if (landing.kind === "elsewhere" && !(await isBelow(made.id, landing, signal))) {
        throw branchMoved(settings.branch, request, landing.at);
      }
      noteTip(clone, made.id);
      return made.id;
    },
    async propose(proposal, signal) {
      checkRefName(proposal.ref, "AG9001");
      const { clone, made } = await prepare(proposal, signal);
      const command = { ref: `${refsPrefix}${proposal.ref}`, expected: proposal.expected, target: made.id };
      const landing = await pushRef(remote, command, clone.store.packOf(made.written), signal);
      if (landing.kind === "elsewhere") throw refMoved({ ...proposal, target: made.id }, landing.at);
      return made.id;
    },
    moveRef: (move, signal) => moveRef(remote, refsPrefix, move, signal),
    writeOrphan: (orphan, signal) => writeOrphan(remote, refsPrefix, orphan, signal),
  };
}

interface ListRequest {
  readonly branchRef: string;
  readonly refsPrefix: string;
  readonly scope: "branch" | "all";
}

/** The server matches prefixes of names, so `main2` comes along with `main` and is left out here. */
async function list(
  remote: Remote,
  { branchRef, refsPrefix, scope }: ListRequest,
  signal: AbortSignal,
): Promise<RefListing> {
  const refs = await remote.listRefs(scope === "branch" ? [branchRef] : [branchRef, refsPrefix], signal);
  const below = [...refs]
    .filter(([name]) => name.startsWith(refsPrefix))
    .map(([name, id]): [string, CommitId] => [name.slice(refsPrefix.length), id]);
  return { head: refs.get(branchRef) ?? null, refs: scope === "branch" ? null : new Map(below) };
}

interface MadeCommit {
  readonly id: CommitId;
  /** Everything that the server does not have yet. */
  readonly written: readonly string[];
}

async function commitOnto(clone: Clone, request: PublishRequest, path: string): Promise<MadeCommit> {
  clone.uses += 1;
  const { tree } = await clone.store.readCommit(request.parent);
  const folder = path.split("/").filter((segment) => segment !== "");
  const changes = request.changes.map((change) => ({ ...change, path: [...folder, change.path].join("/") }));
  return await makeCommit(clone.store, { ...request, base: tree, changes, parents: [request.parent] });
}

async function makeCommit(
  store: ObjectStore,
  commit: {
    readonly base: ObjectId | null;
    readonly changes: readonly FileChange[];
    readonly parents: readonly CommitId[];
    readonly author: CommitAuthor;
    readonly message: string;
  },
): Promise<MadeCommit> {
  const tree = await changeTree(store, commit.base, commit.changes);
  const id = store.write({ type: "commit", bytes: formatCommit({ ...commit, tree: tree.id }) }) as CommitId;
  return { id, written: [...tree.written, id] };
}

async function moveRef(remote: Remote, refsPrefix: string, move: RefMove, signal: AbortSignal): Promise<void> {
  checkRefName(move.ref, "AG9001");
  const command = { ...move, ref: `${refsPrefix}${move.ref}` };
  if (move.target === move.expected) {
    const at = await refAt(remote, command.ref, signal);
    if (at !== move.target) throw refMoved(move, at);
    return;
  }
  const landing = await pushRef(remote, command, formatPack([]), signal);
  if (landing.kind === "elsewhere") throw refMoved(move, landing.at);
}

async function writeOrphan(
  remote: Remote,
  refsPrefix: string,
  orphan: OrphanCommit,
  signal: AbortSignal,
): Promise<CommitId> {
  checkRefName(orphan.ref, "AG9001");
  const store = await createObjectStore();
  const made = await makeCommit(store, { ...orphan, base: null, changes: orphan.files, parents: [] });
  const command = { ref: `${refsPrefix}${orphan.ref}`, expected: orphan.expected, target: made.id };
  const landing = await pushRef(remote, command, store.packOf(made.written), signal);
  if (landing.kind === "elsewhere") throw refMoved({ ...orphan, target: made.id }, landing.at);
  return made.id;
}

type Landing = { readonly kind: "there" } | Elsewhere;

interface Elsewhere {
  readonly kind: "elsewhere";
  readonly at: CommitId | null;
  /** False when the server itself said that it did not move the ref. */
  readonly answerLost: boolean;
}

/**
 * Pushes one ref. A failed push says nothing about what the server did: it may have landed, lost the race, or done
 * nothing. So the server is asked where the ref is, and only if it has not moved is the failure the answer.
 */
async function pushRef(remote: Remote, move: RefMove, pack: Uint8Array, signal: AbortSignal): Promise<Landing> {
  const failure = await remote.push(move, pack, signal).then(
    (report) =>
      report.kind === "done"
        ? null
        : new FederationError("AG2004", `the git server refused the push to ${move.ref}: ${report.words}`),
    (error: unknown) => error,
  );
  if (failure === null) return { kind: "there" };
  if (signal.aborted || hasCode(failure, "AG2002", "AG2006", "AG2013", "AG4004")) throw failure;
  const answerLost = !hasCode(failure, "AG2004");
  const at = await refAt(remote, move.ref, signal).catch((error: unknown) => {
    throw answerLost ? failure : error;
  });
  if (at === move.target) return { kind: "there" };
  if (at === move.expected) throw failure;
  return { kind: "elsewhere", at, answerLost };
}

async function refAt(remote: Remote, ref: string, signal: AbortSignal): Promise<CommitId | null> {
  return (await remote.listRefs([ref], signal)).get(ref) ?? null;
}

function branchMoved(branch: string, { parent }: PublishRequest, at: CommitId | null): FederationError {
  return new FederationError("AG2003", `${branch} is no longer at ${parent} but ${at === null ? "gone" : `at ${at}`}`);
}

function refMoved({ ref, expected }: RefMove, at: CommitId | null): FederationError {
  const was = expected === null ? "should not exist" : `should be at ${expected}`;
  return new FederationError("AG2011", `${ref} ${was} but ${at === null ? "is gone" : `is at ${at}`}`);
}
