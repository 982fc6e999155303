import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CommitId } from "../../src/core/model.ts";
import { git } from "./git.ts";

/** What a person does to a path: text or bytes are written, null is removed. */
export type PersonalChange =
  | string
  | Uint8Array
  | null
  | { readonly symlink: string }
  | { readonly submodule: CommitId };

/** Somebody with a clone and the right to push. */
export interface Person {
  /** The clone, to work in with git itself. */
  readonly folder: string;
  /** Commits the changes on top of what the server has and pushes; returns the commit. Tries again where it lost a race. */
  push(changes: Readonly<Record<string, PersonalChange>>, message?: string): Promise<CommitId>;
}

const ATTEMPTS_MAX = 10;

/** Clones into `folder`, with git itself, over HTTP. */
export async function clonePerson(url: string, folder: string, branch = "main"): Promise<Person> {
  await mkdir(folder, { recursive: true });
  await git(folder, ["init", "--quiet", `--initial-branch=${branch}`, "."]);
  await git(folder, ["remote", "add", "origin", url]);

  async function attempt(changes: Readonly<Record<string, PersonalChange>>, message: string): Promise<CommitId> {
    await git(folder, ["fetch", "--quiet", "origin"]);
    const known = await git(folder, ["for-each-ref", `refs/remotes/origin/${branch}`]);
    if (known !== "") await git(folder, ["reset", "--quiet", "--hard", `refs/remotes/origin/${branch}`]);
    for (const [path, change] of Object.entries(changes)) await apply(folder, path, change);
    await git(folder, ["commit", "--quiet", "--message", message]);
    await git(folder, ["push", "--quiet", "origin", `HEAD:refs/heads/${branch}`]);
    return (await git(folder, ["rev-parse", "HEAD"])) as CommitId;
  }

  return {
    folder,
    async push(changes, message = "Somebody's change") {
      for (let attempts = 1; ; attempts += 1) {
        try {
          return await attempt(changes, message);
        } catch (error) {
          if (attempts === ATTEMPTS_MAX) throw error;
        }
      }
    },
  };
}

async function apply(folder: string, path: string, change: PersonalChange): Promise<void> {
  const place = join(folder, path);
  if (change !== null && typeof change === "object" && "submodule" in change) {
    await git(folder, ["rm", "--quiet", "-r", "--cached", "--ignore-unmatch", "--", path]);
    await git(folder, ["update-index", "--add", "--cacheinfo", `160000,${change.submodule},${path}`]);
    return;
  }
  await rm(place, { recursive: true, force: true });
  if (change === null) {
    await git(folder, ["rm", "--quiet", "-r", "--cached", "--ignore-unmatch", "--", path]);
    return;
  }
  await mkdir(dirname(place), { recursive: true });
  if (typeof change === "string" || change instanceof Uint8Array) await writeFile(place, change);
  else await symlink(change.symlink, place);
  await git(folder, ["add", "--force", "--", path]);
}
