import { createHash } from "node:crypto";
import type { ErrorCode } from "../../../src/core/catalogue.ts";
import {
  type CommitId,
  FILE_SIZE_MAX_BYTES,
  type FileChange,
  type ObjectId,
  type Revision,
  type RevisionFile,
} from "../../../src/core/model.ts";
import { FederationError } from "../../../src/errors.ts";
import type { CommitAuthor, Repository } from "../../../src/ports.ts";

export type RepositoryMethod = Exclude<keyof Repository, "url">;
type Entry = Readonly<{ mode: string; bytes: Uint8Array; id: ObjectId }>;
type Tree = ReadonlyMap<string, Entry>;

interface StoredCommit {
  readonly id: CommitId;
  readonly tree: Tree;
  readonly parents: readonly CommitId[];
  readonly author: string;
  readonly atSeconds: number;
  readonly message: string;
}

/** A failure as data: what fails, how, and whether the remote did it all the same and only its answer was lost. */
export interface RepositoryFault {
  readonly on: RepositoryMethod | "anything";
  readonly code: ErrorCode;
  readonly landed?: boolean;
  /** How often; 1 when not given. */
  readonly times?: number;
  /** Only for refs that start so. */
  readonly ref?: string;
}

/** One ref that an agent moved, in the order in which the remote saw them. */
export interface RefWrite {
  readonly by: string;
  /** The branch's whole name: `main`, `amko/applied/cluster1`. */
  readonly branch: string;
  readonly from: CommitId | null;
  readonly to: CommitId | null;
}

export interface OpenOptions {
  readonly by?: string;
  readonly path?: string;
  readonly readOnly?: boolean;
  /** Waited for before a request reaches the remote, and again before its answer is seen. */
  readonly gate?: (label: string) => Promise<void>;
}

/** A git remote in memory: a graph of commits, and branches that move by compare-and-swap. */
export interface FakeRemote {
  readonly writes: readonly RefWrite[];
  open(options?: OpenOptions): Repository;
  fail(fault: RepositoryFault): void;
  heal(): void;
  branch(name: string): CommitId | null;
  branches(): ReadonlyMap<string, CommitId>;
  setBranch(name: string, commit: CommitId | null): void;
  /** Stores a commit on no branch. */
  commit(files: Tree, rest?: Partial<Pick<StoredCommit, "parents" | "message" | "atSeconds">>): CommitId;
  /** What a person does: one commit on top of a branch that changes some files (null removes). */
  push(branch: string, changes: Readonly<Record<string, string | Uint8Array | null>>, message?: string): CommitId;
  stored(commit: CommitId): StoredCommit;
  text(commit: CommitId, path: string): string | null;
}

const SYMLINK = "120000";
const SUBMODULE = "160000";

