import { describe, expect, it } from "vitest";
import { gslbConfig, manifest, policy } from "../support/builders.ts";
import { fileOf, filesOf, isLeader } from "../support/fakes/world.ts";
import { edit, editPolicy, exportsOf, flip, GDP, policyIn, settled, statusOf } from "./settled.ts";

describe("stepping down", () => {
  it("does not depend on the objects: also while one kind cannot be listed", async () => {
    const world = await settled();
    world.remote.push("main", flip("cluster2"), "Flip");
    world.leader.cluster.fail({ on: "list", code: "AG3005", kind: GDP, times: 100 });
    await world.leader.run("cluster");
    expect(isLeader(world.leader)).toBe(false);
    expect(statusOf(world.leader)).toContain("AG3005");
  });

  it("does not depend on the ConfigMap either, while a kind's CRD is gone", async () => {
    const world = await settled();
    // A base that is on record, and would be forgotten.
    world.leader.cluster.drop(GDP);
    await world.leader.run("cluster");
    await world.clock.advance(30_000);
    await world.leader.run("retry");
    world.remote.push("main", flip("cluster2"), "Flip");
    world.leader.cluster.fail({ on: "list", code: "AG3005", kind: GDP, times: 100 });
    world.leader.cluster.fail({ on: "writeConfigMap", code: "AG3007", times: 100 });
    await world.leader.run("cluster");
    expect(isLeader(world.leader)).toBe(false);
  });

  it("is complete where git does not let the claim be deleted: the cluster follows", async () => {
    const world = await settled();
    world.remote.push("main", flip("cluster2"), "Flip");
    world.remote.fail({ on: "moveRef", code: "AG2004", ref: "leading/cluster1", times: 1_000 });
    await world.leader.run();
    expect(isLeader(world.leader)).toBe(false);
    world.remote.push("main", fileOf(policy({ ttl: 77 })));
    await world.leader.run("poll");
    expect(policyIn(world.leader)["ttl"]).toBe(77);
  });
});

describe("a former leader whose record of its office was lost", () => {
  it("steps down also where the ConfigMap cannot be written", async () => {
    const world = await settled();
    const { office: _office, ...data } = world.leader.cluster.configMap?.data ?? {};
    world.leader.cluster.setConfigMapData(data);
    world.leader.cluster.fail({ on: "writeConfigMap", code: "AG3007", times: 100 });
    world.remote.push("main", flip("cluster2"), "Flip");
    await world.leader.run("poll");
    await world.leader.run("retry");
    expect(isLeader(world.leader)).toBe(false);
    expect(world.remote.branch("amko/leading/cluster1")).toBeNull();
  });
});

describe("a claim that git does not let go", () => {
  it("is told as a step down once", async () => {
    const world = await settled();
    world.remote.fail({ on: "moveRef", code: "AG2004", ref: "leading/", times: 1_000 });
    world.remote.push("main", flip("cluster2"), "Flip");
    await world.leader.run("poll");
    for (let hour = 0; hour < 3; hour += 1) {
      await world.clock.advance(3_600_000);
      await world.leader.run("resync");
    }
    expect(world.leader.cluster.events.filter(({ reason }) => reason === "SteppedDown")).toHaveLength(1);
  });
});

