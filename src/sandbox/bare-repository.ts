import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { runGit } from "./git-command.ts";

export interface BareRepositoryOptions {
  /** A plain folder whose files become the first commit; without it the repository stays empty. */
  readonly seedFrom?: string;
  readonly message?: string;
  readonly author?: { readonly name: string; readonly email: string };
  readonly branch?: string;
  /** Lets version 0 clients fetch any commit by its id, as most hosts do; version 2 clients always may. */
  readonly allowAnySha1InWant?: boolean;
}

/** Creates `<root>/<name>`, a bare repository that can be pushed to, and returns its folder. */
export async function createBareRepository(
  root: string,
  name: string,
  {
    seedFrom,
    message = "Start the federation",
    author = { name: "amko-gitops", email: "amko-gitops@localhost" },
    branch = "main",
    allowAnySha1InWant = false,
  }: BareRepositoryOptions = {},
): Promise<string> {
  const folder = join(resolve(root), name);
  await mkdir(folder, { recursive: true });
  await runGit(folder, ["init", "--quiet", "--bare", `--initial-branch=${branch}`, "."]);
  await runGit(folder, ["config", "http.receivepack", "true"]);
  await runGit(folder, ["config", "transfer.fsckObjects", "true"]);
  await runGit(folder, ["config", "receive.fsckObjects", "true"]);
  await runGit(folder, ["config", "uploadpack.allowAnySHA1InWant", String(allowAnySha1InWant)]);
  await runGit(folder, ["config", "gc.auto", "0"]);
  if (seedFrom !== undefined) await seed({ folder, seedFrom, message, author, branch });
  return folder;
}

type Seed = Required<Omit<BareRepositoryOptions, "allowAnySha1InWant">> & { readonly folder: string };

/** Commits a copy of the plain folder, with git's own plumbing, from a work tree that is thrown away. */
async function seed(options: Seed): Promise<void> {
  const worktree = await mkdtemp(join(tmpdir(), "amko-gitops-seed-"));
  try {
    await cp(options.seedFrom, worktree, { recursive: true, filter: (path) => !path.endsWith("/.git") });
    const identity = {
      GIT_AUTHOR_NAME: options.author.name,
      GIT_AUTHOR_EMAIL: options.author.email,
      GIT_COMMITTER_NAME: options.author.name,
      GIT_COMMITTER_EMAIL: options.author.email,
    };
    const plumbing = { GIT_DIR: options.folder, GIT_WORK_TREE: worktree, GIT_INDEX_FILE: `${worktree}.index` };
    await runGit(worktree, ["add", "--all", "--force", "."], plumbing);
    const tree = await runGit(worktree, ["write-tree"], plumbing);
    const commit = await runGit(worktree, ["commit-tree", tree, "-m", options.message], { ...plumbing, ...identity });
    await runGit(worktree, ["update-ref", `refs/heads/${options.branch}`, commit], plumbing);
  } finally {
    await rm(worktree, { recursive: true, force: true });
    await rm(`${worktree}.index`, { force: true });
  }
}
