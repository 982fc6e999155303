import { mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FederationError } from "../errors.ts";

/**
 * Writes files into a folder that is empty or not there yet. A folder that holds nothing but `.git` counts as empty: it
 * is a fresh `git init`, or a clone of an empty repository.
 * @throws FederationError AG4010 when something stands there, AG4008 when it cannot be written.
 */
export async function writeFolder(
  directory: string,
  files: readonly { readonly path: string; readonly bytes: Uint8Array }[],
): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    const present = (await readdir(directory)).filter((name) => name !== ".git");
    if (present.length > 0) throw new FederationError("AG4010", `the folder ${directory} is not empty`);
    for (const { path, bytes } of files) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      // `wx`: what appeared meanwhile is somebody else's.
      await writeFile(join(directory, path), bytes, { flag: "wx" });
    }
  } catch (error) {
    if (error instanceof FederationError) throw error;
    throw new FederationError("AG4008", `the folder ${directory} cannot be written`, {
      cause: error,
      remedy: "Name a folder that may be created or written, and that is empty.",
    });
  }
}
