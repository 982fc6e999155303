import { describe, expect, it } from "vitest";
import type { CommitId, LiveObject } from "../../src/core/model.ts";
import { contentOf } from "../../src/core/snapshot.ts";
import { globalDeploymentPolicy, gslbConfig, policy } from "../support/builders.ts";
import { type FakeAgent, fileOf, headOf, makeWorld, objectOf } from "../support/fakes/world.ts";
import { edit, editPolicy, exportsOf, GDP, GDP_PATH, policyIn, settled, specOf, statusOf } from "./settled.ts";

describe("a follower", () => {
  it("creates what it does not have", async () => {
    const world = makeWorld({ holds: [] });
    await world.settle();
    for (const name of ["cluster2", "cluster3"]) {
      const { cluster } = world.agent(name);
      expect(contentOf(cluster.only("GSLBConfig") as LiveObject)).toEqual(contentOf(objectOf(gslbConfig())));
      expect(specOf(cluster.only(GDP))).toEqual(globalDeploymentPolicy().spec);
      expect(world.remote.branch(`amko/applied/${name}`)).toBe(headOf(world.remote));
    }
  });

  it("writes GSLBConfig before GDP", async () => {
    const world = makeWorld({ holds: [] });
    await world.agent("cluster2").run();
    const created = world.agent("cluster2").cluster.writes.filter(({ method }) => method === "create");
    expect(created.map(({ kind }) => kind)).toEqual(["GSLBConfig", GDP]);
  });

  it("takes an edit on the leader over, and added fields go too", async () => {
    const world = await settled();
    editPolicy(world.follower, { defaultDomain: "added.example.com" });
    editPolicy(world.leader, { ttl: 20 });
    await world.settle();
    expect(policyIn(world.follower)).toEqual(policy({ ttl: 20 }).spec);
  });

  it("deletes what a tombstone tells to delete", async () => {
    const world = await settled();
    world.remote.push("main", fileOf({ ...globalDeploymentPolicy(), deleted: "not needed any more" }));
    await world.settle();
    expect(world.follower.cluster.only(GDP)).toBeNull();
    expect(world.leader.cluster.only(GDP)).toBeNull();
    expect(world.follower.cluster.only("GSLBConfig")).not.toBeNull();
  });

  it("deletes nothing because a file is missing; the leader brings it back", async () => {
    const world = await settled();
    world.remote.push("main", { [GDP_PATH]: null });
    await world.follower.run();
    expect(world.follower.cluster.only(GDP)).not.toBeNull();
    await world.settle();
    expect(world.remote.text(headOf(world.remote), GDP_PATH)).not.toBeNull();
    expect(exportsOf(world)).toEqual(["cluster1"]);
  });

  it("removes an object under another name once the snapshot's own stands", async () => {
    const world = await settled();
    world.follower.cluster.put(objectOf({ ...globalDeploymentPolicy(), name: "by-hand" }));
    await world.follower.run("cluster");
    expect(world.follower.cluster.objects(GDP).map(({ metadata }) => metadata.name)).toEqual(["global-gdp"]);
  });

  it("rescues what stands nowhere in git before it overwrites it, once", async () => {
    const world = await settled();
    for (let round = 0; round < 2; round += 1) {
      editPolicy(world.follower, { ttl: 77 });
      await world.follower.run("cluster");
    }
    const rescued = [...world.remote.branches()].filter(([name]) => name.startsWith("amko/rescue/cluster2/"));
    expect(rescued).toHaveLength(1);
    const commit = rescued[0]?.[1];
    expect(commit === undefined ? null : world.remote.text(commit, GDP_PATH)).toContain("ttl: 77");
    expect(policyIn(world.follower)).toEqual(globalDeploymentPolicy().spec);
  });

  it("overwrites nothing that it could not rescue", async () => {
    const world = await settled();
    editPolicy(world.follower, { ttl: 77 });
    world.remote.fail({ on: "writeOrphan", code: "AG2001", ref: "rescue/" });
    expect(await world.follower.run("cluster")).toMatchObject({ error: { code: "AG2001" } });
    expect(policyIn(world.follower)).toMatchObject({ ttl: 77 });
  });

  it("does not write over what somebody changed after it was read", async () => {
    const world = await settled();
    editPolicy(world.leader, { ttl: 20 });
    await world.leader.run("cluster");
    world.follower.cluster.fail({ on: "patch", code: "AG3004", kind: GDP });
    expect(await world.follower.pass("poll")).toMatchObject({ error: { code: "AG3004", retry: "now" } });
    await world.follower.run();
    expect(policyIn(world.follower)).toMatchObject({ ttl: 20 });
  });
});

