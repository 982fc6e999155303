import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CommitId } from "../../src/core/model.ts";
import { git } from "../support/git.ts";
import { type GitWorld, makeGitWorld } from "../support/git-world.ts";

const signal = new AbortController().signal;
const SEED = { "clusters/cluster1/amkocluster.yaml": "isLeader: true\n", "federation/gslbconfig/gc.yaml": "a: 1\n" };

let head: CommitId;
let refs: ReadonlyMap<string, CommitId>;

const CLUSTERS = 12;

/** A branch of commits, a cluster at each, and a small commit of each cluster's own. */
async function fill(world: GitWorld): Promise<void> {
  const chain = await world.chain("main", { count: CLUSTERS });
  head = chain.at(-1) as CommitId;
  const listed = new Map<string, CommitId>();
  for (const [index, commit] of chain.entries()) {
    const own = await world.commit({ files: { "status.yaml": `cluster: ${index}\n` } });
    listed.set(`applied/c${index}`, commit).set(`identity/c${index}`, own);
  }
  refs = listed;
  const input = [...listed].map(([name, commit]) => `create refs/heads/amko/${name} ${commit}\n`).join("");
  await git(world.folder, ["update-ref", "--stdin"], { input });
}

function counting(world: GitWorld, readAhead: boolean) {
  const answers: number[] = [];
  const repository = world.open({ readAhead, onRequest: ({ bytes }) => answers.push(bytes) });
  return { repository, take: () => answers.splice(0) };
}

describe.each([false, true])("on a server of version 0 alone: %s", (version0Only) => {
  /** Version 0 greets anew before each request, since its greeting lists the refs. */
  const requestsPerFetch = version0Only ? 2 : 1;
  let world: GitWorld;
  beforeEach(async () => {
    world = await makeGitWorld({ version0Only });
    await fill(world);
  });
  afterEach(() => world.stop());

  describe("who reads ahead", () => {
    it("gets everything that was listed with the first commit that is wanted", async () => {
      const { repository, take } = counting(world, true);
      expect((await repository.list("all", signal)).refs).toEqual(refs);
      take();
      const files = await Promise.all([...refs.values()].map((commit) => repository.readFiles(commit, signal)));
      expect(files).toHaveLength(2 * CLUSTERS);
      expect(take()).toHaveLength(requestsPerFetch);
      for (const commit of refs.values()) expect((await repository.read(commit, signal)).commit).toBe(commit);
      expect((await repository.read(head, signal)).commit).toBe(head);
      expect(take()).toEqual([]);
    });

    it("gets the next listing's new commits together, and only those", async () => {
      const { repository, take } = counting(world, true);
      await repository.list("all", signal);
      await repository.read(head, signal);
      const next = await world.commit({ files: SEED, parents: [head] });
      await world.setBranch("main", next);
      const own = await world.commit({ files: { "status.yaml": "new\n" } });
      await world.setBranch("amko/failed/c1", own);
      await repository.list("all", signal);
      take();
      expect((await repository.read(next, signal)).parents).toEqual([head]);
      expect(await repository.readFiles(own, signal)).toHaveLength(1);
      expect(take()).toHaveLength(requestsPerFetch);
    });

    it("still gets what is left when one of them has gone meanwhile", async () => {
      const { repository } = counting(world, true);
      const gone = await world.commit({ files: { "status.yaml": "gone soon\n" } });
      await world.setBranch("amko/failed/c1", gone);
      await repository.list("all", signal);
      await world.setBranch("amko/failed/c1", null);
      await git(world.folder, ["prune", "--expire=now"]);
      expect((await repository.read(head, signal)).commit).toBe(head);
      await expect(repository.readFiles(gone, signal)).rejects.toMatchObject({ code: "AG2012" });
      for (const commit of refs.values()) expect((await repository.read(commit, signal)).commit).toBe(commit);
    });

    it("still gets one by one what is too much at once", async () => {
      const noise = Array.from({ length: 3_000 }, () => Math.random()).join("\n");
      const large = await Promise.all([1, 2].map((n) => world.commit({ files: { "big.txt": `${n}\n${n}${noise}` } })));
      for (const [index, commit] of large.entries()) await world.setBranch(`amko/propose/${index}`, commit);
      const repository = world.open({ readAhead: true, fetchMaxBytes: 40_000 });
      await repository.list("all", signal);
      for (const commit of large) expect(await repository.readFiles(commit, signal)).toHaveLength(1);
    });

    it("relates and tells the history across what came without its past", async () => {
      const { repository } = counting(world, true);
      await repository.list("all", signal);
      for (const [name, commit] of refs) {
        const isOwn = name.startsWith("identity/");
        const expected = isOwn ? "unrelated" : commit === head ? "same" : "ancestor";
        expect(await repository.relation(commit, head, signal), name).toBe(expected);
      }
      const ids: CommitId[] = [];
      for await (const { commit } of repository.history({ from: head, until: null }, 100, signal)) ids.push(commit);
      const applied = [...refs].filter(([name]) => name.startsWith("applied/")).map(([, commit]) => commit);
      expect(ids).toEqual(applied.reverse());
    });
  });

  describe("an agent", () => {
    it("gets what it asks for and nothing of what else was listed", async () => {
      const quiet = counting(world, false);
      const eager = counting(world, true);
      for (const { repository } of [quiet, eager]) {
        await repository.list("all", signal);
        await repository.read(head, signal);
      }
      const [small, large] = [quiet, eager].map(({ take }) => take().reduce((sum, bytes) => sum + bytes, 0));
      expect(small).toBeLessThan((large ?? 0) / 2);
      await quiet.repository.list("all", signal);
      expect(quiet.take()).toHaveLength(1);
      await quiet.repository.readFiles(refs.get("identity/c3") as CommitId, signal);
      await quiet.repository.readFiles(refs.get("identity/c4") as CommitId, signal);
      expect(quiet.take()).toHaveLength(2 * requestsPerFetch);
    });
  });
});
