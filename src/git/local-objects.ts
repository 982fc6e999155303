import { FederationError } from "../errors.ts";
import { type CatFile, createCatFile } from "./cat-file.ts";
import { parseCommit } from "./commit.ts";
import type { GitProgram } from "./git-program.ts";
import type { ReadableObjects, WritableObjects } from "./object-store.ts";
import { formatPack, type GitObject, type ObjectType, objectIdOf } from "./pack.ts";
import { parseTree } from "./tree.ts";
import { serverWords } from "./words.ts";

/** The objects of a repository on this disk. */
export interface LocalObjects extends ReadableObjects {
  hasCommit(id: string): Promise<boolean>;
  /** A place to make objects in; they are written by {@link LocalObjects.add}. */
  draft(): WritableObjects;
  add(pack: Uint8Array, signal: AbortSignal): Promise<void>;
}

const EMPTY_PACK_BYTES = formatPack([]).length;

export function createLocalObjects(git: GitProgram, timeoutMs: number): LocalObjects {
  const catFile = createCatFile(git, timeoutMs);
  const readable = createReader(catFile, new Map());
  // What was here stays here: nothing deletes objects that were reached a moment ago.
  const present = new Set<string>();
  return {
    ...readable,
    async hasCommit(id) {
      if (present.has(id)) return true;
      if ((await catFile.read(id))?.type !== "commit") return false;
      present.add(id);
      return true;
    },
    draft() {
      const written = new Map<string, GitObject>();
      return {
        ...createReader(catFile, written),
        write(object) {
          const id = objectIdOf(object);
          written.set(id, object);
          return id;
        },
        packOf: (ids) => formatPack([...new Set(ids)].flatMap((id) => written.get(id) ?? [])),
      };
    },
    async add(pack, signal) {
      if (pack.length <= EMPTY_PACK_BYTES) return;
      const { code, stderr } = await git.run(["unpack-objects", "-q"], { input: pack, signal });
      if (code === 0) return;
      throw new FederationError("AG4008", `git cannot write objects here: ${serverWords(stderr, [])}`);
    },
  };
}

function createReader(catFile: CatFile, written: ReadonlyMap<string, GitObject>): ReadableObjects {
  async function read(id: string, type: ObjectType): Promise<Uint8Array> {
    const found = written.get(id) ?? (await catFile.read(id));
    if (found === null) throw new FederationError("AG2008", `the repository lacks the ${type} ${id}`);
    if (found.type !== type) throw new FederationError("AG2008", `the object ${id} is no ${type}`);
    return found.bytes;
  }
  return {
    readCommit: async (id) => parseCommit(await read(id, "commit")),
    readTree: async (id) => parseTree(await read(id, "tree")),
    readBlob: (id) => read(id, "blob"),
  };
}
