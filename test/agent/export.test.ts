import { describe, expect, it } from "vitest";
import type { CommitId, LiveObject } from "../../src/core/model.ts";
import { gslbConfig, policy } from "../support/builders.ts";
import { type FakeAgent, fileOf, headOf } from "../support/fakes/world.ts";
import {
  edit,
  editPolicy,
  exportsOf,
  GDP,
  GDP_PATH,
  policyIn,
  settled,
  specOf,
  statusOf,
  trailersOf,
} from "./settled.ts";

function annotatePolicy({ cluster }: FakeAgent, annotations: Readonly<Record<string, string>>): void {
  cluster.edit(GDP, ({ metadata, ...object }) => ({
    ...object,
    metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations } },
  }));
}

describe("an edit on the leader", () => {
  it("becomes one commit that says what, why, by whom and from where", async () => {
    const world = await settled();
    annotatePolicy(world.leader, { "amko-gitops.io/change-reason": "CHG-4211" });
    editPolicy(world.leader, { ttl: 20 });
    const parent = headOf(world.remote);
    await world.leader.run("cluster");
    const commit = world.remote.stored(headOf(world.remote));
    expect(commit.parents).toEqual([parent]);
    expect(commit.author).toBe("amko-gitops <amko-gitops@cluster1>");
    expect(commit.message).toMatch(
      /^federation: update GlobalDeploymentPolicy global-gdp\n\nspec\.ttl: 10 -> 20\n\nCHG-4211\n\n/,
    );
    expect(trailersOf(world, "from")).toEqual(["cluster1"]);
    expect(trailersOf(world, "version")).toEqual(["1.4.2"]);
    expect(trailersOf(world, "object")).toEqual(["GlobalDeploymentPolicy avi-system/global-gdp"]);
  });

  it("of both kinds becomes one commit", async () => {
    const world = await settled();
    editPolicy(world.leader, { ttl: 20 });
    edit(world.leader, "GSLBConfig", { logLevel: "DEBUG" });
    await world.leader.run("cluster");
    expect(exportsOf(world)).toHaveLength(1);
    expect(trailersOf(world, "object")).toHaveLength(2);
  });

  it("waits for others that come within the batch window", async () => {
    const world = await settled({ settings: { batchWindowMs: 5_000 } });
    editPolicy(world.leader, { ttl: 20 });
    expect(await world.leader.run("cluster")).toMatchObject({ againAfterMs: 5_000 });
    await world.clock.advance(3_000);
    editPolicy(world.leader, { ttl: 21 });
    expect(await world.leader.run("cluster")).toMatchObject({ againAfterMs: 2_000 });
    expect(exportsOf(world)).toEqual([]);
    await world.clock.advance(2_000);
    await world.leader.run("retry");
    expect(exportsOf(world)).toHaveLength(1);
    expect(world.remote.text(headOf(world.remote), GDP_PATH)).toContain("ttl: 21");
  });

  it("is merged with an edit of another field in git", async () => {
    const world = await settled();
    world.remote.push("main", fileOf(policy({ ttl: 20 })));
    editPolicy(world.leader, { defaultDomain: "a.example.com" });
    await world.settle();
    expect(policyIn(world.leader)).toEqual(policy({ ttl: 20, defaultDomain: "a.example.com" }).spec);
    expect(policyIn(world.follower)).toEqual(policy({ ttl: 20, defaultDomain: "a.example.com" }).spec);
    expect(trailersOf(world, "supersedes")).toEqual([]);
  });

  it("wins over an edit of the same field in git, and the commit says so, beside fields that git won", async () => {
    const world = await settled();
    const overridden = world.remote.push("main", fileOf(policy({ ttl: 20, pkiProfileRef: "pki" })));
    editPolicy(world.leader, { ttl: 30 });
    await world.settle();
    expect(policyIn(world.follower)).toMatchObject({ ttl: 30, pkiProfileRef: "pki" });
    expect(trailersOf(world, "supersedes")).toEqual([overridden]);
  });

  it("starts over when the branch moved while it was pushed", async () => {
    const world = await settled();
    editPolicy(world.leader, { ttl: 20 });
    const racing = world.startAgent("cluster1", {
      repository: {
        by: "cluster1",
        gate: async (label) => {
          if (label === "cluster1 publish main" && exportsOf(world).length === 0 && !raced) {
            raced = true;
            world.remote.push("main", fileOf(policy({ pkiProfileRef: "pki" })));
          }
        },
      },
    });
    let raced = false;
    await racing.run("start");
    await world.settle();
    expect(policyIn(world.follower)).toEqual(policy({ ttl: 20, pkiProfileRef: "pki" }).spec);
  });

  it("is tried again when the API server failed in between, although the branch did not move", async () => {
    const world = await settled();
    editPolicy(world.leader, { ttl: 20 });
    world.leader.cluster.fail({ on: "list", code: "AG3001", kind: GDP });
    expect(await world.leader.run("cluster")).toMatchObject({ error: { code: "AG3001" } });
    await world.leader.run("poll");
    expect(world.remote.text(headOf(world.remote), GDP_PATH)).toContain("ttl: 20");
  });

  it("that takes a field off stands, although the file could not be read in between", async () => {
    const world = await settled();
    const before = world.remote.text(headOf(world.remote), GDP_PATH);
    world.remote.push("main", { [GDP_PATH]: "kind: Oops" });
    const { trafficSplit: _, ...spec } = policyIn(world.leader);
    world.leader.cluster.edit(GDP, (object) => ({ ...object, spec }));
    world.remote.push("main", { [GDP_PATH]: before });
    await world.settle();
    expect(policyIn(world.follower)).toEqual(spec);
    expect(trailersOf(world, "supersedes")).toEqual([]);
  });

  it("that git took over by rollback is not exported again", async () => {
    const world = await settled();
    const before = world.remote.text(headOf(world.remote), GDP_PATH);
    editPolicy(world.leader, { ttl: 20 });
    await world.settle();
    world.remote.push("main", { [GDP_PATH]: before }, "Roll back");
    await world.settle();
    expect(policyIn(world.leader)).toMatchObject({ ttl: 10 });
    expect(exportsOf(world)).toHaveLength(1);
  });
});

