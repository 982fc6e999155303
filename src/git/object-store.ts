import git from "isomorphic-git";
import { memfs } from "memfs";
import type { CommitId, ObjectId } from "../core/model.ts";
import { asFederationError, FederationError } from "../errors.ts";
import { type Commit, parseCommit } from "./commit.ts";
import { formatPack, type GitObject, inspectPack, type ObjectType, objectIdOf } from "./pack.ts";
import { parseTree, type Tree } from "./tree.ts";

/** Objects that can be read, wherever they are kept. */
export interface ReadableObjects {
  /** @throws FederationError AG2008 when the object is not here or is of another type. */
  readCommit(id: CommitId): Promise<Commit>;
  readTree(id: ObjectId): Promise<Tree>;
  readBlob(id: ObjectId): Promise<Uint8Array>;
}

/** The same, with room for objects of our own, which are pushed as a pack. */
export interface WritableObjects extends ReadableObjects {
  /** Keeps an object of our own, and returns its id. */
  write(object: GitObject): string;
  /** A pack of objects that were written here, to be pushed. */
  packOf(ids: readonly string[]): Uint8Array;
}

/**
 * Git objects in memory. There is no work tree, no index and no ref: isomorphic-git indexes the packs that a server
 * sent and reads objects from them, nothing else. A store only grows, so it is thrown away from time to time (see
 * clone.ts).
 */
export interface ObjectStore extends WritableObjects {
  has(id: string): boolean;
  /** Takes in a pack that a server sent. @throws FederationError AG2008 when it is damaged. */
  addPack(pack: Uint8Array): Promise<void>;
}

const GITDIR = "/repository";

export async function createObjectStore(): Promise<ObjectStore> {
  const fs = createVolume();
  // isomorphic-git keeps parsed pack indexes in this object for ever; it lives and dies with the volume.
  const place = { fs, gitdir: GITDIR, cache: {} };
  await git.init({ fs, gitdir: GITDIR, bare: true });
  const packed = new Set<string>();
  const written = new Map<string, GitObject>();

  async function read(id: string, type: ObjectType): Promise<Uint8Array> {
    const found = written.get(id) ?? (packed.has(id) ? await readPacked(id) : null);
    if (found === null) throw new FederationError("AG2008", `the clone lacks the ${type} ${id}`);
    if (found.type !== type) throw new FederationError("AG2008", `the object ${id} is no ${type}`);
    return found.bytes;
  }

  async function readPacked(id: string): Promise<GitObject> {
    const { type, object } = await git.readObject({ ...place, oid: id, format: "content" }).catch(damaged);
    return { type: type as ObjectType, bytes: object as Uint8Array };
  }

  return {
    has: (id) => packed.has(id) || written.has(id),
    readCommit: async (id) => parseCommit(await read(id, "commit")),
    readTree: async (id) => parseTree(await read(id, "tree")),
    readBlob: (id) => read(id, "blob"),
    write(object) {
      const id = objectIdOf(object);
      written.set(id, object);
      return id;
    },
    packOf: (ids) => formatPack([...new Set(ids)].flatMap((id) => written.get(id) ?? [])),
    async addPack(pack) {
      const { objects, checksum } = inspectPack(pack);
      if (objects === 0) return;
      const filepath = `objects/pack/pack-${checksum}.pack`;
      await fs.promises.writeFile(`${GITDIR}/${filepath}`, pack);
      const { oids } = await git.indexPack({ ...place, dir: GITDIR, filepath }).catch(damaged);
      for (const id of oids) packed.add(id);
    },
  };
}

/**
 * A file system in memory, on which loose objects are never found: isomorphic-git looks for one before each read from
 * a pack, and making memfs's error costs more than the read.
 */
function createVolume() {
  const { promises } = memfs().fs;
  const notFound = Object.assign(new Error("no loose objects here"), { code: "ENOENT" });
  const readFile = (path: string, options?: object): Promise<unknown> =>
    /\/objects\/[0-9a-f]{2}\//.test(path) ? Promise.reject(notFound) : promises.readFile(path, options);
  return {
    promises: {
      readFile,
      writeFile: promises.writeFile.bind(promises),
      mkdir: promises.mkdir.bind(promises),
      rmdir: promises.rmdir.bind(promises),
      unlink: promises.unlink.bind(promises),
      stat: promises.stat.bind(promises),
      lstat: promises.lstat.bind(promises),
      readdir: promises.readdir.bind(promises),
      readlink: promises.readlink.bind(promises),
      symlink: promises.symlink.bind(promises),
    },
  };
}

function damaged(error: unknown): never {
  const { message } = asFederationError(error);
  throw new FederationError("AG2008", `the repository's objects cannot be read: ${message}`, { cause: error });
}