describe("a revision that cannot be applied", () => {
  const both = {
    ...fileOf(policy({ ttl: 20 })),
    ...fileOf(gslbConfig({ spec: { ...gslbConfig().spec, logLevel: "DEBUG" } })),
  };

  it("is not applied at all where admission refuses one object", async () => {
    const world = await settled();
    world.follower.cluster.refuse(GDP, "policy says no");
    world.remote.push("main", both);
    expect(await world.follower.run()).toMatchObject({ state: "held" });
    expect(specOf(world.follower.cluster.only("GSLBConfig"))).toMatchObject({ logLevel: "INFO" });
    expect(statusOf(world.follower)).toContain("policy says no");
    expect(world.remote.branch("amko/applied/cluster2")).not.toBe(headOf(world.remote));
    expect(world.remote.branch("amko/failed/cluster2")).not.toBeNull();
    world.follower.cluster.refuse(GDP, null);
    await world.follower.run();
    expect(specOf(world.follower.cluster.only("GSLBConfig"))).toMatchObject({ logLevel: "DEBUG" });
    expect(world.remote.branch("amko/applied/cluster2")).toBe(headOf(world.remote));
    expect(world.remote.branch("amko/failed/cluster2")).toBeNull();
  });

  it("is not applied at all where the CRD here drops a field, and the field is named", async () => {
    const world = await settled();
    const newer = { ...gslbConfig().spec, newField: { inside: 1 } };
    world.remote.push("main", { ...both, ...fileOf(gslbConfig({ spec: newer })) });
    expect(await world.follower.run()).toMatchObject({ state: "held" });
    expect(policyIn(world.follower)).toMatchObject({ ttl: 10 });
    expect(statusOf(world.follower)).toContain("spec.newField");
  });

  it("is applied although it holds nulls, which every API server drops", async () => {
    const world = await settled();
    world.remote.push("main", fileOf(policy({ ttl: 20, pkiProfileRef: null })));
    expect(await world.follower.run()).toMatchObject({ state: "in-sync" });
    expect(policyIn(world.follower)).toMatchObject({ ttl: 20 });
  });

  it("does not keep the other kind from being applied where only one kind's file is unusable", async () => {
    const world = await settled();
    world.remote.push("main", { ...both, [GDP_PATH]: "kind: Something" });
    await world.follower.run();
    expect(specOf(world.follower.cluster.only("GSLBConfig"))).toMatchObject({ logLevel: "DEBUG" });
    expect(policyIn(world.follower)).toMatchObject({ ttl: 10 });
  });

  it("holds a cluster that has lost its CRDs until they are back", async () => {
    const world = await settled();
    world.follower.cluster.fail({ on: "list", code: "AG3005", kind: GDP });
    world.remote.push("main", both);
    expect(await world.follower.run("poll")).toMatchObject({ error: { code: "AG3005" } });
    await world.follower.run("retry");
    expect(policyIn(world.follower)).toMatchObject({ ttl: 20 });
  });
});

describe("an object that a finalizer keeps", () => {
  const keep = ({ cluster }: FakeAgent): void => {
    cluster.edit(GDP, (object) => ({ ...object, metadata: { ...object.metadata, finalizers: ["example.com/keep"] } }));
  };

  it("is not acknowledged as deleted, and the finalizer is named", async () => {
    const world = await settled();
    keep(world.follower);
    world.remote.push("main", fileOf({ ...globalDeploymentPolicy(), deleted: "by hand" }), "Delete it");
    await world.follower.run("poll");
    expect(statusOf(world.follower)).toContain("example.com/keep");
    expect(world.remote.branch("amko/applied/cluster2")).not.toBe(headOf(world.remote));
  });
});

