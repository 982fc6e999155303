import { describe, expect, it } from "vitest";
import { policy } from "../support/builders.ts";
import { amkoCluster, fileOf } from "../support/fakes/world.ts";
import { flip, settled } from "./settled.ts";

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

  it("goes on to count what a cluster lacks that has one AMKOCluster too many", async () => {
    const world = await settled();
    const second = amkoCluster("cluster2", true);
    world.follower.cluster.put({ ...second, metadata: { ...second.metadata, name: "another" } });
    world.remote.push("main", fileOf(policy({ ttl: 20 })));
    const { stance } = await world.follower.run("poll");
    expect(stance).toMatchObject({ role: "none", localLeader: true, problem: "AG3012" });
    expect(stance?.lacksSinceSeconds).toBeGreaterThan(0);
  });
});
