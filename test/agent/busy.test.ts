import { describe, expect, it } from "vitest";
import { isObject } from "../../src/core/json.ts";
import type { JsonObject } from "../../src/core/model.ts";
import { globalDeploymentPolicy, gslbConfig } from "../support/builders.ts";
import { type FakeAgent, headOf, makeWorld } from "../support/fakes/world.ts";

const GDP = "GlobalDeploymentPolicy";

function setTtl({ cluster }: FakeAgent, ttl: number): void {
  cluster.edit(GDP, (object) => ({ ...object, spec: { ...specOf(object.spec), ttl } }));
}

function specOf(spec: unknown): JsonObject {
  return isObject(spec as JsonObject) ? (spec as JsonObject) : {};
}

describe("an object that somebody writes all the time", () => {
  it("reaches git in one pass all the same, as it was when the export's id was written to it", async () => {
    const world = makeWorld({ holds: [gslbConfig(), globalDeploymentPolicy()] });
    await world.settle();
    const leader = world.agent("cluster1");
    const before = headOf(world.remote);
    setTtl(leader, 20);
    // Two writes of somebody else come between reading the object and writing to it.
    leader.cluster.fail({ on: "patch", code: "AG3004", kind: GDP, times: 2 });
    await leader.run("cluster");
    expect(headOf(world.remote)).not.toBe(before);
    await world.settle();
    expect(specOf(world.agent("cluster2").cluster.only(GDP)?.spec)["ttl"]).toBe(20);
  });

  it("is left for the next pass where it does not rest in this one", async () => {
    const world = makeWorld({ holds: [gslbConfig(), globalDeploymentPolicy()] });
    await world.settle();
    const leader = world.agent("cluster1");
    const before = headOf(world.remote);
    setTtl(leader, 20);
    leader.cluster.fail({ on: "patch", code: "AG3004", kind: GDP, times: 8 });
    await leader.run("cluster");
    expect(headOf(world.remote)).not.toBe(before);
  });
});

describe("objects that went with their CRD", () => {
  it("come back from git: nobody deleted them", async () => {
    const world = makeWorld({ holds: [gslbConfig(), globalDeploymentPolicy()], settings: { deleteGraceMs: 0 } });
    await world.settle();
    const leader = world.agent("cluster1");
    const before = headOf(world.remote);
    leader.cluster.fail({ on: "list", code: "AG3005", kind: GDP, times: 2 });
    leader.cluster.drop(GDP);
    expect((await leader.run("cluster")).error?.code).toBe("AG3005");
    leader.cluster.heal();
    await world.settle();
    expect(leader.cluster.only(GDP)).not.toBeNull();
    expect(headOf(world.remote)).toBe(before);
  });

  it("are deleted like any others once they were back", async () => {
    const world = makeWorld({ holds: [gslbConfig(), globalDeploymentPolicy()], settings: { deleteGraceMs: 0 } });
    await world.settle();
    const leader = world.agent("cluster1");
    leader.cluster.fail({ on: "list", code: "AG3005", kind: GDP, times: 2 });
    await leader.run("cluster");
    leader.cluster.heal();
    await world.settle();
    leader.cluster.drop(GDP);
    await world.settle();
    expect(world.agent("cluster2").cluster.only(GDP)).toBeNull();
  });
});
