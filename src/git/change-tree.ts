import type { FileChange, ObjectId } from "../core/model.ts";
import { FederationError } from "../errors.ts";
import type { WritableObjects } from "./object-store.ts";
import type { ObjectType } from "./pack.ts";
import { encodeName, FILE_MODE, FOLDER_MODE, formatTree, type TreeEntry, typeOf } from "./tree.ts";

/** A tree that was written, and every new object that the server needs with it. */
export interface ChangedTree {
  readonly id: ObjectId;
  readonly written: readonly string[];
}

/**
 * Writes the tree that `base` (null: an empty one) becomes with `changes`. Everything else stays byte for byte,
 * names and modes included; a folder that became empty goes. There is no index: the parent's tree is the only truth.
 * @throws FederationError AG1001 when something else stands where a folder or a file is needed.
 */
export async function changeTree(
  store: WritableObjects,
  base: ObjectId | null,
  changes: readonly FileChange[],
): Promise<ChangedTree> {
  const target: Target = { store, written: [] };
  const pending = changes.map(({ path, bytes }) => ({ path, segments: splitPath(path), bytes }));
  const id = (await changeFolder(target, base, pending)) ?? write(target, "tree", new Uint8Array());
  return { id, written: target.written };
}

interface PendingChange {
  /** In full, for messages. */
  readonly path: string;
  /** What is left of it below the folder at hand. */
  readonly segments: readonly string[];
  readonly bytes: Uint8Array | null;
}

interface Target {
  readonly store: WritableObjects;
  readonly written: string[];
}

/** Null when nothing is left in the folder. */
async function changeFolder(
  target: Target,
  base: ObjectId | null,
  changes: readonly PendingChange[],
): Promise<ObjectId | null> {
  const before = base === null ? [] : await target.store.readTree(base);
  const entries = new Map(before.map((entry) => [entry.name, entry]));
  for (const [name, inside] of Map.groupBy(changes, ({ segments }) => segments[0] ?? "")) {
    const changed = await changeEntry(target, entries.get(name), name, inside);
    if (changed === null) entries.delete(name);
    else entries.set(name, changed);
  }
  return entries.size === 0 ? null : write(target, "tree", formatTree([...entries.values()]));
}

async function changeEntry(
  target: Target,
  before: TreeEntry | undefined,
  name: string,
  changes: readonly PendingChange[],
): Promise<TreeEntry | null> {
  const file = changes.find(({ segments }) => segments.length === 1);
  if (file !== undefined) {
    if (changes.length > 1) throw new FederationError("AG9001", `two changes of one commit meet at ${file.path}`);
    return changeFile(target, before, name, file);
  }
  const inside = changes.map((change) => ({ ...change, segments: change.segments.slice(1) }));
  if (before !== undefined && typeOf(before) !== "folder") {
    if (inside.every(({ bytes }) => bytes === null)) return before;
    throw new FederationError("AG1001", `${changes[0]?.path} cannot be written: a ${typeOf(before)} is in the way`);
  }
  const id = await changeFolder(target, before?.id ?? null, inside);
  return id === null ? null : { mode: FOLDER_MODE, name, id };
}

function changeFile(
  target: Target,
  before: TreeEntry | undefined,
  name: string,
  { path, bytes }: PendingChange,
): TreeEntry | null {
  if (before !== undefined && typeOf(before) === "folder") {
    throw new FederationError("AG1001", `${path} cannot be written: a folder is in the way`);
  }
  if (bytes === null) return null;
  const mode = before !== undefined && typeOf(before) === "file" ? before.mode : FILE_MODE;
  return { mode, name, id: write(target, "blob", bytes) };
}

function write({ store, written }: Target, type: ObjectType, bytes: Uint8Array): ObjectId {
  const id = store.write({ type, bytes });
  written.push(id);
  return id as ObjectId;
}

/** Refuses what git refuses in a tree, and what a file system would take for something else. */
function splitPath(path: string): readonly string[] {
  const segments = path.split("/");
  const isSafe = segments.every((segment) => segment !== "" && !/^(\.{1,2}|\.git)$|[\0\\]/i.test(segment));
  if (!isSafe) throw new FederationError("AG9001", `${path} is no path for a file in the repository`);
  return segments.map(encodeName);
}
