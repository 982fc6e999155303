import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CommitId } from "../../src/core/model.ts";
import { USES_PER_CLONE } from "../../src/git/clone.ts";
import type { RequestReport } from "../../src/git/transport.ts";
import { git } from "../support/git.ts";
import { type GitWorld, makeGitWorld } from "../support/git-world.ts";

const signal = new AbortController().signal;
const author = { name: "amko-gitops", email: "amko-gitops@cluster1", atSeconds: 1_700_000_123 };
const SEED = { "clusters/cluster1/amkocluster.yaml": "isLeader: true\n", "federation/gslbconfig/gc.yaml": "a: 1\n" };

let world: GitWorld;
beforeEach(async () => {
  world = await makeGitWorld();
});
afterEach(async () => {
  await world.verify();
  await world.stop();
});

function counting() {
  const reports: RequestReport[] = [];
  const repository = world.open({ onRequest: (report) => reports.push(report) });
  const take = () => reports.splice(0).map(({ method, service }) => `${method} ${service}`);
  return { repository, reports, take };
}

const GREET = "GET git-upload-pack";
const ASK = "POST git-upload-pack";

describe("a repository that is itself shallow", () => {
  it("is read and pushed to as any other", async () => {
    const first = await world.commit({ files: SEED });
    const head = await world.commit({ files: { ...SEED, "README.md": "later\n" }, parents: [first] });
    await world.setBranch("main", head);
    await writeFile(join(world.folder, "shallow"), `${head}\n`);
    const repository = world.open();
    expect((await repository.list("all", signal)).head).toBe(head);
    const next = await repository.publish(
      { parent: head as CommitId, changes: [], message: "A change\n", author },
      signal,
    );
    expect(await world.branchHead("main")).toBe(next);
  });
});

describe("requests", () => {
  it("are few: one to poll, one to fetch, one to push, two the first time", async () => {
    const head = await world.commit({ files: SEED });
    await world.setBranch("main", head);
    const { repository, take } = counting();
    await repository.list("all", signal);
    expect(take()).toEqual([GREET, ASK]);
    await repository.read(head, signal);
    expect(take()).toEqual([ASK]);
    await repository.list("branch", signal);
    await repository.list("all", signal);
    expect(take()).toEqual([ASK, ASK]);
    const next = await repository.publish({ parent: head, changes: [], message: "x\n", author }, signal);
    expect(take()).toEqual(["GET git-receive-pack", "POST git-receive-pack"]);
    await repository.moveRef({ ref: "applied/a", expected: null, target: next }, signal);
    expect(take()).toEqual(["POST git-receive-pack"]);
    await repository.read(next, signal);
    expect(await repository.relation(head, next, signal)).toBe("ancestor");
    expect(take()).toEqual([]);
  });

  it("stay below 2 KB for a poll, however many refs there are", async () => {
    const head = await world.commit({ files: SEED });
    await world.setBranch("main", head);
    const refs = Array.from({ length: 10_000 }, (_, index) => `create refs/heads/amko/applied/c${index} ${head}\n`);
    await git(world.folder, ["update-ref", "--stdin"], { input: refs.join("") });
    const { repository, reports } = counting();
    await repository.list("branch", signal);
    expect(reports.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(2_048);
    const { refs: listed } = await repository.list("all", signal);
    expect(listed?.size).toBe(10_000);
    expect(listed?.get("applied/c9999")).toBe(head);
  });

  it("are reported with status, size and duration, also when they fail", async () => {
    const reports: RequestReport[] = [];
    let nowMs = 0;
    const clock = () => {
      nowMs += 5;
      return nowMs;
    };
    const repository = world.open({ nowMs: clock, onRequest: (report) => reports.push(report) });
    world.proxy.setRules([{ match: {}, fault: { kind: "status", status: 404, body: "1234" } }]);
    await expect(repository.list("all", signal)).rejects.toThrow();
    world.proxy.setRules([{ match: {}, fault: { kind: "refuse" } }]);
    await expect(repository.list("all", signal)).rejects.toThrow();
    expect(reports).toMatchObject([
      { operation: "greet", method: "GET", service: "git-upload-pack", status: 404, bytes: 4, error: "AG2006" },
      { operation: "greet", method: "GET", service: "git-upload-pack", status: null, bytes: 0, error: "AG2001" },
    ]);
    expect(reports.every(({ durationMs }) => durationMs > 0)).toBe(true);
  });

  it("bring a merge of an old branch without the history behind it", async () => {
    const chain = await world.chain("main", { count: 200 });
    const [fork, head] = [chain[20] as CommitId, chain[199] as CommitId];
    const { repository, reports } = counting();
    await repository.read(head, signal);
    const side = await world.commit({ files: SEED, parents: [fork], message: "side" });
    const merge = await world.commit({ files: SEED, parents: [head, side], message: "merge" });
    await world.setBranch("main", merge);
    reports.length = 0;
    expect((await repository.read(merge, signal)).parents).toEqual([head, side]);
    expect(await repository.relation(head, merge, signal)).toBe("ancestor");
    expect(reports).toHaveLength(1);
    expect(reports[0]?.bytes).toBeLessThan(20_000);
  });
});

describe("questions about the past that come at once", () => {
  const questions = 12;

  async function openShallow(options: Parameters<GitWorld["open"]>[0] = {}) {
    const chain = await world.chain("main", { count: 40 });
    const reports: RequestReport[] = [];
    const repository = world.open({ ...options, onRequest: (report) => reports.push(report) });
    const head = chain.at(-1) as CommitId;
    await repository.read(head, signal);
    reports.length = 0;
    const ask = () =>
      Promise.allSettled(chain.slice(0, questions).map((commit) => repository.relation(commit, head, signal)));
    return { ask, reports };
  }

  it("fetch it once", async () => {
    const { ask, reports } = await openShallow();
    const answers = await ask();
    expect(answers).toEqual(Array.from({ length: questions }, () => ({ status: "fulfilled", value: "ancestor" })));
    expect(reports).toHaveLength(1);
  });

  it("fail together where the server hangs, and not one after the other", async () => {
    const { ask, reports } = await openShallow({ timeoutMs: 200 });
    world.proxy.setRules([{ match: {}, fault: { kind: "hang" } }]);
    const answers = await ask();
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: questions }, () => "rejected"));
    expect(answers[0]).toMatchObject({ reason: { code: "AG2010" } });
    expect(reports.length).toBeLessThan(3);
    world.proxy.clear();
    expect((await ask())[0]).toEqual({ status: "fulfilled", value: "ancestor" });
  });
});

