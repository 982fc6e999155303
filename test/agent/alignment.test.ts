import { describe, expect, it } from "vitest";
import { CLUSTERS, manifest } from "../support/builders.ts";
import { filesOf } from "../support/fakes/world.ts";
import { edit, flip, settled, specOf, statusOf } from "./settled.ts";

describe("the local AMKOCluster", () => {
  it("follows its manifest at once, however often people change that", async () => {
    const world = await settled();
    for (const length of [1, 2, 3, 1, 2, 3, 1]) {
      const clusters = CLUSTERS.slice(0, length);
      const manifests = CLUSTERS.map((name) => manifest(name, { isLeader: name === "cluster1", clusters }));
      world.remote.push("main", filesOf(manifests), "Change the members");
      await world.leader.run("poll");
      expect(specOf(world.leader.cluster.only("AMKOCluster"))["clusters"]).toEqual(clusters);
    }
    expect(statusOf(world.leader)).not.toContain("AG5019");
  });

  it("is put back ever more slowly where somebody keeps writing it", async () => {
    const world = await settled();
    for (let time = 0; time < 8; time += 1) {
      edit(world.leader, "AMKOCluster", { clusters: ["cluster1"] });
      await world.leader.run("cluster");
    }
    expect(statusOf(world.leader)).toContain("AG5019");
  });
});

describe("an agent whose passes break off", () => {
  it("says which role it has, and nothing of members, where it was deposed", async () => {
    const world = await settled();
    world.remote.push("main", flip("cluster2"), "Flip");
    world.leader.cluster.fail({ on: "list", code: "AG3001", kind: "GSLBConfig", times: 100 });
    const { stance } = await world.leader.run("poll");
    expect(stance).toMatchObject({ role: "follower", members: { holds: 0 }, problem: "AG3001" });
    world.leader.cluster.drop("AMKOCluster");
    expect((await world.leader.run("poll")).stance).toMatchObject({ role: "none", members: { holds: 0 } });
  });

  it("tells later what it did before they did", async () => {
    const world = await settled();
    world.remote.push("main", flip("cluster2"), "Flip");
    world.leader.cluster.fail({ on: "list", code: "AG3001", kind: "GSLBConfig" });
    await world.leader.run("poll");
    await world.leader.run("retry");
    expect(world.leader.cluster.events.map(({ reason }) => reason)).toContain("SteppedDown");
  });
});
