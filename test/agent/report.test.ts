import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/model.ts";
import { policy } from "../support/builders.ts";
import { type FakeAgent, fileOf, headOf, type World, type WorldOptions } from "../support/fakes/world.ts";
import { editPolicy, exportsOf, GDP, policyIn, settled } from "./settled.ts";

/** The conditions as `type: status`. */
function conditions({ cluster }: FakeAgent): Readonly<Record<string, string>> {
  const status = cluster.only("AMKOCluster")?.status as JsonObject | undefined;
  const list = (status?.["conditions"] ?? []) as unknown as readonly { type: string; status: string }[];
  return Object.fromEntries(list.map((condition) => [condition.type, condition.status]));
}

describe("a leader at rest", () => {
  it("learns from its polls, within a minute, that a follower has come to fail since it acknowledged", async () => {
    const world = await settled();
    const { leader, follower } = world;
    await leader.run("poll");
    follower.cluster.drop(GDP);
    follower.cluster.refuse(GDP, "policy says no");
    await follower.run("cluster");
    expect(world.remote.branch("amko/failed/cluster2")).not.toBeNull();
    await world.clock.advance(60_000);
    await leader.run("poll");
    expect(JSON.stringify(leader.cluster.only("AMKOCluster")?.status)).toContain("cluster2: could not apply it");
  });
});

describe("an acknowledgement", () => {
  const ackOf = ({ remote }: World): unknown => remote.branch("amko/applied/cluster2");

  it("comes at once, then at most once per interval, and the last revision is never left out", async () => {
    const world = await settled({ settings: { ackIntervalMs: 5_000 } });
    await world.clock.advance(60_000);
    const revisions = [11, 12, 13].map((ttl) => () => world.remote.push("main", fileOf(policy({ ttl }))));
    const first = revisions[0]?.();
    await world.follower.run("poll");
    expect(ackOf(world)).toBe(first);
    for (const push of revisions.slice(1)) {
      push();
      await world.follower.run("poll");
    }
    expect(policyIn(world.follower)).toMatchObject({ ttl: 13 });
    expect(ackOf(world)).toBe(first);
    await world.clock.advance(5_000);
    await world.follower.run("retry");
    expect(ackOf(world)).toBe(headOf(world.remote));
  });

  it("that somebody deleted is pushed again at the next resync", async () => {
    const world = await settled();
    world.remote.setBranch("amko/applied/cluster2", null);
    await world.follower.run("resync");
    expect(ackOf(world)).toBe(headOf(world.remote));
  });

  it("that the server refuses does not keep the cluster from its content; it is tried again at resync", async () => {
    const world = await settled();
    world.remote.push("main", fileOf(policy({ ttl: 11 })));
    world.remote.fail({ on: "moveRef", code: "AG2004", ref: "applied/" });
    await world.follower.run("poll");
    expect(policyIn(world.follower)).toMatchObject({ ttl: 11 });
    expect(ackOf(world)).not.toBe(headOf(world.remote));
    await world.follower.run("resync");
    expect(ackOf(world)).toBe(headOf(world.remote));
  });
});

