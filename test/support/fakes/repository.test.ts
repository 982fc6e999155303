import type { CommitId } from "../../../src/core/model.ts";
import { repositoryContract } from "../../contract/repository.ts";
import type { RepositoryWorld } from "../../contract/repository-world.ts";
import type { FileSpec } from "../git.ts";
import { blob, createFakeRemote, type FakeRemote, submodule } from "./repository.ts";

repositoryContract("the repository in memory", async () => worldOf(createFakeRemote()));

function worldOf(remote: FakeRemote): RepositoryWorld {
  return {
    open: (options = {}) => remote.open(options),
    commit: async ({ files, parents = [], message = "A change", atSeconds = 1_700_000_000 }) =>
      remote.commit(new Map(Object.entries(files).map(([path, file]) => [path, entryOf(file)])), {
        parents,
        message: `${message}\n`,
        atSeconds,
      }),
    async chain(branch, { count, from = null }) {
      remote.setBranch(branch, from);
      return Array.from(
        { length: count },
        (_, index): CommitId =>
          remote.push(branch, { "federation/gslbconfig/gc.yaml": `value: ${branch}-${index}\n` }, `change ${index}`),
      );
    },
    setBranch: async (branch, commit) => remote.setBranch(branch, commit),
    branchHead: async (branch) => remote.branch(branch),
    treeOf: async (commit) =>
      Object.fromEntries([...remote.stored(commit).tree].map(([path, { mode, id }]) => [path, `${mode} blob ${id}`])),
    parentsOf: async (commit) => remote.stored(commit).parents,
    verify: async () => undefined,
    stop: async () => undefined,
  };
}

function entryOf(file: FileSpec): ReturnType<typeof blob> {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  if (typeof file === "string") return blob(encode(file));
  if ("symlink" in file) return blob(encode(file.symlink), "120000");
  return "submodule" in file ? submodule(file.submodule) : blob(encode(file.text), file.mode);
}