describe("a push whose answer was lost", () => {
  it("is recognised by its Export-Id, so that what the user did since is his change", async () => {
    const world = await settled();
    editPolicy(world.leader, { ttl: 20 });
    world.remote.fail({ on: "publish", code: "AG2010", landed: true });
    expect(await world.leader.run("cluster")).toMatchObject({ error: { code: "AG2010" } });
    // Without the id this would look like the base, and the own commit like somebody's edit in git.
    editPolicy(world.leader, { ttl: 10 });
    world.leader.restart();
    await world.leader.run("start");
    await world.settle();
    expect(policyIn(world.follower)).toMatchObject({ ttl: 10 });
    expect(exportsOf(world)).toHaveLength(2);
  });

  it("is not made a second time", async () => {
    const world = await settled();
    editPolicy(world.leader, { ttl: 20 });
    world.remote.fail({ on: "publish", code: "AG2010", landed: true });
    await world.leader.run("cluster");
    world.leader.restart();
    await world.settle();
    expect(exportsOf(world)).toHaveLength(1);
  });

  it("is not taken for that of a kind that was tried with it, and did not get into the commit", async () => {
    const world = await settled();
    edit(world.leader, "GSLBConfig", { logLevel: "DEBUG" });
    editPolicy(world.leader, { ttl: 20 });
    world.remote.fail({ on: "publish", code: "AG2010", landed: false });
    expect(await world.leader.run("cluster")).toMatchObject({ error: { code: "AG2010" } });
    const { spec } = gslbConfig();
    world.remote.push("main", fileOf(gslbConfig({ spec: { ...spec, refreshInterval: 900 } })));
    // The merge of both cannot be written, and the GDP alone goes to git.
    world.leader.cluster.refuse("GSLBConfig", "not now");
    await world.leader.run("cluster");
    expect(exportsOf(world)).toHaveLength(1);
    world.leader.cluster.refuse("GSLBConfig", null);
    await world.settle();
    for (const { cluster } of [world.leader, world.follower]) {
      expect(specOf(cluster.only("GSLBConfig"))).toMatchObject({ logLevel: "DEBUG", refreshInterval: 900 });
    }
  });

  it("of a tombstone is recognised too", async () => {
    const world = await settled();
    world.leader.cluster.drop(GDP);
    await world.leader.run("cluster");
    await world.clock.advance(30_000);
    world.remote.fail({ on: "publish", code: "AG2010", landed: true });
    await world.leader.run("retry");
    world.leader.restart();
    await world.settle();
    expect(exportsOf(world)).toHaveLength(1);
    expect(world.follower.cluster.only(GDP)).toBeNull();
  });
});