describe("a clone that is renewed every so often", () => {
  it("still reads, relates and tells the history after many fetches", async () => {
    const chain = await world.chain("main", { count: 2 * USES_PER_CLONE + 20 });
    const repository = world.open();
    let last: CommitId | null = null;
    for (const commit of chain) {
      const revision = await repository.read(commit, signal);
      expect(revision.commit).toBe(commit);
      if (last !== null) expect(await repository.relation(last, commit, signal)).toBe("ancestor");
      last = commit;
    }
    const ids: CommitId[] = [];
    const range = { from: chain.at(-1) as CommitId, until: null };
    for await (const { commit } of repository.history(range, 1_000, signal)) ids.push(commit);
    expect(ids).toEqual([...chain].reverse());
  });

  it("still publishes after many commits of its own", async () => {
    let head = await world.commit({ files: SEED });
    await world.setBranch("main", head);
    const repository = world.open();
    for (let index = 0; index < USES_PER_CLONE + 10; index += 1) {
      const changes = [{ path: "federation/gslbconfig/gc.yaml", bytes: new TextEncoder().encode(`a: ${index}\n`) }];
      head = await repository.publish({ parent: head, changes, message: `${index}\n`, author }, signal);
    }
    expect(await world.branchHead("main")).toBe(head);
    expect(Object.keys(await world.treeOf(head))).toEqual(Object.keys(SEED));
  });
});

describe("what did not change", () => {
  it("is the same object in the next revision, so that callers can remember what they made of it", async () => {
    const first = await world.commit({ files: SEED });
    await world.setBranch("main", first);
    const repository = world.open();
    const before = await repository.read(first, signal);
    const changes = [{ path: "federation/gslbconfig/gc.yaml", bytes: new TextEncoder().encode("a: 2\n") }];
    const second = await repository.publish({ parent: first, changes, message: "x\n", author }, signal);
    const after = await repository.read(second, signal);
    expect(after.files[0]).toBe(before.files[0]);
    expect(after.files[1]).not.toBe(before.files[1]);
  });
});
