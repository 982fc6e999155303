import { realpath, stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { FederationError } from "../errors.ts";
import { createGitProgram, type GitProgram, type GitProgramSettings } from "./git-program.ts";
import { serverWords } from "./words.ts";

/** A repository on this disk. */
export interface LocalPlace {
  /** Bound to the repository, wherever this program was started. */
  readonly git: GitProgram;
  readonly gitDirectory: string;
  /** Null for a bare repository. */
  readonly workTree: string | null;
  /** Where in the work tree the folder is that was named; empty for its top, and without a work tree. */
  readonly prefix: string;
}

/** What git sets for the programs that it starts, and what would bind us to another repository than the one named. */
const BINDINGS = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"] as const;
const OBJECT_BINDINGS = ["GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH"] as const;

/** Each is answered with a line. */
const QUESTIONS = [
  "--absolute-git-dir",
  "--is-bare-repository",
  "--show-object-format",
  "--is-inside-work-tree",
  "--show-prefix",
] as const;

/**
 * Finds the repository that a folder belongs to: a clone's work tree, any folder in it, its .git, or a bare one.
 * @throws FederationError AG4008 when there is none, AG4006 without git.
 */
export async function findLocalPlace(settings: GitProgramSettings, signal: AbortSignal): Promise<LocalPlace> {
  const directory = await folderOf(settings.directory);
  const { environment } = settings;
  const inherited = environment["GIT_DIR"];
  const bound = inherited === undefined ? null : await realpath(resolve(inherited)).catch(() => null);
  // In a hook the folder is what GIT_DIR names, and git must not doubt it: it may well belong to another user.
  const isHook = bound === directory;
  const own = isHook ? environment : without(environment, BINDINGS);
  const unbound = inherited === undefined || isHook ? own : without(own, OBJECT_BINDINGS);
  const finder = createGitProgram({ ...settings, directory, environment: unbound });
  const found = await finder.run(["rev-parse", ...QUESTIONS], { signal });
  const [gitDirectory = "", isBare, format, isInside, prefix = ""] = found.stdout.toString("utf8").split("\n");
  if (found.code !== 0) {
    throw unusable(`${directory} is no git repository that can be used: ${serverWords(found.stderr, [])}`);
  }
  if (format !== "sha1")
    throw unusable(`the objects of ${directory} are named by ${format}, and only sha1 is supported`);
  const workTree = isBare === "true" ? null : await workTreeOf(finder, isInside === "true", gitDirectory, signal);
  const isOurs = bound !== null && bound === (await realpath(gitDirectory));
  return {
    gitDirectory,
    workTree,
    prefix: prefix.replace(/\/$/, ""),
    git: createGitProgram({
      ...settings,
      directory: workTree ?? gitDirectory,
      environment: {
        ...(isOurs ? own : unbound),
        GIT_DIR: gitDirectory,
        ...(workTree === null ? {} : { GIT_WORK_TREE: workTree }),
      },
    }),
  };
}

async function folderOf(path: string): Promise<string> {
  try {
    const full = await realpath(resolve(path));
    if ((await stat(full)).isDirectory()) return full;
    // The .git of a linked work tree, or of a submodule, is a file.
    if (basename(full) === ".git") return dirname(full);
  } catch (error) {
    throw unusable(`there is no folder ${path}`, error);
  }
  throw unusable(`${path} is no folder`);
}

/** Null where the repository calls itself no bare one, and has no work tree that can be found. */
async function workTreeOf(
  git: GitProgram,
  isInside: boolean,
  gitDirectory: string,
  signal: AbortSignal,
): Promise<string | null> {
  if (isInside) return await git.ask(["rev-parse", "--show-toplevel"], { signal });
  return basename(gitDirectory) === ".git" ? dirname(gitDirectory) : null;
}

/** An environment that binds git to no repository. */
export function withoutBindings(environment: GitProgramSettings["environment"]): GitProgramSettings["environment"] {
  return without(environment, [...BINDINGS, ...OBJECT_BINDINGS]);
}

function without(
  environment: GitProgramSettings["environment"],
  names: readonly string[],
): GitProgramSettings["environment"] {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !names.includes(name)));
}

function unusable(message: string, cause?: unknown): FederationError {
  return new FederationError("AG4008", message, { cause });
}