describe("an older object that a restore brought back", () => {
  it("takes git's content, and deceives nobody with its annotations", async () => {
    const world = await settled();
    const old = world.leader.cluster.only(GDP) as LiveObject;
    editPolicy(world.leader, { ttl: 20 });
    await world.settle();
    editPolicy(world.leader, { ttl: 30 });
    await world.settle();
    world.leader.cluster.edit(GDP, () => old);
    await world.settle();
    expect(policyIn(world.leader)).toMatchObject({ ttl: 30 });
    expect(exportsOf(world)).toHaveLength(2);
  });

  it("takes git's content also when it was saved in the middle of an export", async () => {
    const world = await settled();
    editPolicy(world.leader, { ttl: 20 });
    world.remote.fail({ on: "publish", code: "AG2010", landed: true });
    await world.leader.run("cluster");
    const old = world.leader.cluster.only(GDP) as LiveObject;
    expect(old.metadata.annotations?.["amko-gitops.io/export-id"]).toBeDefined();
    await world.settle();
    editPolicy(world.leader, { ttl: 30 });
    await world.settle();
    world.leader.cluster.edit(GDP, () => old);
    await world.settle();
    expect(policyIn(world.leader)).toMatchObject({ ttl: 30 });
  });
});

describe("a proposal of both kinds", () => {
  it("is settled also for the kind that people left out when they squashed it", async () => {
    const world = await settled({ settings: { publish: "propose" } });
    edit(world.leader, "GSLBConfig", { logLevel: "DEBUG" });
    editPolicy(world.leader, { ttl: 20 });
    await world.settle();
    const proposed = world.remote.branch("amko/propose/cluster1/config");
    if (proposed === null) throw new Error("nothing was proposed");
    const { tree, message } = world.remote.stored(proposed);
    const path = "federation/gslbconfig/gc-1.yaml";
    world.remote.push("main", { [path]: tree.get(path)?.bytes ?? null }, message);
    world.remote.setBranch("amko/propose/cluster1/config", null);
    await world.settle();
    // Their merge is their answer to both: what they left out is not proposed again, and does not stay on the leader.
    expect(world.remote.branch("amko/propose/cluster1/config")).toBeNull();
    expect(policyIn(world.leader)).toMatchObject({ ttl: 10 });
    const rescued = [...world.remote.branches()].filter(([name]) => name.startsWith("amko/rescue/cluster1/"));
    expect(rescued.map(([, commit]) => world.remote.text(commit, GDP_PATH))).toEqual([
      expect.stringContaining("ttl: 20"),
    ]);
    expect(specOf(world.follower.cluster.only("GSLBConfig"))).toMatchObject({ logLevel: "DEBUG" });
  });
});

describe("a push that is refused again and again", () => {
  it("writes the object once", async () => {
    const world = await settled();
    editPolicy(world.leader, { ttl: 20 });
    world.remote.fail({ on: "publish", code: "AG2004", times: 100 });
    const before = world.leader.cluster.writes.filter(({ kind }) => kind === GDP).length;
    for (let attempt = 0; attempt < 5; attempt += 1) await world.leader.run("retry");
    expect(world.leader.cluster.writes.filter(({ kind }) => kind === GDP).length).toBe(before + 1);
    world.remote.heal();
    await world.settle();
    expect(policyIn(world.follower)["ttl"]).toBe(20);
  });
});