describe("a tombstone", () => {
  it("leaves an object alone that never came from git, and says so", async () => {
    const world = await settled();
    const { follower } = world;
    world.remote.push("main", fileOf({ ...globalDeploymentPolicy(), deleted: "by hand" }), "Delete it");
    await world.settle();
    const { spec } = globalDeploymentPolicy();
    follower.cluster.put(objectOf({ ...globalDeploymentPolicy(), name: "somebodys", spec: { ...spec, ttl: 4711 } }));
    await follower.run("cluster");
    expect(follower.cluster.only(GDP)?.metadata.name).toBe("somebodys");
    expect(statusOf(follower)).toContain("AG5014");
  });
});

describe("drift that is left as it is", () => {
  const driftedOnFollower = async () => {
    const world = await settled({ settings: { drift: "report" } });
    editPolicy(world.follower, { ttl: 77 });
    await world.follower.run("cluster");
    return world;
  };
  const debug = fileOf(gslbConfig({ spec: { ...gslbConfig().spec, logLevel: "DEBUG" } }));

  it("keeps nobody from the other kind", async () => {
    const world = await driftedOnFollower();
    world.remote.push("main", debug, "Debug");
    await world.follower.run("poll");
    expect(specOf(world.follower.cluster.only("GSLBConfig"))["logLevel"]).toBe("DEBUG");
    expect(policyIn(world.follower)["ttl"]).toBe(77);
    expect(statusOf(world.follower)).toContain("AG5013");
    expect(world.remote.branch("amko/applied/cluster2")).not.toBe(headOf(world.remote));
  });

  it("does not hide that the branch was put back", async () => {
    const world = await driftedOnFollower();
    const before = headOf(world.remote);
    world.remote.push("main", debug, "Debug");
    await world.follower.run("poll");
    world.remote.setBranch("main", before);
    await world.follower.run("poll");
    expect(statusOf(world.follower)).toContain("AG2007");
  });
});

describe("a kind on which the base cannot be written", () => {
  it("is told as one that failed, and keeps nobody from the other", async () => {
    const world = await settled();
    world.follower.cluster.refuse("GSLBConfig", "frozen by policy");
    world.remote.push("main", fileOf(policy({ ttl: 20 })));
    await world.follower.run("poll");
    expect(policyIn(world.follower)["ttl"]).toBe(20);
    const failed = world.remote.branch("amko/failed/cluster2");
    expect(world.remote.text(failed as CommitId, "status.yaml")).toContain("frozen by policy");
    world.follower.cluster.refuse("GSLBConfig", null);
    await world.follower.run("retry");
    expect(world.remote.branch("amko/failed/cluster2")).toBeNull();
    expect(world.remote.branch("amko/applied/cluster2")).toBe(headOf(world.remote));
  });

  it("is told as failed no more once git takes that, where it did not at once", async () => {
    const world = await settled();
    world.follower.cluster.refuse(GDP, "no");
    world.remote.push("main", fileOf(policy({ ttl: 20 })));
    await world.follower.run("poll");
    world.follower.cluster.refuse(GDP, null);
    world.remote.fail({ on: "moveRef", code: "AG2001", ref: "failed/" });
    const { againAfterMs } = await world.follower.run("retry");
    await world.clock.advance(againAfterMs ?? 0);
    await world.follower.run("retry");
    expect(world.remote.branch("amko/failed/cluster2")).toBeNull();
  });
});

describe("a fight over one kind", () => {
  it("delays nobody's mending of the other", async () => {
    const world = await settled();
    for (let time = 0; time < 5; time += 1) {
      editPolicy(world.follower, { ttl: 70 + time });
      await world.follower.run("cluster");
    }
    edit(world.follower, "GSLBConfig", { logLevel: "DEBUG" });
    await world.follower.run("cluster");
    expect(specOf(world.follower.cluster.only("GSLBConfig"))["logLevel"]).toBe("INFO");
    expect(statusOf(world.follower)).toContain("AG5019 GlobalDeploymentPolicy");
  });
});

describe("a refusal whose words differ each time", () => {
  it("is pushed once", async () => {
    const world = await settled();
    world.remote.push("main", fileOf(policy({ ttl: 20 })));
    for (let time = 0; time < 5; time += 1) {
      world.follower.cluster.refuse(GDP, `request ${time} was denied`);
      await world.follower.run("retry");
    }
    expect(world.remote.writes.filter(({ branch }) => branch === "amko/failed/cluster2")).toHaveLength(1);
  });
});
