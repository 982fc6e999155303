import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Edit, editYaml } from "../core/edit.ts";

/** A person's clone of the federation repository, worked on with git itself. */
export interface Clone {
  git(...args: readonly string[]): Promise<string>;
  /** Starts a branch from what the server has. */
  branch(name: string): Promise<void>;
  /** Changes single fields of a file, as an editor would. */
  edit(path: string, edits: readonly Edit[]): Promise<void>;
  /** Commits what was edited, merges the branch into main and pushes; starts over where an agent was faster. */
  merge(branch: string, message: string): Promise<void>;
}

const PERSON = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
const ATTEMPTS_MAX = 10;

export async function cloneRepository(url: string, folder: string): Promise<Clone> {
  const run = promisify(execFile);
  await run("git", ["clone", "--quiet", url, folder]);
  const git = async (...args: readonly string[]): Promise<string> =>
    (await run("git", ["-C", folder, ...PERSON, ...args])).stdout.trimEnd();

  async function mergeOnce(branch: string, message: string): Promise<void> {
    await git("fetch", "--quiet", "origin");
    await git("switch", "--quiet", "main");
    await git("reset", "--quiet", "--hard", "origin/main");
    await git("merge", "--quiet", "--no-ff", "-m", `Merge branch '${branch}'\n\n${message}`, branch);
    await git("push", "--quiet", "origin", "main");
  }

  return {
    git,
    async branch(name) {
      await git("fetch", "--quiet", "origin");
      await git("switch", "--quiet", "--no-track", "-C", name, "origin/main");
    },
    async edit(path, edits) {
      const place = join(folder, path);
      await writeFile(place, editYaml(await readFile(place, "utf8"), edits));
    },
    async merge(branch, message) {
      await git("commit", "--quiet", "--all", "-m", message);
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await mergeOnce(branch, message);
        } catch (error) {
          if (attempt === ATTEMPTS_MAX) throw error;
        }
      }
    },
  };
}