describe("a promotion", () => {
  it("neither claims nor takes office while a kind cannot be listed: what is edited meanwhile is drift", async () => {
    const world = await settled();
    world.remote.push("main", flip("cluster2"), "Flip");
    await world.leader.run("poll");
    world.follower.cluster.fail({ on: "list", code: "AG3001", kind: GDP, times: 10 });
    for (let pass = 0; pass < 5; pass += 1) await world.follower.pass("retry");
    expect(world.remote.branch("amko/leading/cluster2")).toBeNull();
    await world.follower.pass("retry");
    editPolicy(world.follower, { ttl: 77 });
    world.follower.cluster.fail({ on: "list", code: "AG3001", kind: GDP, times: 2 });
    await world.follower.pass("retry");
    expect(isLeader(world.follower)).toBe(false);
    await world.settle();
    expect([isLeader(world.follower), exportsOf(world), policyIn(world.follower)["ttl"]]).toEqual([true, [], 10]);
  });

  it("says what was refused although its cluster holds the revision once it leads", async () => {
    const world = await settled();
    world.remote.push("main", flip("cluster2"), "Flip");
    world.follower.cluster.fail({ on: "patch", code: "AG3007", kind: "GSLBConfig", times: 1 });
    await world.settle();
    expect([isLeader(world.follower), (await world.follower.run("poll")).state]).toEqual([true, "in-sync"]);
    expect(world.follower.log.join("\n")).toMatch(/goes on without a kind .*"kind":"GSLBConfig","code":"AG3007"/);
  });

  it.each(["GSLBConfig", GDP] as const)(
    "never makes drift the leader's word, also where %s is refused",
    async (kind) => {
      const world = await settled({ settings: { drift: "report" } });
      editPolicy(world.follower, { ttl: 77 });
      await world.follower.run("cluster");
      world.follower.cluster.refuse(kind, "denied");
      const config = gslbConfig({ spec: { ...gslbConfig().spec, logLevel: "DEBUG" } });
      world.remote.push("main", { ...flip("cluster2"), ...fileOf(config) }, "Fail over");
      await world.settle();
      expect([isLeader(world.follower), exportsOf(world)]).toEqual([true, []]);
      expect(policyIn(world.agent("cluster3"))["ttl"]).toBe(10);
      world.follower.cluster.refuse(kind, null);
      await world.clock.advance(30_000);
      await world.follower.run("retry");
      expect(policyIn(world.follower)["ttl"]).toBe(10);
      editPolicy(world.follower, { ttl: 30 });
      await world.follower.run("cluster");
      await world.settle();
      expect(policyIn(world.agent("cluster3"))["ttl"]).toBe(30);
    },
  );
});

describe("a wait", () => {
  it.each([3_600_000, -3_600_000])(
    "is as long as it says, also where somebody sets the clock by %i ms",
    async (byMs) => {
      const world = await settled();
      world.remote.push("main", flip("cluster2"), "Flip");
      await world.follower.run("poll");
      world.clock.set(byMs);
      await world.clock.advance(59_999);
      await world.follower.run("retry");
      expect(isLeader(world.follower)).toBe(false);
      await world.clock.advance(1);
      await world.follower.run("retry");
      expect(isLeader(world.follower)).toBe(true);
    },
  );
});

describe("two processes of one cluster", () => {
  it("do not start the wait for a former leader anew with each other's claims", async () => {
    const world = await settled();
    world.remote.push("main", flip("cluster2"), "Flip");
    const second = world.startAgent("cluster2");
    for (let step = 0; step < 20 && !isLeader(world.follower); step += 1) {
      await world.follower.pass("retry");
      await second.pass("retry");
      await world.clock.advance(10_000);
    }
    expect(isLeader(world.follower)).toBe(true);
  });
});

describe("handover-without", () => {
  it("that was left over from an earlier flip counts for nothing", async () => {
    const annotated = { metadata: { annotations: { "amko-gitops.io/handover-without": "cluster1" } } };
    const leftOver = (to: string) =>
      filesOf([
        ...["cluster1", "cluster3"].map((name) => manifest(name, { isLeader: name === to })),
        manifest("cluster2", { isLeader: to === "cluster2" }, annotated),
      ]);
    const world = await settled();
    world.remote.push("main", leftOver("cluster1"), "Leave it lying around");
    await world.settle();
    world.remote.push("main", leftOver("cluster2"), "Flip");
    expect(await world.follower.run("poll")).toMatchObject({ state: "held" });
    expect([isLeader(world.leader), isLeader(world.follower)]).toEqual([true, false]);
  });
});

describe("a leader that is renamed", () => {
  it("stays in office, and does not wait for itself", async () => {
    const world = await settled();
    const clusters = ["prod", "cluster2", "cluster3"];
    const renamed = filesOf([manifest("prod", { isLeader: true, clusters })]);
    const { "clusters/cluster1/amkocluster.yaml": _former, ...others } = flip("prod");
    world.remote.push("main", { ...others, ...renamed, "clusters/cluster1/amkocluster.yaml": null }, "Rename");
    edit(world.leader, "AMKOCluster", { clusterContext: "prod" });
    await world.leader.run("cluster");
    expect(isLeader(world.leader)).toBe(true);
    const leading = [...world.remote.branches().keys()].filter((name) => name.includes("/leading/"));
    expect(leading).toEqual(["amko/leading/prod"]);
    expect(statusOf(world.leader)).not.toContain("AG5024");
  });
});
