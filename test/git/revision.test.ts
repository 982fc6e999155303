import { describe, expect, it } from "vitest";
import type { CommitId, ObjectId } from "../../src/core/model.ts";
import type { ReadableObjects } from "../../src/git/object-store.ts";
import { createRevisionReader } from "../../src/git/revision.ts";
import { FILE_MODE, FOLDER_MODE, type Tree } from "../../src/git/tree.ts";

const FILE_BYTES = 1_000;
/** Together far more than two revisions of the federation below hold, or than is kept of any small one. */
const STATES = 5_000;
const CLUSTERS = 3_000;

interface State {
  /** Which of its states the GDP's folder is in. */
  readonly policy: number;
  readonly clusters: number;
  /** Which of its states the first cluster's folder is in. */
  readonly manifest: number;
}

/** Revisions that are made when they are read; counts what is read, apart from commits. */
function store(states: readonly State[]) {
  let reads = 0;
  const folder = (name: string, id: string) => ({ mode: FOLDER_MODE, name, id: id as ObjectId });
  const trees = (id: string): Tree => {
    const [what = "", ...rest] = id.split(" ");
    if (what === "root") {
      const { policy, clusters, manifest } = states[Number(rest[0])] as State;
      return [folder("clusters", `clusters ${clusters} ${manifest}`), folder("federation", `federation ${policy}`)];
    }
    if (what === "federation") return [folder("globaldeploymentpolicy", `leaf policy ${rest[0]}`)];
    if (what === "clusters") {
      const [count, manifest] = rest;
      return Array.from({ length: Number(count) }, (_, index) =>
        folder(`cluster${index}`, `leaf manifest ${index} ${index === 0 ? manifest : 0}`),
      );
    }
    return [{ mode: FILE_MODE, name: "file.yaml", id: `blob ${rest.join(" ")}` as ObjectId }];
  };
  const objects: ReadableObjects = {
    async readCommit(id) {
      const commit = { tree: `root ${id}` as ObjectId, parents: [], author: "", committedAtSeconds: 0, message: "" };
      return commit as unknown as Awaited<ReturnType<ReadableObjects["readCommit"]>>;
    },
    async readTree(id) {
      reads += 1;
      return trees(id);
    },
    async readBlob() {
      reads += 1;
      return new Uint8Array(FILE_BYTES);
    },
  };
  return {
    objects,
    async readsOf(work: () => Promise<unknown>): Promise<number> {
      const before = reads;
      await work();
      return reads - before;
    },
  };
}

const commit = (index: number): CommitId => String(index) as CommitId;

describe("what was read of revisions", () => {
  it("is not kept for ever: the first state of a folder is read again after thousands of others", async () => {
    const states = Array.from({ length: STATES }, (_, policy) => ({ policy, clusters: 1, manifest: 0 }));
    const { objects, readsOf } = store(states);
    const reader = createRevisionReader("");
    for (let index = 0; index < STATES; index += 1) await reader.read(objects, commit(index));
    const [root, federation, leaf, blob] = [1, 1, 1, 1];
    expect(await readsOf(() => reader.read(objects, commit(0)))).toBe(root + federation + leaf + blob);
  });

  it("is kept of a large federation while the next revision is read, which changes one of its manifests", async () => {
    const states = [0, 1].map((manifest) => ({ policy: 0, clusters: CLUSTERS, manifest }));
    const { objects, readsOf } = store(states);
    const reader = createRevisionReader("");
    await reader.read(objects, commit(0));
    const [root, clusters, leaf, blob] = [1, 1, 1, 1];
    expect(await readsOf(() => reader.read(objects, commit(1)))).toBe(root + clusters + leaf + blob);
  });
});