describe("the status", () => {
  it("of a leader that cannot write it keeps no deletion from the branch", async () => {
    const world = await settled();
    world.leader.cluster.fail({ on: "patchStatus", code: "AG3003", times: 1_000 });
    world.remote.push("main", { "README.md": "moved" });
    world.leader.cluster.drop(GDP);
    await world.leader.run("cluster");
    await world.clock.advance(30_000);
    await world.leader.run("retry");
    expect(exportsOf(world)).toHaveLength(1);
  });

  it("of a leader whose agent starts again goes on to say who is late", async () => {
    const world = await settled();
    world.remote.push("main", fileOf(policy({ ttl: 11 })));
    await world.leader.run("poll");
    await world.clock.advance(300_000);
    await world.leader.run("retry");
    const late = conditions(world.leader)["GDP Federation"];
    world.leader.restart();
    await world.leader.run("start");
    expect([late, conditions(world.leader)["GDP Federation"]]).toEqual([
      "failure in federation",
      "failure in federation",
    ]);
  });

  it("of a leader tells the truth about its followers", async () => {
    const world = await settled();
    expect(conditions(world.leader)).toMatchObject({
      "current AMKOCluster Validation": "valid AMKOCluster object",
      "GDP Federation": "federated to all valid clusters successfully",
      Synced: "True",
    });
    world.remote.push("main", fileOf(policy({ ttl: 11 })));
    await world.leader.run("poll");
    expect(conditions(world.leader)).toMatchObject({
      "GDP Federation": "federating",
      "GSLBConfig Federation": "federated to all valid clusters successfully",
    });
    await world.follower.run("poll");
    await world.clock.advance(300_000);
    await world.leader.run("resync");
    expect(conditions(world.leader)["GDP Federation"]).toBe("error in federating to some clusters");
    await world.agent("cluster3").run("poll");
    await world.leader.run("poll");
    expect(conditions(world.leader)["GDP Federation"]).toBe("federated to all valid clusters successfully");
  });

  it("of a follower says that it does not federate", async () => {
    const world = await settled();
    expect(conditions(world.follower)).toEqual({
      "current AMKOCluster Validation": "won't federate objects",
      Synced: "True",
    });
  });

  it("is not written again while nothing means anything else", async () => {
    const world = await settled();
    world.remote.push("main", fileOf(policy({ ttl: 11 })));
    await world.settle();
    const count = (): number => world.leader.cluster.writes.filter(({ method }) => method === "patchStatus").length;
    const before = count();
    for (let round = 0; round < 5; round += 1) {
      await world.clock.advance(60_000);
      await world.leader.run("resync");
    }
    expect(count()).toBe(before);
  });

  it("that cannot be written does not break what was done", async () => {
    const world = await settled();
    world.remote.push("main", fileOf(policy({ ttl: 11 })));
    world.follower.cluster.fail({ on: "patchStatus", code: "AG3004" });
    await world.follower.run("poll");
    expect(policyIn(world.follower)).toMatchObject({ ttl: 11 });
    expect(world.remote.branch("amko/applied/cluster2")).toBe(headOf(world.remote));
    expect(conditions(world.follower)["Synced"]).toBe("True");
  });
});

describe("Events", () => {
  it("tell what was applied, once", async () => {
    const world = await settled();
    const before = world.follower.cluster.events.length;
    world.remote.push("main", fileOf(policy({ ttl: 11 })));
    await world.follower.run("poll");
    await world.follower.run("resync");
    const told = world.follower.cluster.events.slice(before).map(({ reason }) => reason);
    expect(told).toEqual(["Applied"]);
  });

  it("that cannot be recorded break nothing", async () => {
    const world = await settled();
    world.remote.push("main", fileOf(policy({ ttl: 11 })));
    world.follower.cluster.fail({ on: "recordEvent", code: "AG3003", times: 10 });
    expect(await world.follower.run("poll")).toMatchObject({ error: null, state: "in-sync" });
  });
});

describe("a local edit in a follower", () => {
  const drifted = async (options: WorldOptions = {}) => {
    const world = await settled(options);
    editPolicy(world.follower, { ttl: 77 });
    await world.follower.run("cluster");
    return world;
  };

  it("is put back at once, and told with its fields", async () => {
    const world = await drifted();
    expect(policyIn(world.follower)).toMatchObject({ ttl: 10 });
    expect(world.follower.log.join("\n")).toContain("spec.ttl");
    expect(world.follower.cluster.events.some(({ message }) => message.includes("spec.ttl"))).toBe(true);
  });

  it("is only reported where that was configured", async () => {
    const world = await drifted({ settings: { drift: "report" } });
    expect(policyIn(world.follower)).toMatchObject({ ttl: 77 });
    expect(conditions(world.follower)["Synced"]).toBe("False");
  });

  it("is put back ever more slowly where somebody keeps fighting", async () => {
    const world = await settled();
    let corrections = 0;
    for (let round = 0; round < 200; round += 1) {
      editPolicy(world.follower, { ttl: 77 });
      await world.follower.run("cluster");
      if (policyIn(world.follower)["ttl"] === 10) corrections += 1;
      await world.clock.advance(1_000);
    }
    expect(corrections).toBeGreaterThan(1);
    expect(corrections).toBeLessThan(40);
    expect(conditions(world.follower)["Synced"]).toBe("False");
  });
});
