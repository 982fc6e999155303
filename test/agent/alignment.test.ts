import { describe, expect, it } from "vitest";
import { CLUSTERS, manifest } from "../support/builders.ts";
import { filesOf, isLeader } from "../support/fakes/world.ts";
import { edit, settled, specOf, statusOf } from "./settled.ts";

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

  it("is put back by a leader that waited for the fight to end, and people are told of both", async () => {
    const world = await settled();
    for (let time = 0; time < 5; time += 1) {
      edit(world.leader, "AMKOCluster", { isLeader: false });
      await world.leader.run("cluster");
    }
    expect(isLeader(world.leader)).toBe(false);
    expect(statusOf(world.leader)).toContain("AG5019");
    const { againAfterMs } = await world.leader.run("cluster");
    await world.clock.advance(againAfterMs ?? 0);
    await world.leader.run("retry");
    expect(isLeader(world.leader)).toBe(true);
    const { events } = world.leader.cluster;
    expect(events.filter(({ reason }) => reason === "DriftCorrected").map(({ message }) => message)).toContainEqual(
      expect.stringContaining("isLeader"),
    );
  });
});
