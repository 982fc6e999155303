import { cp, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "./git.ts";

/** One place of the sources, changed on purpose. */
export interface SourcePatch {
  /** From the project's root: `src/core/merge.ts`. */
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly search: string;
  readonly replacement: string;
}

/** The project in a temporary folder, where it may be broken. */
export interface PatchedCopy extends AsyncDisposable {
  readonly path: string;
  /** Breaks one place. @throws Error when it does not stand there exactly once. */
  apply(patch: SourcePatch): Promise<void>;
  /** Puts every file back that was patched. */
  restore(): Promise<void>;
}

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const COPIED: readonly string[] = ["src", "test", "deploy", "fixtures", "package.json", "tsconfig.json"];

/** Copies what tests and programs need to run; `node_modules` is a link. The copy is gone when it is disposed of. */
export async function makePatchedCopy(): Promise<PatchedCopy> {
  const folder = await temporaryFolder();
  for (const name of COPIED) await cp(join(PROJECT, name), join(folder.path, name), { recursive: true });
  await symlink(join(PROJECT, "node_modules"), join(folder.path, "node_modules"));
  const originals = new Map<string, string>();

  return {
    path: folder.path,
    async apply({ file, search, replacement }) {
      const path = join(folder.path, file);
      const text = await readFile(path, "utf8");
      const places = text.split(search).length - 1;
      if (places !== 1) throw new Error(`${file} holds ${places} times, and not once:\n${search}`);
      if (!originals.has(path)) originals.set(path, text);
      await writeFile(
        path,
        text.replace(search, () => replacement),
      );
    },
    async restore() {
      for (const [path, text] of originals) await writeFile(path, text);
      originals.clear();
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