export function createFakeRemote({ branch: tracked = "main", prefix = "amko" } = {}): FakeRemote {
  const commits = new Map<CommitId, StoredCommit>();
  const branches = new Map<string, CommitId>();
  const writes: RefWrite[] = [];
  let faults: { readonly fault: RepositoryFault; left: number }[] = [];

  const store = (commit: Omit<StoredCommit, "id">): CommitId => {
    const entries = [...commit.tree].map(([path, { mode, id }]) => [path, mode, id]).toSorted();
    const id = sha1(JSON.stringify({ ...commit, tree: entries })) as CommitId;
    commits.set(id, { ...commit, id });
    return id;
  };
  const stored = (id: CommitId): StoredCommit => {
    const found = commits.get(id);
    if (found === undefined) throw new FederationError("AG2012", `the remote has no commit ${id}`);
    return found;
  };
  const parentsOf = (id: CommitId): readonly CommitId[] => commits.get(id)?.parents ?? [];

  function past(from: CommitId): ReadonlySet<CommitId> {
    const seen = new Set<CommitId>(commits.has(from) ? [from] : []);
    for (const id of seen) for (const parent of parentsOf(id)) seen.add(parent);
    return seen;
  }

  function takeFault(method: RepositoryMethod, ref: string): RepositoryFault | null {
    const found = faults.find(
      ({ fault, left }) =>
        left > 0 && (fault.on === "anything" || fault.on === method) && ref.startsWith(fault.ref ?? ""),
    );
    if (found === undefined) return null;
    found.left -= 1;
    return found.fault;
  }

  function open({ by = "somebody", path = "", readOnly = false, gate = async () => undefined }: OpenOptions = {}) {
    const folder = path === "" ? "" : `${path}/`;

    /** One request: it may fail before the remote saw it, or after. */
    async function request<T>(method: RepositoryMethod, ref: string, signal: AbortSignal, act: () => T): Promise<T> {
      signal.throwIfAborted();
      await gate(`${by} ${method} ${ref}`);
      const fault = takeFault(method, ref);
      const failure = fault && new FederationError(fault.code, `${method} failed on purpose`);
      if (failure !== null && fault?.landed !== true) throw failure;
      const result = act();
      await gate(`${by} ${method} ${ref} answered`);
      if (failure !== null) throw failure;
      return result;
    }

    function move(branch: string, from: CommitId | null, to: CommitId | null, moved: ErrorCode): void {
      const at = branches.get(branch) ?? null;
      if (at !== from) throw new FederationError(moved, `${branch} is at ${at}, not at ${from}`);
      if (to === null) branches.delete(branch);
      else branches.set(branch, to);
      if (from !== to) writes.push({ by, branch, from, to });
    }

    function mayWrite(): void {
      if (readOnly) throw new FederationError("AG2013", `${by} may only read`);
    }

    function commitOnto(parent: CommitId | null, changes: readonly FileChange[], message: string, who: CommitAuthor) {
      const base: Tree = parent === null ? new Map() : stored(parent).tree;
      const tree = changeTree(
        base,
        changes.map((change) => ({ ...change, path: `${folder}${change.path}` })),
      );
      return store({
        tree,
        parents: parent === null ? [] : [parent],
        author: identity(who),
        atSeconds: who.atSeconds,
        message: message.replaceAll("\0", "").replace(/\n*$/, "\n"),
      });
    }

    const repository: Repository = {
      url: "https://git.example.com/federation.git",
      list: (scope, signal) =>
        request("list", "", signal, () => {
          const below = [...branches].filter(([name]) => name.startsWith(`${prefix}/`));
          const refs = new Map(below.map(([name, id]) => [name.slice(prefix.length + 1), id]));
          return { head: branches.get(tracked) ?? null, refs: scope === "branch" ? null : refs };
        }),
      read: (commit, signal) => request("read", "", signal, () => revisionOf(stored(commit), folder)),
      relation: (ancestor, descendant, signal) =>
        request("relation", "", signal, () => {
          if (ancestor === descendant) return "same";
          return past(descendant).has(ancestor) ? "ancestor" : "unrelated";
        }),
      async *history({ from, until }, limit, signal) {
        const range = await request("history", "", signal, () => {
          if (until !== null && !past(stored(from).id).has(until)) {
            throw new FederationError("AG2012", `${until} is not in the past of ${from}`);
          }
          const known = until === null ? new Set() : past(until);
          return newestFirst([...past(from)].filter((id) => !known.has(id)).map(stored));
        });
        for (const commit of range.slice(0, limit)) yield revisionOf(commit, folder);
      },
      readFiles: (commit, signal) =>
        request("readFiles", "", signal, () =>
          [...stored(commit).tree].toSorted(byPath).flatMap(([name, entry]) => regular(name, entry)),
        ),
      publish: ({ parent, changes, message, author }, signal) =>
        request("publish", tracked, signal, () => {
          mayWrite();
          const id = commitOnto(parent, changes, message, author);
          move(tracked, parent, id, "AG2003");
          return id;
        }),
      start: ({ changes, message, author }, signal) =>
        request("start", tracked, signal, () => {
          mayWrite();
          const id = commitOnto(null, changes, message, author);
          move(tracked, null, id, "AG2003");
          return id;
        }),
      propose: ({ ref, expected, parent, changes, message, author }, signal) =>
        request("propose", ref, signal, () => {
          mayWrite();
          const id = commitOnto(parent, changes, message, author);
          if (branches.get(`${prefix}/${ref}`) !== id) move(`${prefix}/${ref}`, expected, id, "AG2011");
          return id;
        }),
      moveRef: ({ ref, expected, target }, signal) =>
        request("moveRef", ref, signal, () => {
          mayWrite();
          const at = branches.get(`${prefix}/${ref}`) ?? null;
          if (at !== target || expected === target) move(`${prefix}/${ref}`, expected, target, "AG2011");
        }),
      writeOrphan: ({ ref, expected, files, message, author }, signal) =>
        request("writeOrphan", ref, signal, () => {
          mayWrite();
          const tree = new Map(files.map((file) => [file.path, blob(file.bytes)]));
          const id = store({ tree, parents: [], author: identity(author), atSeconds: author.atSeconds, message });
          if (branches.get(`${prefix}/${ref}`) !== id) move(`${prefix}/${ref}`, expected, id, "AG2011");
          return id;
        }),
    };
    return repository;
  }

  const commit: FakeRemote["commit"] = (
    tree,
    { parents = [], message = "A change\n", atSeconds = 1_700_000_000 } = {},
  ) => store({ tree, parents, message, atSeconds, author: "Somebody <somebody@example.com>" });

  return {
    writes,
    open,
    fail: (fault) => void faults.push({ fault, left: fault.times ?? 1 }),
    heal: () => {
      faults = [];
    },
    branch: (name) => branches.get(name) ?? null,
    branches: () => new Map(branches),
    setBranch: (name, id) => void (id === null ? branches.delete(name) : branches.set(name, id)),
    commit,
    push(branch, changes, message = "A change") {
      const parent = branches.get(branch) ?? null;
      const encoded = Object.entries(changes).map(([path, content]) => ({
        path,
        bytes: typeof content === "string" ? new TextEncoder().encode(content) : content,
      }));
      const tree = changeTree(parent === null ? new Map() : stored(parent).tree, encoded);
      const atSeconds = 1_700_000_000 + commits.size;
      const id = commit(tree, { parents: parent === null ? [] : [parent], message: `${message}\n`, atSeconds });
      branches.set(branch, id);
      return id;
    },
    stored,
    text(id, path) {
      const bytes = stored(id).tree.get(path)?.bytes;
      return bytes === undefined ? null : new TextDecoder().decode(bytes);
    },
  };
}

