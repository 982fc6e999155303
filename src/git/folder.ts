import { createHash } from "node:crypto";
import type { Dirent } from "node:fs";
import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { FILE_SIZE_MAX_BYTES, type ObjectId, type RevisionFile } from "../core/model.ts";
import { FederationError } from "../errors.ts";
import { FILES_MAX } from "./revision.ts";

/** The folders of a federation whose folders hold the files that matter. */
const TOP_FOLDERS = ["clusters", "federation"] as const;

/**
 * The files that matter of a folder on disk, as a revision would hold them: edits that nobody has committed included.
 * Symbolic links are told as what they are and never followed.
 * @throws FederationError AG4008 when the folder cannot be read, AG1022 for too many files.
 */
export async function readFolder(directory: string): Promise<readonly RevisionFile[]> {
  await entriesOf(directory);
  const files: RevisionFile[] = [];
  for (const top of TOP_FOLDERS) {
    const stats = await lstat(join(directory, top)).catch(() => null);
    if (stats === null) continue;
    if (!stats.isDirectory()) {
      files.push(await readEntry(directory, top, stats.isSymbolicLink() ? "symlink" : "file"));
      continue;
    }
    for (const entry of await entriesOf(join(directory, top))) {
      const path = `${top}/${entry.name}`;
      if (entry.isDirectory()) files.push(...(await readInner(directory, path)));
      else files.push(await readEntry(directory, path, typeOf(entry)));
      if (files.length > FILES_MAX)
        throw new FederationError("AG1022", `${directory} holds more than ${FILES_MAX} files`);
    }
  }
  return files;
}

async function readInner(directory: string, folder: string): Promise<readonly RevisionFile[]> {
  const files: RevisionFile[] = [];
  for (const entry of await entriesOf(join(directory, folder))) {
    if (!entry.isDirectory()) files.push(await readEntry(directory, `${folder}/${entry.name}`, typeOf(entry)));
  }
  return files;
}

async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw new FederationError("AG4008", `the folder ${folder} cannot be read`, {
      cause: error,
      remedy: "Name the folder of a checkout of the federation repository.",
    });
  }
}

function typeOf(entry: Dirent): RevisionFile["type"] {
  return entry.isFile() ? "file" : "symlink";
}

async function readEntry(directory: string, path: string, type: RevisionFile["type"]): Promise<RevisionFile> {
  const full = join(directory, path);
  const { size } = await lstat(full);
  const content = type === "file" && size <= FILE_SIZE_MAX_BYTES ? await readFile(full) : null;
  const bytes = content === null ? null : new Uint8Array(content);
  return { path, type, id: blobId(content ?? Buffer.from(path)), size, bytes };
}

/** What git would call the content. */
function blobId(content: Uint8Array): ObjectId {
  return createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex") as ObjectId;
}
