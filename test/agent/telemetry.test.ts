import { describe, expect, it } from "vitest";
import type { Result } from "../../src/agent/context.ts";
import { globalDeploymentPolicy, gslbConfig, manifest } from "../support/builders.ts";
import {
  type FakeAgent,
  fileOf,
  filesOf,
  headOf,
  makeWorld,
  type World,
  type WorldOptions,
} from "../support/fakes/world.ts";

const GDP = "GlobalDeploymentPolicy";

interface Settled extends World {
  readonly leader: FakeAgent;
  readonly follower: FakeAgent;
}

/** A federation at rest, whose agents have told nothing yet. */
async function settled(options: WorldOptions = {}): Promise<Settled> {
  const world = makeWorld({ holds: [gslbConfig(), globalDeploymentPolicy()], ...options });
  await world.settle();
  for (const name of ["cluster1", "cluster2", "cluster3"]) world.agent(name).forgetFacts();
  return { ...world, leader: world.agent("cluster1"), follower: world.agent("cluster2") };
}

const policyFile = (ttl: number): ReturnType<typeof fileOf> => {
  const policy = globalDeploymentPolicy();
  return fileOf({ ...policy, spec: { ...policy.spec, ttl } });
};

function edit({ cluster }: FakeAgent, ttl: number): void {
  cluster.edit(GDP, (object) => ({ ...object, spec: { ...(object.spec as object), ttl } }));
}

const committedAt = ({ remote }: World): number => remote.stored(headOf(remote)).atSeconds;
const lacksSince = ({ stance }: Result): unknown => stance?.lacksSinceSeconds;
/** Somebody pushes a commit; its date. */
const push = ({ remote }: World, changes: ReturnType<typeof fileOf>): number =>
  remote.stored(remote.push("main", changes)).atSeconds;

describe("an agent tells once", () => {
  it("what it exported, and what others applied and acknowledged", async () => {
    const { leader, follower } = await settled();
    edit(leader, 20);
    await leader.run("cluster");
    await follower.run("poll");
    expect(leader.facts).toEqual([{ fact: "exported", kind: GDP, action: "write" }, { fact: "acknowledged" }]);
    expect(follower.facts).toEqual([{ fact: "applied", kind: GDP, action: "write" }, { fact: "acknowledged" }]);
  });

  it("nothing of drift that could not be put back", async () => {
    const { follower } = await settled();
    edit(follower, 77);
    follower.cluster.refuse(GDP, "denied");
    await follower.run("cluster");
    expect(follower.facts).toEqual([]);
    expect(follower.cluster.events.map(({ reason }) => reason)).not.toContain("DriftCorrected");
  });

  it("a deletion, on both sides", async () => {
    const { leader, follower, clock } = await settled();
    leader.cluster.drop(GDP);
    await leader.run("cluster");
    await clock.advance(30_000);
    await leader.run("retry");
    await follower.run("poll");
    expect(leader.facts).toContainEqual({ fact: "exported", kind: GDP, action: "entomb" });
    expect(follower.facts).toContainEqual({ fact: "applied", kind: GDP, action: "delete" });
  });

  it("a local edit that was rescued and put back", async () => {
    const { follower } = await settled();
    edit(follower, 77);
    await follower.run("cluster");
    expect(follower.facts).toEqual([
      { fact: "rescued", kind: GDP, place: "git" },
      { fact: "applied", kind: GDP, action: "write" },
      { fact: "corrected", kind: GDP },
    ]);
  });

  it("a rescue in its own cluster where git takes none", async () => {
    const { follower, remote } = await settled();
    edit(follower, 77);
    remote.fail({ on: "writeOrphan", code: "AG2013", ref: "rescue/" });
    await follower.run("cluster");
    expect(follower.facts).toContainEqual({ fact: "rescued", kind: GDP, place: "configmap" });
  });

  it("fields of the AMKOCluster that were put back", async () => {
    const { follower } = await settled();
    follower.cluster.edit("AMKOCluster", (object) => ({
      ...object,
      spec: { ...(object.spec as object), clusters: ["cluster2"] },
    }));
    await follower.run("cluster");
    expect(follower.facts).toEqual([{ fact: "corrected", kind: "AMKOCluster" }]);
  });

  it("an office that changes hands", async () => {
    const world = await settled();
    const flip = ["cluster1", "cluster2", "cluster3"].map((name) => manifest(name, { isLeader: name === "cluster2" }));
    world.remote.push("main", filesOf(flip));
    await world.settle();
    const office = ({ facts }: FakeAgent): readonly unknown[] => facts.filter(({ fact }) => fact === "office");
    expect(office(world.leader)).toEqual([{ fact: "office", change: "left" }]);
    expect(office(world.follower)).toEqual([{ fact: "office", change: "taken" }]);
  });

  it("a proposal", async () => {
    const { leader } = await settled({ settings: { publish: "propose" } });
    edit(leader, 20);
    await leader.run("cluster");
    await leader.run("resync");
    expect(leader.facts).toEqual([{ fact: "proposed", topic: "config" }]);
  });

  it("nothing where there is nothing to do", async () => {
    const world = await settled();
    await world.settle();
    expect([world.leader, world.follower].flatMap(({ facts }) => facts)).toEqual([]);
  });
});

