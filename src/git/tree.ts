import type { ObjectId } from "../core/model.ts";
import { FederationError } from "../errors.ts";

/**
 * One line of a git tree, as it stands there: the mode's digits and the name's bytes (one character per byte) are
 * kept, so that a tree can be written again without changing what we did not mean to change.
 */
export interface TreeEntry {
  readonly mode: string;
  readonly name: string;
  readonly id: ObjectId;
}

export type Tree = readonly TreeEntry[];

export const FOLDER_MODE = "40000";
export const FILE_MODE = "100644";

const ID_BYTES = 20;

/** What an entry is. Old modes such as 100664 are regular files too. */
export function typeOf({ mode }: TreeEntry): "folder" | "file" | "symlink" | "submodule" {
  const digits = mode.padStart(6, "0");
  if (digits.startsWith("04")) return "folder";
  if (digits.startsWith("10")) return "file";
  if (digits.startsWith("12")) return "symlink";
  return "submodule";
}

/** @throws FederationError AG2008 */
export function parseTree(bytes: Uint8Array): Tree {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: TreeEntry[] = [];
  let offset = 0;
  while (offset < buffer.length) {
    const space = buffer.indexOf(0x20, offset);
    const end = buffer.indexOf(0, space);
    if (space < 0 || end < 0 || end + 1 + ID_BYTES > buffer.length) {
      throw new FederationError("AG2008", "the repository holds a malformed tree");
    }
    entries.push({
      mode: buffer.toString("latin1", offset, space),
      name: buffer.toString("latin1", space + 1, end),
      id: buffer.toString("hex", end + 1, end + 1 + ID_BYTES) as ObjectId,
    });
    offset = end + 1 + ID_BYTES;
  }
  return entries;
}

/** Sorts as git does: by bytes, a folder as if its name ended with a slash. */
export function formatTree(entries: Tree): Uint8Array {
  const sorted = [...entries].sort((left, right) => (sortKey(left) < sortKey(right) ? -1 : 1));
  return Buffer.concat(
    sorted.flatMap(({ mode, name, id }) => [Buffer.from(`${mode} ${name}\0`, "latin1"), Buffer.from(id, "hex")]),
  );
}

/** A name as people read it. */
export function decodeName(name: string): string {
  return Buffer.from(name, "latin1").toString("utf8");
}

export function encodeName(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function sortKey(entry: TreeEntry): string {
  return typeOf(entry) === "folder" ? `${entry.name}/` : entry.name;
}
