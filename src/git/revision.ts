import { type CommitId, FILE_SIZE_MAX_BYTES, type ObjectId, type Revision, type RevisionFile } from "../core/model.ts";
import { FederationError } from "../errors.ts";
import { createLru, type Lru } from "./lru.ts";
import type { ReadableObjects } from "./object-store.ts";
import { decodeName, encodeName, type Tree, type TreeEntry, typeOf } from "./tree.ts";

/** Two files each for 25,000 clusters. More is not a federation. */
export const FILES_MAX = 50_000;
/**
 * Folders whose files were read last: a revision that changes one of a thousand manifests reads one folder. Twice what
 * the largest revision held, so that it stays while the next one is read; with more, an agent would keep its history.
 */
const FOLDER_CACHE_MIN_BYTES = 1024 * 1024;
const FOLDER_CACHE_MAX_BYTES = 32 * 1024 * 1024;
/** What a file takes on the heap beside its bytes. */
const FILE_OVERHEAD_BYTES = 500;
/** Of each top folder, whole states that were read last: a revision that touches one of the two leaves the other as it was. */
const TOP_FOLDERS_KEPT = 8;
/** The folders of a federation whose folders hold the files that matter. */
const TOP_FOLDERS = ["clusters", "federation"] as const;

export interface RevisionReader {
  /** Everything of a commit that matters. Files that did not change are the same objects as in earlier answers. */
  read(store: ReadableObjects, id: CommitId): Promise<Revision>;
  /** Every regular file of a commit, wherever it stands. */
  readAll(store: ReadableObjects, id: CommitId): Promise<readonly RevisionFile[]>;
}

/** Reads revisions below `path`, "" being the root. @throws FederationError AG1022 for too many files. */
export function createRevisionReader(path: string): RevisionReader {
  const segments = path.split("/").filter((segment) => segment !== "");
  let largestBytes = 0;
  const folders = createLru<string, readonly RevisionFile[]>({
    weightMax: () => Math.min(FOLDER_CACHE_MAX_BYTES, Math.max(FOLDER_CACHE_MIN_BYTES, 2 * largestBytes)),
    weigh,
  });

  const topCache = () => createLru<string, readonly RevisionFile[]>({ weightMax: TOP_FOLDERS_KEPT, weigh: () => 1 });
  // Apart, since revisions that each change the one would drive out the other, which they have in common.
  const tops = { clusters: topCache(), federation: topCache() } as const;
  const underWay = new Map<string, Promise<readonly RevisionFile[]>>();

  /** Several revisions may be read at once, and share what they have in common: they mostly differ in one folder. */
  async function once(
    known: Lru<string, readonly RevisionFile[]>,
    key: string,
    work: () => Promise<readonly RevisionFile[]>,
  ): Promise<readonly RevisionFile[]> {
    const before = known.get(key) ?? (await underWay.get(key));
    if (before !== undefined) return before;
    const reading = work();
    underWay.set(key, reading);
    try {
      const files = await reading;
      known.set(key, files);
      return files;
    } finally {
      underWay.delete(key);
    }
  }

  /** The entries directly in a folder, without its folders. */
  function readFolder(store: ReadableObjects, id: ObjectId, folder: string): Promise<readonly RevisionFile[]> {
    return once(folders, `${id} ${folder}`, async () => {
      const files: RevisionFile[] = [];
      for (const entry of await store.readTree(id)) {
        if (typeOf(entry) === "folder") continue;
        files.push(await readEntry(store, entry, `${folder}/${decodeName(entry.name)}`));
      }
      return files;
    });
  }

  async function readTopFolder(
    store: ReadableObjects,
    top: TreeEntry,
    name: keyof typeof tops,
  ): Promise<readonly RevisionFile[]> {
    // Something else where a folder is expected is told as what it is, so that nobody takes it for "no files".
    if (typeOf(top) !== "folder") return [await readEntry(store, top, name)];
    return await once(tops[name], top.id, async () => {
      const files: RevisionFile[] = [];
      let bytes = 0;
      for (const entry of await store.readTree(top.id)) {
        const path = `${name}/${decodeName(entry.name)}`;
        const read =
          typeOf(entry) === "folder" ? await readFolder(store, entry.id, path) : [await readEntry(store, entry, path)];
        files.push(...read);
        // While it is read, lest what was read first is driven out by what is read last.
        bytes += weigh(read);
        largestBytes = Math.max(largestBytes, bytes);
        if (files.length > FILES_MAX) throw tooManyFiles();
      }
      return files;
    });
  }

  return {
    async read(store, id) {
      const commit = await store.readCommit(id);
      const tree = await resolveFolder(store, commit.tree, segments);
      const entries = tree === null ? [] : await store.readTree(tree);
      const files: RevisionFile[] = [];
      for (const name of TOP_FOLDERS) {
        const top = entries.find((entry) => entry.name === name);
        if (top !== undefined) files.push(...(await readTopFolder(store, top, name)));
      }
      const { parents, committedAtSeconds, author, message } = commit;
      return { commit: id, tree, parents, committedAtSeconds, author, message, files };
    },
    async readAll(store, id) {
      const { tree } = await store.readCommit(id);
      return (await readDeep(store, await store.readTree(tree), "")).filter(({ type }) => type === "file");
    },
  };
}

function weigh(files: readonly RevisionFile[]): number {
  return files.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0) + FILE_OVERHEAD_BYTES, 0);
}

async function resolveFolder(
  store: ReadableObjects,
  root: ObjectId,
  segments: readonly string[],
): Promise<ObjectId | null> {
  let id = root;
  for (const segment of segments) {
    const found = (await store.readTree(id)).find((entry) => entry.name === encodeName(segment));
    if (found === undefined || typeOf(found) !== "folder") return null;
    id = found.id;
  }
  return id;
}

async function readEntry(store: ReadableObjects, entry: TreeEntry, path: string): Promise<RevisionFile> {
  const type = typeOf(entry);
  if (type === "folder" || type === "submodule") return { path, type: "submodule", id: entry.id, size: 0, bytes: null };
  const content = await store.readBlob(entry.id);
  // Copied, so that a small file does not keep the larger buffer alive that it was cut from.
  const bytes = type === "file" && content.length <= FILE_SIZE_MAX_BYTES ? new Uint8Array(content) : null;
  return { path, type, id: entry.id, size: content.length, bytes };
}

async function readDeep(store: ReadableObjects, tree: Tree, folder: string): Promise<readonly RevisionFile[]> {
  const files: RevisionFile[] = [];
  for (const entry of tree) {
    const path = `${folder}${decodeName(entry.name)}`;
    if (typeOf(entry) === "folder") files.push(...(await readDeep(store, await store.readTree(entry.id), `${path}/`)));
    else files.push(await readEntry(store, entry, path));
    if (files.length > FILES_MAX) throw tooManyFiles();
  }
  return files;
}

function tooManyFiles(): FederationError {
  return new FederationError("AG1022", `the revision holds more than ${FILES_MAX} files`);
}
