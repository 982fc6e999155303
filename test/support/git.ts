import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import type { CommitId } from "../../src/core/model.ts";

/** Runs the git binary with nobody's configuration, and returns what it printed. */
export async function git(folder: string, args: readonly string[], options: GitOptions = {}): Promise<string> {
  const child = promisify(execFile)("git", args, {
    cwd: folder,
    maxBuffer: 64 * 1024 * 1024,
    env: { ...IDENTITY, PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...options.env },
  });
  if (options.input !== undefined) child.child.stdin?.end(options.input);
  return (await child).stdout.trimEnd();
}

interface GitOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
}

const IDENTITY = {
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_AUTHOR_NAME: "Somebody",
  GIT_AUTHOR_EMAIL: "somebody@example.com",
  GIT_COMMITTER_NAME: "Somebody",
  GIT_COMMITTER_EMAIL: "somebody@example.com",
} as const;

/**
 * The branches of a bare repository that nobody packs, by their names below `refs/heads/`. They are read as git keeps
 * them, one file for each: who looks twenty times a second should not start as many processes.
 */
export async function readBranches(repository: string): Promise<ReadonlyMap<string, CommitId>> {
  const folder = join(repository, "refs/heads");
  // Git removes a folder with the last branch in it, and then a walk through all of them may fail: the next one does not.
  const walk = () => readdir(folder, { recursive: true, withFileTypes: true });
  const files = (await walk().catch(walk)).filter((entry) => entry.isFile() && !entry.name.endsWith(".lock"));
  const branches = new Map<string, CommitId>();
  for (const { parentPath, name } of files) {
    const path = join(parentPath, name);
    const commit = await readFile(path, "utf8").catch(nullWhereGone);
    if (commit !== null) branches.set(relative(folder, path), commit.trim() as CommitId);
  }
  return branches;
}

/** A push may have deleted the branch meanwhile. */
function nullWhereGone(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT") return null;
  throw error;
}

/** A tree written out: text is a regular file; symlinks, submodules and modes are spelled out. */
export type FileTree = Readonly<Record<string, FileSpec>>;
export type FileSpec =
  | string
  | { readonly mode: "100755" | "100644"; readonly text: string }
  | { readonly symlink: string }
  | { readonly submodule: string };

export interface CommitSpec {
  readonly files: FileTree;
  readonly parents?: readonly CommitId[];
  readonly message?: string;
  /** Somebody where it is not given. */
  readonly author?: string;
  /** Unix time; the same data always gives the same commit. */
  readonly atSeconds?: number;
}

/** Writes a commit into a bare repository with plumbing only, and moves no ref. */
export async function commitTree(repository: string, spec: CommitSpec): Promise<CommitId> {
  const scratch = await mkdtemp(join(tmpdir(), "amko-gitops-index-"));
  const env = { GIT_DIR: repository, GIT_INDEX_FILE: join(scratch, "index") };
  try {
    const lines = await Promise.all(
      Object.entries(spec.files).map(async ([path, file]) => {
        const { mode, id } = await writeEntry(repository, file);
        return `${mode} ${id}\t${path}`;
      }),
    );
    await git(repository, ["update-index", "--add", "--index-info"], { input: `${lines.join("\n")}\n`, env });
    const tree = await git(repository, ["write-tree"], { env });
    const date = `@${spec.atSeconds ?? 1_700_000_000} +0000`;
    const parents = (spec.parents ?? []).flatMap((parent) => ["-p", parent]);
    return (await git(repository, ["commit-tree", tree, ...parents, "-m", spec.message ?? "A change"], {
      env: {
        ...env,
        GIT_AUTHOR_NAME: spec.author ?? IDENTITY.GIT_AUTHOR_NAME,
        GIT_AUTHOR_DATE: date,
        GIT_COMMITTER_DATE: date,
      },
    })) as CommitId;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function writeEntry(repository: string, file: FileSpec): Promise<{ mode: string; id: string }> {
  if (typeof file === "string") return { mode: "100644", id: await writeBlob(repository, file) };
  if ("symlink" in file) return { mode: "120000", id: await writeBlob(repository, file.symlink) };
  if ("submodule" in file) return { mode: "160000", id: file.submodule };
  return { mode: file.mode, id: await writeBlob(repository, file.text) };
}

function writeBlob(repository: string, text: string): Promise<string> {
  return git(repository, ["hash-object", "-w", "--stdin"], { input: text });
}

/** Points a branch somewhere, whatever it was before: what a person with force can do. Null deletes it. */
export async function setBranch(repository: string, branch: string, commit: CommitId | null): Promise<void> {
  const ref = `refs/heads/${branch}`;
  await git(repository, commit === null ? ["update-ref", "-d", ref] : ["update-ref", ref, commit]);
}

/** Asked all the time by whoever waits: git, which would cost a fork of the test's process, is asked where it packed the ref. */
export async function branchHead(repository: string, branch: string): Promise<CommitId | null> {
  const loose = await readFile(join(repository, "refs/heads", branch), "utf8").catch(() => null);
  if (loose !== null) return loose.trim() as CommitId;
  const refs = await git(repository, ["for-each-ref", "--format=%(objectname)", `refs/heads/${branch}`]);
  return refs === "" ? null : (refs as CommitId);
}

/** A chain of `count` commits by one fast-import, each changing one file; returns the ids, oldest first. */
export async function commitChain(
  repository: string,
  branch: string,
  {
    count,
    from = null,
    path = "federation/gslbconfig/gc.yaml",
    text: textOf = (index) => `value: ${branch}-${index}\n`,
  }: ChainSpec,
): Promise<readonly CommitId[]> {
  const commits = Array.from({ length: count }, (_, index) => {
    const text = textOf(index);
    const message = `change ${index}`;
    return [
      `commit refs/heads/${branch}`,
      `committer Somebody <somebody@example.com> ${1_700_000_000 + index} +0000`,
      `data ${message.length}`,
      message,
      ...(index === 0 && from !== null ? [`from ${from}`] : []),
      `M 100644 inline ${path}`,
      `data ${Buffer.byteLength(text)}`,
      text,
    ].join("\n");
  });
  await git(repository, ["fast-import", "--quiet", "--force"], { input: `${commits.join("\n")}\n` });
  const ids = await git(repository, ["rev-list", "--reverse", "--first-parent", `--max-count=${count}`, branch]);
  return ids.split("\n") as CommitId[];
}

interface ChainSpec {
  readonly count: number;
  readonly from?: CommitId | null;
  readonly path?: string;
  /** The file in the commit with that number, from 0. */
  readonly text?: (index: number) => string;
}

/** A folder that is gone when `[Symbol.asyncDispose]` has run. */
export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "amko-gitops-test-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}
