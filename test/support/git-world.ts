import type { CommitId } from "../../src/core/model.ts";
import { openRepository, type RepositorySettings } from "../../src/git/repository.ts";
import { createBareRepository } from "../../src/sandbox/bare-repository.ts";
import { type GitServerOptions, startGitServer } from "../../src/sandbox/git-server.ts";
import type { RepositoryWorld } from "../contract/repository-world.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import { branchHead, commitChain, commitTree, git, setBranch, temporaryFolder } from "./git.ts";

export interface GitWorld extends RepositoryWorld {
  /** The bare repository's folder. */
  readonly folder: string;
  /** Between every repository that `open` gives and the server. */
  readonly proxy: FaultProxy;
  readonly url: string;
  open(options?: Partial<RepositorySettings>): ReturnType<typeof openRepository>;
}

export type GitWorldOptions = Partial<Pick<GitServerOptions, "users" | "version0Only">>;

/** The product's adapter against git's own http-backend, with a proxy between them that does harm on demand. */
export async function makeGitWorld(options: GitWorldOptions = {}): Promise<GitWorld> {
  const root = await temporaryFolder();
  const folder = await createBareRepository(root.path, "federation.git", {
    allowAnySha1InWant: options.version0Only === true,
  });
  const server = await startGitServer({ root: root.path, ...options });
  const proxy = await startFaultProxy({ target: new URL(server.url("")).origin });
  const url = `${proxy.url}/federation.git`;
  return {
    folder,
    proxy,
    url,
    open: (overrides = {}) => openRepository({ ...DEFAULTS, url, ...overrides }),
    commit: (spec) => commitTree(folder, spec),
    chain: (branch, spec) => commitChain(folder, branch, spec),
    setBranch: (branch, commit) => setBranch(folder, branch, commit),
    branchHead: (branch) => branchHead(folder, branch),
    async treeOf(commit) {
      const listing = await git(folder, ["ls-tree", "-r", "-z", commit]);
      const lines = listing.split("\0").filter((line) => line !== "");
      return Object.fromEntries(lines.map((line) => line.split("\t").reverse() as [string, string]));
    },
    async parentsOf(commit) {
      const parents = await git(folder, ["rev-parse", `${commit}^@`]);
      return parents === "" ? [] : (parents.split("\n") as CommitId[]);
    },
    async verify() {
      await git(folder, ["fsck", "--strict", "--no-dangling"]);
    },
    async stop() {
      await proxy.stop();
      await server.stop({ abruptly: true });
      await root[Symbol.asyncDispose]();
    },
  };
}

const DEFAULTS = {
  branch: "main",
  path: "",
  refPrefix: "amko",
  credentialsDirectory: null,
  timeoutMs: 20_000,
  nowMs: () => Date.now(),
  proxyEnv: {},
} as const;
