import { describe, expect, it } from "vitest";
import { manifest, policy } from "../support/builders.ts";
import { fileOf, filesOf, isLeader } from "../support/fakes/world.ts";
import { flip, GDP, policyIn, settled, statusOf } from "./settled.ts";

describe("stepping down", () => {
  it("does not depend on the objects: also while one kind cannot be listed", async () => {
    const world = await settled();
    world.remote.push("main", flip("cluster2"), "Flip");
    world.leader.cluster.fail({ on: "list", code: "AG3005", kind: GDP, times: 100 });
    await world.leader.run("cluster");
    expect(isLeader(world.leader)).toBe(false);
    expect(statusOf(world.leader)).toContain("AG3005");
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
