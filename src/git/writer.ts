import type { CommitId, FileChange, ObjectId } from "../core/model.ts";
import { FederationError } from "../errors.ts";
import type { CommitAuthor, PublishRequest, RefMove, RepositoryWriter } from "../ports.ts";
import { changeTree } from "./change-tree.ts";
import { formatCommit } from "./commit.ts";
import { type Elsewhere, pushRef, type RefKeeper } from "./landing.ts";
import type { WritableObjects } from "./object-store.ts";
import { formatPack } from "./pack.ts";
import { checkRefName } from "./ref-name.ts";

export interface WriterSettings {
  readonly branch: string;
  /** The federation's folder; "" is the root. */
  readonly path: string;
  readonly refPrefix: string;
}

/** What a commit is made on. */
export interface Desk {
  readonly objects: WritableObjects;
  /** Told when the tracked branch took the commit. */
  landed(commit: CommitId): void;
}

/** Where commits go. */
export interface WritingPlace extends RefKeeper {
  /** A desk that holds `parent`; with null, an empty one. */
  desk(parent: CommitId | null, signal: AbortSignal): Promise<Desk>;
  /** Whether `commit` is in the past of `descendant`. */
  isBelow(commit: CommitId, descendant: CommitId, signal: AbortSignal): Promise<boolean>;
}

/** Makes commits and moves refs by compare-and-swap, wherever the refs are kept. */
export function createWriter(settings: WriterSettings, place: WritingPlace): RepositoryWriter {
  const branchRef = `refs/heads/${settings.branch}`;
  const refsPrefix = `refs/heads/${settings.refPrefix}/`;

  async function prepare(request: PublishRequest, signal: AbortSignal) {
    const desk = await place.desk(request.parent, signal);
    return { desk, made: await commitOnto(desk.objects, request, settings.path) };
  }

  /** Whether a push whose answer was lost did land, and somebody has built on it since. */
  async function isBelow(commit: CommitId, { at, answerLost }: Elsewhere, signal: AbortSignal): Promise<boolean> {
    return answerLost && at !== null && (await place.isBelow(commit, at, signal));
  }

  /** Moves a ref below the prefix. @throws FederationError AG2011 when it is elsewhere. */
  async function moveBelow(move: RefMove, pack: Uint8Array, signal: AbortSignal): Promise<void> {
    const landing = await pushRef(place, { ...move, ref: `${refsPrefix}${move.ref}` }, pack, signal);
    if (landing.kind === "elsewhere") throw refMoved(move, landing.at);
  }

  /** Puts a commit onto the tracked branch. @throws FederationError AG2003 when the branch is elsewhere. */
  async function land(
    { desk, made }: { readonly desk: Desk; readonly made: MadeCommit },
    expected: CommitId | null,
    signal: AbortSignal,
  ): Promise<CommitId> {
    const move = { ref: branchRef, expected, target: made.id };
    const landing = await pushRef(place, move, desk.objects.packOf(made.written), signal);
    if (landing.kind === "elsewhere" && !(await isBelow(made.id, landing, signal))) {
      throw branchMoved(settings.branch, expected, landing.at);
    }
    desk.landed(made.id);
    return made.id;
  }

  return {
    publish: async (request, signal) => await land(await prepare(request, signal), request.parent, signal),
    async start(first, signal) {
      const desk = await place.desk(null, signal);
      const changes = inFolder(settings.path, first.changes);
      const made = await makeCommit(desk.objects, { ...first, base: null, changes, parents: [] });
      return await land({ desk, made }, null, signal);
    },
    async propose(proposal, signal) {
      checkRefName(proposal.ref, "AG9001");
      const { desk, made } = await prepare(proposal, signal);
      const move = { ref: proposal.ref, expected: proposal.expected, target: made.id };
      await moveBelow(move, desk.objects.packOf(made.written), signal);
      return made.id;
    },
    async moveRef(move, signal) {
      checkRefName(move.ref, "AG9001");
      if (move.target !== move.expected) return await moveBelow(move, formatPack([]), signal);
      const at = await place.refAt(`${refsPrefix}${move.ref}`, signal);
      if (at !== move.target) throw refMoved(move, at);
    },
    async writeOrphan(orphan, signal) {
      checkRefName(orphan.ref, "AG9001");
      const { objects } = await place.desk(null, signal);
      const made = await makeCommit(objects, { ...orphan, base: null, changes: orphan.files, parents: [] });
      const move = { ref: orphan.ref, expected: orphan.expected, target: made.id };
      await moveBelow(move, objects.packOf(made.written), signal);
      return made.id;
    },
  };
}

interface MadeCommit {
  readonly id: CommitId;
  /** Everything that the server does not have yet. */
  readonly written: readonly string[];
}

async function commitOnto(objects: WritableObjects, request: PublishRequest, path: string): Promise<MadeCommit> {
  const { tree } = await objects.readCommit(request.parent);
  const changes = inFolder(path, request.changes);
  return await makeCommit(objects, { ...request, base: tree, changes, parents: [request.parent] });
}

/** The changes with their paths from the repository's root. */
function inFolder(path: string, changes: readonly FileChange[]): readonly FileChange[] {
  const folder = path.split("/").filter((segment) => segment !== "");
  return changes.map((change) => ({ ...change, path: [...folder, change.path].join("/") }));
}

async function makeCommit(
  objects: WritableObjects,
  commit: {
    readonly base: ObjectId | null;
    readonly changes: readonly FileChange[];
    readonly parents: readonly CommitId[];
    readonly author: CommitAuthor;
    readonly message: string;
  },
): Promise<MadeCommit> {
  const tree = await changeTree(objects, commit.base, commit.changes);
  const id = objects.write({ type: "commit", bytes: formatCommit({ ...commit, tree: tree.id }) }) as CommitId;
  return { id, written: [...tree.written, id] };
}

function branchMoved(branch: string, expected: CommitId | null, at: CommitId | null): FederationError {
  const now = at === null ? "gone" : `at ${at}`;
  const message =
    expected === null ? `${branch} exists already, ${now}` : `${branch} is no longer at ${expected} but ${now}`;
  return new FederationError("AG2003", message);
}

function refMoved({ ref, expected }: RefMove, at: CommitId | null): FederationError {
  const was = expected === null ? "should not exist" : `should be at ${expected}`;
  return new FederationError("AG2011", `${ref} ${was} but ${at === null ? "is gone" : `is at ${at}`}`);
}
