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
  push(changes: PersonalChanges, message?: string): Promise<CommitId>;
  /** The same past whatever judges pushes, as who may write into the server's repository itself. */
  slip(changes: PersonalChanges, message?: string): Promise<CommitId>;
}

export type PersonalChanges = Readonly<Record<string, PersonalChange>>;

const ATTEMPTS_MAX = 10;

/** Clones into `folder`, with git itself, over HTTP, what the server has as the bare `repository`. */
export async function clonePerson(url: string, folder: string, repository: string, branch = "main"): Promise<Person> {
  await mkdir(folder, { recursive: true });
  await git(folder, ["init", "--quiet", `--initial-branch=${branch}`, "."]);
  await git(folder, ["remote", "add", "origin", url]);

  async function attempt(changes: PersonalChanges, message: string, land: () => Promise<unknown>): Promise<CommitId> {
    await git(folder, ["fetch", "--quiet", "origin"]);
    const known = await git(folder, ["for-each-ref", `refs/remotes/origin/${branch}`]);
    if (known !== "") await git(folder, ["reset", "--quiet", "--hard", `refs/remotes/origin/${branch}`]);
    for (const [path, change] of Object.entries(changes)) await apply(folder, path, change);
    await git(folder, ["commit", "--quiet", "--message", message]);
    await land();
    return (await git(folder, ["rev-parse", "HEAD"])) as CommitId;
  }

  async function insist(changes: PersonalChanges, message: string, land: () => Promise<unknown>): Promise<CommitId> {
    for (let attempts = 1; ; attempts += 1) {
      try {
        return await attempt(changes, message, land);
      } catch (error) {
        if (attempts === ATTEMPTS_MAX || /AG\d{4}/.test(String(error))) throw error;
      }
    }
  }

  const ref = `refs/heads/${branch}`;
  const push = (): Promise<unknown> => git(folder, ["push", "--quiet", "origin", `HEAD:${ref}`]);
  // A fetch moves a ref as a push does, only forward; no hook hears of it.
  const slip = (): Promise<unknown> => git(repository, ["fetch", "--quiet", folder, `HEAD:${ref}`]);
  return {
    folder,
    push: (changes, message = "Somebody's change") => insist(changes, message, push),
    slip: (changes, message = "Somebody's change") => insist(changes, message, slip),
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