describe("a pass finds out", () => {
  it("that a cluster leads, what it holds, and where its members stand", async () => {
    const world = await settled();
    expect((await world.leader.run("resync")).stance).toEqual({
      role: "leader",
      localLeader: true,
      suspendedUntilMs: null,
      problem: null,
      heldAtSeconds: committedAt(world),
      lacksSinceSeconds: null,
      members: { holds: 2, behind: 0, late: 0, failed: 0, excluded: 0 },
    });
    edit(world.leader, 20);
    expect((await world.leader.run("cluster")).stance?.members).toMatchObject({ holds: 0, behind: 2 });
    await world.follower.run("poll");
    expect((await world.leader.run("poll")).stance?.members).toMatchObject({ holds: 1, behind: 1 });
    await world.clock.advance(300_000);
    expect((await world.leader.run("retry")).stance?.members).toMatchObject({ holds: 1, late: 1 });
  });

  it("which members are excluded, or cannot apply", async () => {
    const world = await settled();
    world.remote.push("main", filesOf([manifest("cluster3", { version: "1.3.1" })]));
    world.follower.cluster.refuse(GDP, "not on a Friday");
    edit(world.leader, 20);
    await world.leader.run("cluster");
    await world.follower.run("poll");
    expect((await world.leader.run("poll")).stance?.members).toMatchObject({ failed: 1, excluded: 1 });
  });

  it("nothing where it rests", async () => {
    const { follower } = await settled();
    expect((await follower.run("poll")).stance).toBeNull();
  });

  it("until when a person wants it to stay away", async () => {
    const { follower, clock } = await settled();
    const untilMs = clock.nowMs() + 3_600_000;
    follower.cluster.edit("AMKOCluster", (object) => ({
      ...object,
      metadata: {
        ...object.metadata,
        annotations: {
          "amko-gitops.io/suspended-until": new Date(untilMs).toISOString(),
          "amko-gitops.io/suspend-reason": "CHG-1",
        },
      },
    }));
    const { stance } = await follower.run("cluster");
    expect(stance).toMatchObject({ role: "none", problem: "AG5015", suspendedUntilMs: untilMs });
  });

  it("that there is no AMKO here", async () => {
    const { follower } = await settled();
    follower.cluster.drop("AMKOCluster");
    const { stance } = await follower.run("cluster");
    expect(stance).toMatchObject({ role: "none", localLeader: false, problem: "AG3011", lacksSinceSeconds: null });
  });

  it("that git is away, and leaves out what only git could say", async () => {
    const { leader, remote } = await settled();
    remote.fail({ on: "list", code: "AG2001" });
    expect((await leader.run("poll")).stance).toEqual({ localLeader: true, suspendedUntilMs: null, problem: "AG2001" });
  });

  it("no problem in a conflict that is tried again at once", async () => {
    const { leader, remote } = await settled();
    edit(leader, 20);
    remote.fail({ on: "publish", code: "AG2003" });
    const { error, stance } = await leader.pass("cluster");
    expect([error?.code, stance?.problem]).toEqual(["AG2003", undefined]);
  });
});

describe("how far a cluster is behind", () => {
  it("counts from the oldest revision that it lacks, until it holds the newest", async () => {
    const world = await settled();
    const { follower } = world;
    follower.cluster.refuse(GDP, "not on a Friday");
    const first = push(world, policyFile(20));
    push(world, policyFile(21));
    expect(lacksSince(await follower.run("poll"))).toBe(first);
    const third = push(world, policyFile(22));
    expect(lacksSince(await follower.run("poll"))).toBe(first);
    follower.cluster.refuse(GDP, null);
    const healed = await follower.run("retry");
    expect([lacksSince(healed), healed.stance?.heldAtSeconds]).toEqual([null, third]);
  });

  it("is looked up once for what the cluster holds", async () => {
    const world = await settled();
    world.follower.cluster.refuse(GDP, "not on a Friday");
    const first = push(world, policyFile(20));
    await world.follower.run("poll");
    push(world, policyFile(21));
    world.remote.fail({ on: "history", code: "AG2010", times: 9 });
    expect(lacksSince(await world.follower.run("poll"))).toBe(first);
  });

  it("is known after a restart, by what the cluster acknowledged", async () => {
    const world = await settled();
    const { follower } = world;
    follower.cluster.refuse(GDP, "not on a Friday");
    const first = push(world, policyFile(20));
    push(world, policyFile(21));
    follower.restart();
    expect(lacksSince(await follower.run("start"))).toBe(first);
  });

  it("does not count a revision that left the folder as it was", async () => {
    const world = await settled();
    world.follower.cluster.refuse(GDP, "not on a Friday");
    push(world, {});
    const second = push(world, policyFile(21));
    expect(lacksSince(await world.follower.run("poll"))).toBe(second);
  });

  it("is told while the API server is away", async () => {
    const world = await settled();
    const first = push(world, policyFile(20));
    world.follower.cluster.fail({ on: "list", code: "AG3001", times: 9 });
    const result = await world.follower.run("poll");
    expect([result.state, lacksSince(result)]).toEqual(["failed", first]);
    expect(result.memory.branch?.revision.committedAtSeconds).toBe(first);
  });

  it("is nothing while the API server is away, and git says nothing new", async () => {
    const { follower } = await settled();
    follower.cluster.fail({ on: "list", code: "AG3001", times: 9 });
    const result = await follower.run("resync");
    expect([result.state, lacksSince(result)]).toEqual(["failed", null]);
  });

  it("is at least the newest revision's age where git does not tell more", async () => {
    const world = await settled();
    world.follower.cluster.fail({ on: "list", code: "AG3001", times: 9 });
    push(world, policyFile(20));
    const second = push(world, policyFile(21));
    world.remote.fail({ on: "history", code: "AG2010", times: 9 });
    expect(lacksSince(await world.follower.run("poll"))).toBe(second);
  });
});
