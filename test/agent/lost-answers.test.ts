import { describe, expect, it } from "vitest";
import { contentOf } from "../../src/core/snapshot.ts";
import { globalDeploymentPolicy, gslbConfig } from "../support/builders.ts";
import { type FakeAgent, fileOf, makeWorld, type World, type WorldOptions } from "../support/fakes/world.ts";

/** What faults at single requests brought to light, each as the story that went wrong. */

const REF = "amko/propose/cluster2/version";
const MANIFEST = "clusters/cluster2/amkocluster.yaml";

interface Upgraded extends World {
  readonly follower: FakeAgent;
}

async function federation(options: WorldOptions = {}): Promise<Upgraded> {
  const world = makeWorld({ holds: [gslbConfig(), globalDeploymentPolicy()], ...options });
  await world.settle();
  return { ...world, follower: world.agent("cluster2") };
}

function setVersion({ cluster }: FakeAgent, version: string): void {
  cluster.edit("AMKOCluster", (object) => ({ ...object, spec: { ...contentOf(object).spec, version } }));
}

describe("the proposal of a version", () => {
  it("is withdrawn also where the answer to the record of that was lost", async () => {
    const world = await federation();
    setVersion(world.follower, "1.4.3");
    await world.follower.run("cluster");
    expect(world.remote.branch(REF)).not.toBeNull();
    setVersion(world.follower, "1.4.2");
    world.follower.cluster.fail({ on: "writeConfigMap", code: "AG3001", landed: true, times: 1 });
    await world.follower.run("cluster");
    expect(world.remote.branch(REF)).not.toBeNull();
    await world.follower.run("poll");
    expect(world.remote.branch(REF)).toBeNull();
  });

  it("is withdrawn also where there was no time to record it", async () => {
    const world = await federation();
    setVersion(world.follower, "1.4.3");
    world.follower.cluster.fail({ on: "writeConfigMap", code: "AG3001", times: 1 });
    await world.follower.run("cluster");
    expect(world.remote.branch(REF)).not.toBeNull();
    setVersion(world.follower, "1.4.2");
    world.follower.restart();
    await world.follower.run("start");
    expect(world.remote.branch(REF)).toBeNull();
  });

  it("stays where people made something else of it that nobody has a record of", async () => {
    const world = await federation();
    setVersion(world.follower, "1.4.3");
    world.follower.cluster.fail({ on: "writeConfigMap", code: "AG3001", times: 1 });
    await world.follower.run("cluster");
    setVersion(world.follower, "1.4.2");
    const ours = world.remote.branch(REF);
    const proposed = ours === null ? null : world.remote.text(ours, MANIFEST);
    world.remote.setBranch(REF, world.remote.branch("main"));
    const changed = world.remote.push(REF, { [MANIFEST]: `# We upgrade on Monday.\n${proposed}` });
    await world.follower.run("start");
    expect(world.remote.branch(REF)).toBe(changed);
  });
});

describe("the proposal of an edit", () => {
  it("is withdrawn also where the answer to the record of that was lost", async () => {
    const world = await federation({ settings: { publish: "propose" } });
    const leader = world.agent("cluster1");
    const setTtl = (ttl: number) =>
      leader.cluster.edit("GlobalDeploymentPolicy", (object) => ({
        ...object,
        spec: { ...contentOf(object).spec, ttl },
      }));
    setTtl(60);
    await leader.run("cluster");
    expect(world.remote.branch("amko/propose/cluster1/config")).not.toBeNull();
    setTtl(10);
    leader.cluster.fail({ on: "writeConfigMap", code: "AG3001", landed: true, times: 1 });
    await leader.run("cluster");
    await leader.run("poll");
    expect(world.remote.branch("amko/propose/cluster1/config")).toBeNull();
  });
});

describe("a ref that the git server refused once", () => {
  it("is tried again by itself, and not only at the next resync", async () => {
    const world = await federation();
    world.remote.push("main", fileOf(globalDeploymentPolicy({ spec: { ...globalDeploymentPolicy().spec, ttl: 60 } })));
    world.remote.fail({ on: "moveRef", code: "AG2013", ref: "applied/" });
    const { againAfterMs } = await world.follower.run("poll");
    expect(world.remote.branch("amko/applied/cluster2")).not.toBe(world.remote.branch("main"));
    await world.clock.advance(againAfterMs ?? 0);
    await world.follower.run("retry");
    expect(world.remote.branch("amko/applied/cluster2")).toBe(world.remote.branch("main"));
  });

  it("is tried again by itself also where another one was refused, and taken, before", async () => {
    const world = await federation();
    for (const ttl of [60, 61]) {
      world.remote.push("main", fileOf(globalDeploymentPolicy({ spec: { ...globalDeploymentPolicy().spec, ttl } })));
      world.remote.fail({ on: "moveRef", code: "AG2013", ref: "applied/" });
      const { againAfterMs } = await world.follower.run("poll");
      await world.clock.advance(againAfterMs ?? 0);
      await world.follower.run("retry");
      expect(world.remote.branch("amko/applied/cluster2")).toBe(world.remote.branch("main"));
    }
  });

  it("is tried again by itself also where it tells who the cluster is, and not with every pass", async () => {
    const world = makeWorld({ holds: [gslbConfig(), globalDeploymentPolicy()] });
    const follower = world.agent("cluster2");
    world.remote.fail({ on: "writeOrphan", code: "AG2013", ref: "identity/" });
    const { againAfterMs } = await follower.run("start");
    await follower.run("cluster");
    expect(world.remote.branch("amko/identity/cluster2")).toBeNull();
    await world.clock.advance(againAfterMs ?? 0);
    await follower.run("retry");
    expect(world.remote.branch("amko/identity/cluster2")).not.toBeNull();
  });

  it("is not tried again with every poll", async () => {
    const world = await federation();
    world.remote.push("main", fileOf(globalDeploymentPolicy({ spec: { ...globalDeploymentPolicy().spec, ttl: 60 } })));
    world.remote.fail({ on: "moveRef", code: "AG2013", ref: "applied/" });
    const { againAfterMs } = await world.follower.run("poll");
    await world.clock.advance((againAfterMs ?? 0) - 1);
    await world.follower.run("poll");
    await world.follower.run("cluster");
    expect(world.remote.branch("amko/applied/cluster2")).not.toBe(world.remote.branch("main"));
  });
});

describe("an Event that could not be recorded", () => {
  it("is told in the log with its code", async () => {
    const world = await federation();
    world.follower.cluster.fail({ on: "recordEvent", code: "AG3009" });
    setVersion(world.follower, "1.4.3");
    await world.follower.run("cluster");
    expect(world.follower.log.find((line) => line.startsWith("warn event"))).toContain("AG3009");
  });
});