/** A tree's entry as git would have it. */
export function blob(bytes: Uint8Array, mode = "100644"): Entry {
  return { mode, bytes, id: sha1(`blob ${bytes.length}\0`, bytes) as ObjectId };
}

export function submodule(id: string): Entry {
  return { mode: SUBMODULE, bytes: new Uint8Array(), id: id as ObjectId };
}

function sha1(...parts: readonly (string | Uint8Array)[]): string {
  return parts.reduce((hash, part) => hash.update(part), createHash("sha1")).digest("hex");
}

function identity({ name, email }: CommitAuthor): string {
  const clean = (text: string): string => text.replace(/[<>\p{Cc}]/gu, "");
  return `${clean(name) || "unknown"} <${clean(email)}>`;
}

/** Refuses what git refuses; a folder exists exactly while it holds something. */
function changeTree(base: Tree, changes: readonly FileChange[]): Tree {
  const tree = new Map(base);
  for (const { path, bytes } of changes) {
    const segments = path.split("/");
    if (segments.some((segment) => segment === "" || /^(\.{1,2}|\.git)$|[\0\\]/i.test(segment))) {
      throw new FederationError("AG9001", `${path} is no path`);
    }
    const above = segments.slice(0, -1).map((_, index) => segments.slice(0, index + 1).join("/"));
    const isBlocked =
      above.some((folder) => tree.has(folder)) || [...tree.keys()].some((one) => one.startsWith(`${path}/`));
    if (bytes === null) {
      tree.delete(path);
      continue;
    }
    if (isBlocked) throw new FederationError("AG1001", `${path} cannot be written`);
    const before = tree.get(path);
    tree.set(path, blob(bytes, before?.mode.startsWith("10") ? before.mode : undefined));
  }
  return tree;
}

function revisionOf(commit: StoredCommit, folder: string): Revision {
  const inside = [...commit.tree]
    .toSorted(byPath)
    .flatMap(([path, entry]) => (path.startsWith(folder) ? [[path.slice(folder.length), entry] as const] : []));
  const listing = inside.map(([path, { mode, id }]) => `${path}\0${mode}\0${id}`);
  const files = inside.flatMap(([path, entry]) => (matters(path) ? [fileOf(path, entry)] : []));
  return {
    commit: commit.id,
    tree: inside.length === 0 && folder !== "" ? null : (sha1(listing.join("\n")) as ObjectId),
    parents: commit.parents,
    committedAtSeconds: commit.atSeconds,
    author: commit.author,
    message: commit.message,
    files,
  };
}

function byPath([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function matters(path: string): boolean {
  const [top, ...rest] = path.split("/");
  return (top === "clusters" || top === "federation") && rest.length <= 2;
}

function fileOf(path: string, { mode, bytes, id }: Entry): RevisionFile {
  if (mode === SUBMODULE) return { path, type: "submodule", id, size: 0, bytes: null };
  if (mode === SYMLINK) return { path, type: "symlink", id, size: bytes.length, bytes: null };
  return { path, type: "file", id, size: bytes.length, bytes: bytes.length > FILE_SIZE_MAX_BYTES ? null : bytes };
}

function regular(path: string, entry: Entry): readonly RevisionFile[] {
  const file = fileOf(path, entry);
  return file.type === "file" ? [file] : [];
}

/** Each commit before its parents, the newer date first where both could come. */
function newestFirst(commits: readonly StoredCommit[]): readonly StoredCommit[] {
  const waiting = new Map(commits.map((commit) => [commit.id, commit]));
  const result: StoredCommit[] = [];
  while (waiting.size > 0) {
    const held = new Set([...waiting.values()].flatMap(({ parents }) => parents));
    const ready = [...waiting.values()].filter(({ id }) => !held.has(id));
    const next = ready.toSorted((a, b) => b.atSeconds - a.atSeconds)[0];
    if (next === undefined) throw new Error("the history is a circle");
    waiting.delete(next.id);
    result.push(next);
  }
  return result;
}
