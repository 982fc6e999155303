import { describe, expect, it } from "vitest";
import { cluster } from "../support/builders.ts";
import type { World } from "../support/fakes/world.ts";
import { flip, settled } from "./settled.ts";

const SELF = cluster("cluster1");
const claims = ({ remote }: World): readonly string[] =>
  [...remote.branches().keys()].filter((name) => name.startsWith("amko/leading/"));

/** cluster1 led, and then AMKO was removed from it. */
async function removed(): Promise<World> {
  const world = await settled();
  world.leader.cluster.drop("AMKOCluster");
  return world;
}

describe("an agent without an AMKOCluster", () => {
  it("that was told its name gives up a claim which the branch does not give it, and does nothing else", async () => {
    const world = await removed();
    world.remote.push("main", flip("cluster2"), "Flip");
    const agent = world.startAgent("cluster1", { settings: { cluster: SELF } });
    const before = world.countWrites();
    expect((await agent.run()).state).toBe("held");
    expect(claims(world)).toEqual([]);
    expect(world.countWrites()).toBe(before + 1);
    await agent.run();
    expect(world.countWrites()).toBe(before + 1);
  });

  it("keeps a claim that the branch gives it", async () => {
    const world = await removed();
    await world.startAgent("cluster1", { settings: { cluster: SELF } }).run();
    expect(claims(world)).toEqual(["amko/leading/cluster1"]);
  });

  it("that does not know its name leaves everything alone", async () => {
    const world = await removed();
    world.remote.push("main", flip("cluster2"), "Flip");
    await world.startAgent("cluster1").run();
    expect(claims(world)).toEqual(["amko/leading/cluster1"]);
  });

  it("leaves the claim of another cluster of its name alone", async () => {
    const world = await removed();
    world.remote.push("main", flip("cluster2"), "Flip");
    const agent = world.startAgent("cluster1", { settings: { cluster: SELF } });
    const namespace = await agent.cluster.readNamespace(new AbortController().signal);
    if (namespace !== null)
      agent.cluster.setNamespace({ ...namespace, uid: `${namespace.uid}-rebuilt` as typeof namespace.uid });
    await agent.run();
    expect(claims(world)).toEqual(["amko/leading/cluster1"]);
  });
});