describe("a proposal whose record is lost with the ConfigMap", () => {
  it("is moved along as before, while what people put on top of it stays theirs", async () => {
    const world = await settled({ settings: { publish: "propose" } });
    const ref = "amko/propose/cluster1/config";
    editPolicy(world.leader, { ttl: 42 });
    await world.leader.run("cluster");
    world.leader.cluster.setConfigMapData(null);
    editPolicy(world.leader, { ttl: 43 });
    await world.leader.run("cluster");
    expect(world.remote.text(world.remote.branch(ref) as CommitId, GDP_PATH)).toContain("ttl: 43");
    const theirs = world.remote.push(ref, fileOf(policy({ ttl: 44 })), "Better so");
    world.leader.cluster.setConfigMapData(null);
    editPolicy(world.leader, { ttl: 45 });
    await world.leader.run("cluster");
    expect(world.remote.branch(ref)).toBe(theirs);
    expect(statusOf(world.leader)).toContain("AG5017");
  });
});

describe("what git refuses again and again", () => {
  it.each(["direct", "propose"] as const)("is written to the cluster once (%s)", async (publish) => {
    const world = await settled({ settings: { publish, deleteGraceMs: 0 } });
    edit(world.leader, "GSLBConfig", { logLevel: "DEBUG" });
    world.leader.cluster.drop(GDP);
    for (const on of ["publish", "propose"] as const) world.remote.fail({ on, code: "AG2004", times: 100 });
    const before = world.leader.cluster.writes.length;
    for (let attempt = 0; attempt < 5; attempt += 1) await world.leader.run("retry");
    const written = world.leader.cluster.writes.slice(before).map(({ method, kind }) => `${method} ${kind}`);
    expect(written.toSorted()).toEqual(["patch GSLBConfig", "patchStatus AMKOCluster", "writeConfigMap ConfigMap"]);
  });
});

describe("a kind that the API server lets nobody write", () => {
  it.each(["direct", "propose"] as const)(
    "stays out of git, says why, and keeps nobody from the other (%s)",
    async (publish) => {
      const world = await settled({ settings: { publish } });
      edit(world.leader, "GSLBConfig", { logLevel: "DEBUG" });
      editPolicy(world.leader, { ttl: 33 });
      world.leader.cluster.refuse("GSLBConfig", "frozen by policy");
      await world.leader.run("cluster");
      const at = publish === "direct" ? headOf(world.remote) : world.remote.branch("amko/propose/cluster1/config");
      expect(world.remote.text(at as CommitId, GDP_PATH)).toContain("ttl: 33");
      expect(statusOf(world.leader)).toContain("frozen by policy");
      const pushed = world.remote.writes.length;
      for (let pass = 0; pass < 3; pass += 1) await world.leader.run("retry");
      expect(world.remote.writes).toHaveLength(pushed);
      world.leader.cluster.refuse("GSLBConfig", null);
      await world.leader.run("retry");
      const next = publish === "direct" ? headOf(world.remote) : world.remote.branch("amko/propose/cluster1/config");
      expect(world.remote.text(next as CommitId, "federation/gslbconfig/gc-1.yaml")).toContain("DEBUG");
    },
  );
});

describe("a head that cannot be used", () => {
  it("does not become the base of what history gave: the fix of a person counts", async () => {
    const world = await settled();
    world.remote.push("main", { [GDP_PATH]: "not: [closed" }, "Break it");
    world.remote.fail({ on: "publish", code: "AG2004", times: 100 });
    await world.leader.run("poll");
    world.remote.push("main", fileOf(policy({ ttl: 99 })), "Mend it");
    world.remote.heal();
    await world.settle();
    expect([policyIn(world.leader)["ttl"], policyIn(world.follower)["ttl"]]).toEqual([99, 99]);
  });
});
