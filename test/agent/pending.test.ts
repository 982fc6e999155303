import { describe, expect, it } from "vitest";
import { type CommitId, SUSPEND_REASON_ANNOTATION, SUSPENDED_UNTIL_ANNOTATION } from "../../src/core/model.ts";
import { globalDeploymentPolicy, policy } from "../support/builders.ts";
import {
  amkoCluster,
  type FakeAgent,
  fileOf,
  headOf,
  isLeader,
  objectOf,
  type WorldOptions,
} from "../support/fakes/world.ts";
import { edit, exportsOf, flip, GDP, GDP_PATH, policyIn, settled } from "./settled.ts";

function suspend({ cluster }: FakeAgent, until: Date): void {
  const suspension = { [SUSPENDED_UNTIL_ANNOTATION]: until.toISOString(), [SUSPEND_REASON_ANNOTATION]: "upgrade" };
  cluster.edit("AMKOCluster", ({ metadata, ...object }) => ({
    ...object,
    metadata: { ...metadata, annotations: { ...metadata.annotations, ...suspension } },
  }));
}

describe("a deletion on the leader", () => {
  const deletedOnLeader = async (options: WorldOptions = {}) => {
    const world = await settled(options);
    world.leader.cluster.drop(GDP);
    return world;
  };

  it("becomes a tombstone once it has lasted for the grace", async () => {
    const world = await deletedOnLeader();
    expect(await world.leader.run("cluster")).toMatchObject({ againAfterMs: 30_000 });
    await world.clock.advance(29_999);
    await world.leader.run("poll", "retry");
    expect(exportsOf(world)).toEqual([]);
    await world.clock.advance(1);
    await world.settle();
    expect(world.remote.text(headOf(world.remote), GDP_PATH)).toContain("amko-gitops.io/deleted: deleted on cluster1");
    expect(world.follower.cluster.only(GDP)).toBeNull();
    expect(exportsOf(world)).toHaveLength(1);
  });

  it("that was undone within the grace never happened", async () => {
    const world = await deletedOnLeader();
    await world.leader.run("cluster");
    await world.clock.advance(20_000);
    world.leader.cluster.put(objectOf(globalDeploymentPolicy()));
    await world.leader.run("cluster");
    world.leader.cluster.drop(GDP);
    await world.leader.run("cluster");
    await world.clock.advance(20_000);
    await world.leader.run("resync");
    expect(exportsOf(world)).toEqual([]);
  });

  it.each(["git is away", "the agent is suspended"])("that was undone while %s starts its grace anew", async (when) => {
    const world = await deletedOnLeader();
    await world.leader.run("cluster");
    if (when === "git is away") world.remote.fail({ on: "list", code: "AG2001", times: 1_000 });
    else suspend(world.leader, new Date(world.clock.nowMs() + 600_000));
    world.leader.cluster.put(objectOf(globalDeploymentPolicy()));
    await world.leader.run("cluster");
    await world.clock.advance(599_000);
    world.leader.cluster.drop(GDP);
    await world.leader.run("cluster");
    world.remote.heal();
    await world.clock.advance(2_000);
    await world.leader.run("retry");
    expect(exportsOf(world)).toEqual([]);
  });

  it("is looked at again in time while another change waits for people", async () => {
    const world = await settled({ settings: { publish: "propose" } });
    edit(world.leader, "GSLBConfig", { logLevel: "DEBUG" });
    await world.leader.run("cluster");
    world.leader.cluster.drop(GDP);
    expect(await world.leader.run("cluster")).toMatchObject({ againAfterMs: 30_000 });
    await world.clock.advance(30_000);
    await world.leader.run("retry");
    const proposed = world.remote.branch("amko/propose/cluster1/config");
    expect(world.remote.text(proposed as CommitId, GDP_PATH)).toContain("amko-gitops.io/deleted");
  });

  it("starts its grace anew when the agent has died", async () => {
    const world = await deletedOnLeader();
    await world.leader.run("cluster");
    await world.clock.advance(29_000);
    world.leader.restart();
    await world.leader.run("start");
    await world.clock.advance(29_000);
    await world.leader.run("resync");
    expect(exportsOf(world)).toEqual([]);
  });

  it("is none under a new AMKOCluster: the object comes back from git", async () => {
    const world = await deletedOnLeader();
    await world.leader.run("cluster");
    world.leader.cluster.drop("AMKOCluster");
    world.leader.cluster.put(amkoCluster("cluster1", true));
    await world.clock.advance(60_000);
    await world.settle();
    expect(world.leader.cluster.only(GDP)).not.toBeNull();
    expect(exportsOf(world)).toEqual([]);
  });

  it("is none while the namespace is being deleted", async () => {
    const world = await deletedOnLeader();
    world.leader.cluster.setNamespace({ uid: "cluster1-namespace" as never, terminating: true });
    await world.leader.run("cluster");
    await world.clock.advance(60_000);
    expect(await world.leader.run("resync")).toMatchObject({ state: "held" });
    expect(exportsOf(world)).toEqual([]);
  });

  it("is none while AMKO is not installed", async () => {
    const world = await deletedOnLeader();
    world.leader.cluster.drop("AMKOCluster");
    await world.leader.run("cluster");
    await world.clock.advance(60_000);
    await world.leader.run("resync");
    expect(exportsOf(world)).toEqual([]);
  });

  it.each(["AG3001", "AG3005", "AG3006"] as const)("is none where the list failed with %s", async (code) => {
    const world = await settled();
    world.leader.cluster.fail({ on: "list", code, kind: GDP, times: 100 });
    await world.leader.run("resync");
    await world.clock.advance(60_000);
    expect(await world.leader.run("resync")).toMatchObject({ error: { code } });
    expect(exportsOf(world)).toEqual([]);
  });

  it("is undone where git was edited meanwhile", async () => {
    const world = await deletedOnLeader();
    world.remote.push("main", fileOf(policy({ ttl: 20 })));
    await world.settle();
    expect(policyIn(world.leader)).toMatchObject({ ttl: 20 });
  });

  it("happened in a follower that is promoted later: promotion applies first", async () => {
    const world = await settled();
    world.follower.cluster.drop(GDP);
    world.remote.push("main", flip("cluster2"));
    await world.clock.advance(60_000);
    await world.settle();
    await world.clock.advance(60_000);
    await world.settle();
    expect(isLeader(world.follower)).toBe(true);
    expect(world.follower.cluster.only(GDP)).not.toBeNull();
    expect(exportsOf(world)).toEqual([]);
  });
});
