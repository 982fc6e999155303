import { describe, expect, it } from "vitest";
import type { Uid } from "../../src/core/model.ts";
import { headOf } from "../support/fakes/world.ts";
import { editPolicy, GDP, policyIn, settled } from "./settled.ts";

describe("an object that somebody writes all the time", () => {
  it("reaches git in one pass all the same, as it was when the export's id was written to it", async () => {
    const world = await settled();
    const { leader } = world;
    const before = headOf(world.remote);
    editPolicy(leader, { ttl: 20 });
    // Two writes of somebody else come between reading the object and writing to it.
    leader.cluster.fail({ on: "patch", code: "AG3004", kind: GDP, times: 2 });
    await leader.run("cluster");
    expect(headOf(world.remote)).not.toBe(before);
    await world.settle();
    expect(policyIn(world.follower)["ttl"]).toBe(20);
  });

  it("is left for the next pass where it does not rest in this one", async () => {
    const world = await settled();
    const { leader } = world;
    const before = headOf(world.remote);
    editPolicy(leader, { ttl: 20 });
    leader.cluster.fail({ on: "patch", code: "AG3004", kind: GDP, times: 8 });
    await leader.run("cluster");
    expect(headOf(world.remote)).not.toBe(before);
  });
});

describe("objects that went with their CRD", () => {
  it("come back from git: nobody deleted them", async () => {
    const world = await settled({ settings: { deleteGraceMs: 0 } });
    const { leader } = world;
    const before = headOf(world.remote);
    leader.cluster.fail({ on: "list", code: "AG3005", kind: GDP, times: 2 });
    leader.cluster.drop(GDP);
    expect((await leader.run("cluster")).error?.code).toBe("AG3005");
    leader.cluster.heal();
    await world.settle();
    expect(leader.cluster.only(GDP)).not.toBeNull();
    expect(headOf(world.remote)).toBe(before);
  });

  it("come back also where the agent was started anew before the CRD was", async () => {
    const world = await settled({ settings: { deleteGraceMs: 0 } });
    const { leader } = world;
    const before = headOf(world.remote);
    leader.cluster.fail({ on: "list", code: "AG3005", kind: GDP, times: 2 });
    leader.cluster.drop(GDP);
    await leader.pass("cluster");
    leader.cluster.heal();
    leader.restart();
    await world.settle();
    expect(leader.cluster.only(GDP)).not.toBeNull();
    expect(headOf(world.remote)).toBe(before);
  });

  it("come back also where the CRD was missing while git could not be read", async () => {
    const world = await settled({ settings: { deleteGraceMs: 0 } });
    const { leader } = world;
    const before = headOf(world.remote);
    world.remote.fail({ on: "list", code: "AG2001" });
    leader.cluster.fail({ on: "list", code: "AG3005", kind: GDP, times: 2 });
    leader.cluster.drop(GDP);
    await leader.pass("cluster");
    leader.cluster.heal();
    world.remote.heal();
    await world.settle();
    expect(leader.cluster.only(GDP)).not.toBeNull();
    expect(headOf(world.remote)).toBe(before);
  });

  it("are no reason for a cluster that the repository does not know to write anything", async () => {
    const world = await settled();
    const { follower } = world;
    follower.cluster.setNamespace({ uid: "another" as Uid, terminating: false });
    follower.cluster.fail({ on: "list", code: "AG3005", kind: GDP, times: 2 });
    follower.cluster.drop(GDP);
    const before = follower.cluster.writes.length;
    await follower.pass("cluster");
    const written = follower.cluster.writes.slice(before).map(({ method }) => method);
    expect(written.filter((method) => method !== "patchStatus")).toEqual([]);
  });

  it("are deleted like any others once they were back", async () => {
    const world = await settled({ settings: { deleteGraceMs: 0 } });
    const { leader } = world;
    leader.cluster.fail({ on: "list", code: "AG3005", kind: GDP, times: 2 });
    await leader.run("cluster");
    leader.cluster.heal();
    await world.settle();
    leader.cluster.drop(GDP);
    await world.settle();
    expect(world.follower.cluster.only(GDP)).toBeNull();
  });
});
