import { describe, expect, it } from "vitest";
import type { WorkloadState } from "../../src/ports.ts";
import { CLUSTERS, gslbConfig } from "../support/builders.ts";
import { type FakeAgent, fileOf, headOf, makeWorld, type World } from "../support/fakes/world.ts";
import { edit, editPolicy, HELD, statusOf } from "./settled.ts";

const CLEAN: WorkloadState = { containers: ["amko"], revision: "amko-1", rolledOut: true };
const WITH_FEDERATOR: WorkloadState = { ...CLEAN, containers: ["amko", "amko-federator"] };

async function federation(workload: WorkloadState | null): Promise<World & { readonly leader: FakeAgent }> {
  const world = makeWorld({ holds: HELD });
  for (const name of CLUSTERS) world.agent(name).cluster.setWorkload(workload);
  await world.settle();
  return { ...world, leader: world.agent("cluster1") };
}

describe("AMKO's own federator beside a leader", () => {
  it("stops the export, is told with the way to remove it, and the export follows when it is gone", async () => {
    const world = await federation(WITH_FEDERATOR);
    const before = headOf(world.remote);
    editPolicy(world.leader, { ttl: 20 });
    const held = await world.leader.run("cluster");
    expect(headOf(world.remote)).toBe(before);
    expect(statusOf(world.leader)).toContain("AG5021");
    expect(statusOf(world.leader)).toContain("deploy/helm");
    expect(world.leader.cluster.events.filter(({ message }) => message.includes("AG5021"))).toHaveLength(1);
    expect(held.againAfterMs).toBeLessThanOrEqual(30_000);
    world.leader.cluster.setWorkload(CLEAN);
    await world.leader.run("retry");
    expect(headOf(world.remote)).not.toBe(before);
    expect(statusOf(world.leader)).not.toContain("AG5021");
  });

  it("is no matter on a follower", async () => {
    const world = await federation(WITH_FEDERATOR);
    expect(statusOf(world.agent("cluster2"))).not.toContain("AG5021");
  });

  it("that nobody can look for stops a leader, and no follower", async () => {
    const world = await federation(CLEAN);
    for (const name of ["cluster1", "cluster2"]) {
      world.agent(name).cluster.fail({ on: "readWorkload", code: "AG3003", times: 1_000 });
    }
    await world.leader.run();
    expect(statusOf(world.leader)).toContain("AG3003");
    expect((await world.agent("cluster2").run()).error).toBeNull();
  });
});

describe("a change that AMKO reads only at its start", () => {
  const REQUIRED = "Restart Required";

  it("is told on the leader until AMKO was rolled, over restarts of the agent", async () => {
    const world = await federation(CLEAN);
    expect(statusOf(world.leader)).not.toContain(REQUIRED);
    edit(world.leader, "GSLBConfig", { refreshInterval: 60 });
    await world.settle();
    expect(statusOf(world.leader)).toContain(REQUIRED);
    expect(statusOf(world.leader)).toContain("spec.refreshInterval");
    expect(statusOf(world.leader)).toContain("rollout restart statefulset amko");
    expect(statusOf(world.agent("cluster2"))).not.toContain(REQUIRED);
    world.leader.restart();
    await world.settle();
    expect(statusOf(world.leader)).toContain(REQUIRED);
    world.leader.cluster.setWorkload({ ...CLEAN, revision: "amko-2" });
    await world.settle();
    expect(statusOf(world.leader)).not.toContain(REQUIRED);
  });

  it("that git made is told too, and one of the log level is not", async () => {
    const world = await federation(CLEAN);
    edit(world.leader, "GSLBConfig", { logLevel: "DEBUG" });
    await world.settle();
    expect(statusOf(world.leader)).not.toContain(REQUIRED);
    const config = gslbConfig();
    world.remote.push("main", fileOf({ ...config, spec: { ...config.spec, refreshInterval: 60 } }), "Merge an edit");
    await world.settle();
    expect(statusOf(world.leader)).toContain(REQUIRED);
  });
});
