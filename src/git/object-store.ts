import type { CommitId, ObjectId } from "../core/model.ts";
import { FederationError } from "../errors.ts";
import { type Commit, parseCommit } from "./commit.ts";
import { formatPack, type GitObject, type ObjectType, objectIdOf } from "./pack.ts";
import { createPackedObjects } from "./packed-objects.ts";
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
 * Git objects in memory. There is no work tree, no index, no ref and no file: the packs that a server sent, and objects
 * of our own. A store only grows, so it is thrown away from time to time (see clone.ts).
 */
export interface ObjectStore extends WritableObjects {
  has(id: string): boolean;
  /** Takes in a pack that a server sent. @throws FederationError AG2008 when it is damaged, AG2009 when it is too large. */
  addPack(pack: Uint8Array): void;
}

export function createObjectStore(): ObjectStore {
  const packed = createPackedObjects();
  const written = new Map<string, GitObject>();

  async function read(id: string, type: ObjectType): Promise<Uint8Array> {
    const found = written.get(id) ?? packed.read(id);
    if (found === null) throw new FederationError("AG2008", `the clone lacks the ${type} ${id}`);
    if (found.type !== type) throw new FederationError("AG2008", `the object ${id} is no ${type}`);
    return found.bytes;
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
    addPack: packed.add,
  };
}
