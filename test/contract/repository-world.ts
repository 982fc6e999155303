import type { CommitId, Revision } from "../../src/core/model.ts";
import type { Repository } from "../../src/ports.ts";
import type { CommitSpec } from "../support/git.ts";

/** A remote that the suite can arrange behind the repository's back, as people and other agents do. */
export interface RepositoryWorld {
  /** A repository that knows nothing yet, tracking `main` with the prefix `amko`. */
  open(options?: { readonly path?: string }): Repository;
  /** Brings a commit to the remote, on no branch. */
  commit(spec: CommitSpec): Promise<CommitId>;
  /** A chain of commits on a branch, oldest first, each changing one file. */
  chain(
    branch: string,
    spec: { readonly count: number; readonly from?: CommitId | null },
  ): Promise<readonly CommitId[]>;
  setBranch(branch: string, commit: CommitId | null): Promise<void>;
  branchHead(branch: string): Promise<CommitId | null>;
  /** Everything at a commit, path to mode and object id. */
  treeOf(commit: CommitId): Promise<Readonly<Record<string, string>>>;
  parentsOf(commit: CommitId): Promise<readonly CommitId[]>;
  /** Fails if anything at the remote is malformed or missing. */
  verify(): Promise<void>;
  stop(): Promise<void>;
}

export const author = { name: "amko-gitops", email: "amko-gitops@cluster1", atSeconds: 1_700_000_123 };
export const signal = new AbortController().signal;
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (content: Uint8Array | null | undefined): string | null =>
  content === null || content === undefined ? null : new TextDecoder().decode(content);
export const pathsOf = (revision: Revision): readonly string[] => revision.files.map(({ path }) => path);

export const SEED = {
  "README.md": "read me\n",
  "clusters/cluster1/amkocluster.yaml": "isLeader: true\n",
  "clusters/cluster2/amkocluster.yaml": "isLeader: false\n",
  "federation/gslbconfig/gc.yaml": "a: 1\n",
} as const;

/** Founds the branch, with two manifests and a snapshot. */
export async function seed(world: RepositoryWorld): Promise<CommitId> {
  const commit = await world.commit({ files: SEED });
  await world.setBranch("main", commit);
  return commit;
}

export function publish(
  repository: Repository,
  parent: CommitId,
  files: Readonly<Record<string, string | null>>,
): Promise<CommitId> {
  const changes = Object.entries(files).map(([path, text]) => ({ path, bytes: text === null ? null : bytes(text) }));
  return repository.publish({ parent, message: "A change\n", author, changes }, signal);
}
