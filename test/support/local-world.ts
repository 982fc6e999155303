import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  type LocalRepository,
  type LocalRepositorySettings,
  openLocalRepository,
} from "../../src/git/local-repository.ts";
import { openPassingClone } from "../../src/git/passing-clone.ts";
import type { Repository } from "../../src/ports.ts";
import type { RepositoryWorld } from "../contract/repository-world.ts";
import { git, temporaryFolder } from "./git.ts";
import { type GitWorldOptions, makeGitWorld } from "./git-world.ts";

/** What git is run with in tests: nobody's configuration. */
export const NOBODYS_ENVIRONMENT = {
  PATH: process.env["PATH"],
  HOME: "/nonexistent",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
} as const;

export const LOCAL_DEFAULTS = {
  branch: "main",
  path: "",
  refPrefix: "amko",
  interactive: false,
  timeoutMs: 20_000,
  environment: NOBODYS_ENVIRONMENT,
} as const satisfies Omit<LocalRepositorySettings, "directory">;

const signal = new AbortController().signal;

export type LocalWorldKind = "clone" | "passing clone" | "bare";

/** The product's second adapter: a fresh clone for every `open`, one that passes, or the remote's own bare folder. */
export async function makeLocalWorld(kind: LocalWorldKind, options: GitWorldOptions = {}): Promise<RepositoryWorld> {
  const world = await makeGitWorld(options);
  const folder = await temporaryFolder();
  const opened: Promise<LocalRepository>[] = [];
  const clones: string[] = [];

  async function open(path: string): Promise<LocalRepository> {
    if (kind === "bare") {
      return await openLocalRepository({ ...LOCAL_DEFAULTS, path, directory: world.folder, remote: null }, signal);
    }
    if (kind === "passing clone") {
      return await openPassingClone({ ...LOCAL_DEFAULTS, path, url: world.url, credentialsDirectory: null }, signal);
    }
    const clone = join(folder.path, `clone${clones.length}`);
    clones.push(clone);
    await mkdir(clone);
    await git(clone, ["init", "--quiet", "--initial-branch=main", "."]);
    await git(clone, ["remote", "add", "origin", world.url]);
    return await openLocalRepository({ ...LOCAL_DEFAULTS, path, directory: clone }, signal);
  }

  return {
    ...world,
    open({ path = "" } = {}) {
      const opening = open(path);
      opened.push(opening);
      return whenOpen(opening, world.url);
    },
    async verify() {
      await world.verify();
      for (const clone of clones) {
        const refs = await git(clone, ["for-each-ref"]);
        if (refs !== "") throw new Error(`the clone's refs were moved: ${refs}`);
      }
    },
    async stop() {
      for (const repository of opened) await (await repository).close();
      await folder[Symbol.asyncDispose]();
      await world.stop();
    },
  };
}

/** A repository that waits until it is open. */
function whenOpen(opening: Promise<Repository>, url: string): Repository {
  return {
    url,
    list: async (...args) => (await opening).list(...args),
    read: async (...args) => (await opening).read(...args),
    relation: async (...args) => (await opening).relation(...args),
    async *history(...args) {
      yield* (await opening).history(...args);
    },
    readFiles: async (...args) => (await opening).readFiles(...args),
    publish: async (...args) => (await opening).publish(...args),
    start: async (...args) => (await opening).start(...args),
    moveRef: async (...args) => (await opening).moveRef(...args),
    propose: async (...args) => (await opening).propose(...args),
    writeOrphan: async (...args) => (await opening).writeOrphan(...args),
  };
}
