import { beforeEach, describe, expect, it } from "vitest";
import type { CommitId } from "../../src/core/model.ts";
import { createStoryReader, type StoryEntry } from "../../src/core/story.ts";
import { filterEntry, type StoryFilter, scopeOf } from "../../src/core/story-filter.ts";
import { findTerms } from "../../src/core/terms.ts";
import { createViewCache } from "../../src/core/view.ts";
import { readSchemas } from "../../src/shipped.ts";
import type { FakeRemote } from "../support/fakes/repository.ts";
import { fixtureFiles, fixtureRemote } from "../support/fixture-remote.ts";

const GDP = "federation/globaldeploymentpolicy/global-gdp.yaml";
const EVERYTHING: StoryFilter = { kinds: [], cluster: null, field: null, since: null, until: null };
const schemas = await readSchemas();
const files = fixtureFiles();

let remote: FakeRemote;
let first: CommitId;

beforeEach(() => {
  ({ remote, head: first } = fixtureRemote());
});

function policy(ttl: number): Readonly<Record<string, string>> {
  return { [GDP]: (files[GDP] ?? "").replace("ttl: 10", `ttl: ${ttl}`) };
}

function claim(cluster: string, leads: boolean): Readonly<Record<string, string>> {
  const path = `clusters/${cluster}/amkocluster.yaml`;
  return { [path]: (files[path] ?? "").replace(/isLeader: (?:true|false)/, `isLeader: ${leads}`) };
}

async function story(scope = scopeOf(EVERYTHING), cache = createViewCache()): Promise<readonly StoryEntry[]> {
  const head = remote.branch("main") as CommitId;
  const reader = createStoryReader(head, { schemas, cache, scope });
  const entries: StoryEntry[] = [];
  const never = new AbortController().signal;
  for await (const revision of remote.open().history({ from: head, until: null }, 1000, never)) {
    entries.push(...reader.take(revision));
  }
  return [...entries, ...reader.end()];
}

function merge(side: CommitId, message: string): CommitId {
  const main = remote.branch("main") as CommitId;
  const commit = remote.commit(new Map([...remote.stored(main).tree, ...remote.stored(side).tree]), {
    parents: [main, side],
    message,
  });
  remote.setBranch("main", commit);
  return commit;
}

describe("the story of a branch", () => {
  it("begins with what the first commit made", async () => {
    const [entry, ...others] = await story();
    expect(others).toEqual([]);
    expect(entry?.commit).toBe(first);
    expect(entry?.effects.map(({ kind }) => kind)).toEqual(["leader", "created", "created"]);
  });

  it("tells each change by field, newest first", async () => {
    remote.push("main", policy(20), "Longer");
    remote.push("main", policy(30), "Even longer");
    const told = (await story()).map(({ told: { subject }, effects }) => [subject, JSON.stringify(effects)]);
    expect(told.map(([subject]) => subject)).toEqual(["Even longer", "Longer", "The federation"]);
    expect(told[0]?.[1]).toMatch(/"ttl"\],"before":20,"after":30/);
  });

  it("leaves out what changed nothing of the federation", async () => {
    remote.push("main", { "README.md": "Hello\n" }, "Say hello");
    expect((await story()).flatMap(({ effects }) => effects).length).toBe(3);
  });

  it("tells a merge with what it brought, and that not twice", async () => {
    remote.setBranch("side", first);
    const one = remote.push("side", policy(20), "First try\n\nBecause.");
    const two = remote.push("side", policy(25), "Second try");
    remote.push("main", { "clusters/notes.md": "x\n" }, "Meanwhile");
    const merged = merge(two, "Merge the change");
    const entries = await story();
    const entry = entries.find(({ commit }) => commit === merged);
    expect(entry?.brought.map(({ commit }) => commit)).toEqual([two, one]);
    expect(entry?.brought.map(({ told }) => told.reason)).toEqual(["", "Because."]);
    expect(JSON.stringify(entry?.effects)).toMatch(/"before":10,"after":25/);
    expect(entries.map(({ commit }) => commit)).not.toContain(one);
  });

  it.each([
    ["the leader of its parent", "cluster1", "cluster1"],
    ["somebody else", "cluster2", null],
  ])("believes a trailer only where it names %s", async (_, named, from) => {
    remote.push("main", policy(20), `federation: update\n\nFederated-From: ${named}\n`);
    expect((await story())[0]?.from).toBe(from);
  });
});

describe("the terms", () => {
  it("say who led when and why, also through a conflict and a merge", async () => {
    remote.push("main", claim("cluster2", true), "Oops");
    remote.push("main", claim("cluster1", false), "Switch over\n\nMaintenance of site 1");
    const side = remote.branch("main") as CommitId;
    remote.setBranch("side", side);
    const flip = remote.push(
      "side",
      { ...claim("cluster2", false), ...claim("cluster3", true) },
      "Flip\n\nSite 2 is down",
    );
    merge(flip, "Merge the failover");
    const terms = findTerms(await story());
    expect(terms.map(({ state, clusters, began: { reason } }) => [state, clusters.join(), reason])).toEqual([
      ["leader", "cluster3", "Site 2 is down"],
      ["leader", "cluster2", "Maintenance of site 1"],
      ["conflict", "cluster1,cluster2", ""],
      ["leader", "cluster1", ""],
    ]);
    expect(terms.map(({ ended }) => ended?.subject ?? null)).toEqual([
      null,
      "Merge the failover",
      "Switch over",
      "Oops",
    ]);
  });
});

describe("a filter", () => {
  it.each<[string, Partial<StoryFilter>, readonly string[]]>([
    ["nothing", {}, ["Both", "The federation"]],
    ["the policy", { kinds: ["GlobalDeploymentPolicy"] }, ["Both", "The federation"]],
    ["the other kind", { kinds: ["GSLBConfig"] }, ["The federation"]],
    ["the manifests", { kinds: ["AMKOCluster"] }, ["Both", "The federation"]],
    ["a cluster", { cluster: "cluster2" }, ["Both"]],
    ["a cluster that nothing is about", { cluster: "cluster9" }, []],
    ["a field", { field: "spec.ttl" }, ["Both"]],
    ["the beginning of a field's path", { field: "spec" }, ["Both"]],
    ["half of a field's name", { field: "spec.tt" }, []],
    ["a time after all", { since: 4_000_000_000 }, []],
    ["a time before all", { until: 1 }, []],
  ])("for %s finds what is like it", async (_, filter, subjects) => {
    remote.push("main", { ...policy(20), ...claim("cluster1", false), ...claim("cluster2", true) }, "Both");
    const wanted = { ...EVERYTHING, ...filter };
    for (const entries of [await story(), await story(scopeOf(wanted))]) {
      const found = entries.flatMap((entry) => filterEntry(entry, wanted) ?? []);
      expect(found.map(({ told }) => told.subject)).toEqual(subjects);
    }
  });

  it("leaves what is not wanted unjudged", async () => {
    remote.push("main", policy(20), "Longer");
    const cache = createViewCache();
    const read = () => [...cache.snapshots.keys()].map((key) => key.split(" ")[2]);
    await story({ kinds: [], since: null, until: null }, cache);
    expect(read()).toEqual([]);
    await story(scopeOf({ ...EVERYTHING, since: 4_000_000_000 }), cache);
    expect(read()).toEqual([]);
    await story(scopeOf({ ...EVERYTHING, kinds: ["GSLBConfig"] }), cache);
    expect(read()).toEqual(["federation/gslbconfig/gc-1.yaml"]);
  });
});
