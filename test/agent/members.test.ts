import { describe, expect, it } from "vitest";
import { problem } from "../../src/core/catalogue.ts";
import { FederationError } from "../../src/errors.ts";
import { CLUSTERS, globalDeploymentPolicy, manifest } from "../support/builders.ts";
import { contextsOf } from "../support/fakes/members.ts";
import { settle } from "../support/fakes/time.ts";
import { type FakeAgent, fileOf, filesOf, headOf, isLeader, makeWorld } from "../support/fakes/world.ts";
import { edit, editPolicy, flip, HELD, policyIn, type Settled } from "./settled.ts";

function condition({ cluster }: FakeAgent, type: string): string {
  const { conditions = [] } = (cluster.only("AMKOCluster")?.status ?? {}) as {
    conditions?: readonly { type: string; status: string; reason: string }[];
  };
  const found = conditions.find((one) => one.type === type);
  return found === undefined ? "(none)" : `${found.status} | ${found.reason}`;
}

/** cluster1 leads, with credentials for the others unless told otherwise, and everything is at rest. */
async function federation(contexts: ReturnType<typeof contextsOf> | null = contextsOf(...CLUSTERS)): Promise<Settled> {
  const world = makeWorld({ holds: HELD });
  world.members.setContexts(contexts);
  await world.settle();
  return { ...world, leader: world.agent("cluster1"), follower: world.agent("cluster2") };
}

/** Edits on the leader, and what became of the branch. */
async function exports({ remote, leader }: Settled, ttl: number): Promise<boolean> {
  const before = headOf(remote);
  editPolicy(leader, { ttl });
  await leader.run("cluster");
  return headOf(remote) !== before;
}

/** Answers that are older than the leader relies on are asked for again. */
async function later({ clock, leader }: Settled): Promise<void> {
  await clock.advance(30_000);
  await leader.run("poll", "cluster");
  await leader.members.settled();
  await leader.run("cluster");
}

describe("a leader with its members' credentials", () => {
  it("exports and says that all is well", async () => {
    const world = await federation();
    expect(await exports(world, 20)).toBe(true);
    expect(condition(world.leader, "member cluster initialisation")).toBe("all cluster clients fetched | ");
    expect(condition(world.leader, "member cluster validation")).toBe("validated all member clusters | ");
  });

  it("exports nothing while a context is missing, and goes on when it is there", async () => {
    const world = await federation(contextsOf("cluster1", "cluster2"));
    expect(await exports(world, 20)).toBe(false);
    expect(condition(world.leader, "member cluster initialisation")).toContain("some member cluster clients couldn't");
    expect(condition(world.leader, "GDP Federation")).toContain(
      "failure in federation | the members' kubeconfig has no",
    );
    expect(condition(world.leader, "Synced")).toContain("False | AG5022");
    world.members.setContexts(contextsOf(...CLUSTERS));
    const before = headOf(world.remote);
    await later(world);
    expect(headOf(world.remote)).not.toBe(before);
    expect(condition(world.leader, "Synced")).toMatch(/^True/);
  });

  it("does without its own context", async () => {
    const world = await federation(contextsOf("cluster2", "cluster3"));
    expect(await exports(world, 20)).toBe(true);
  });

  it("applies what is merged also while it may not export", async () => {
    const world = await federation(contextsOf());
    const policy = globalDeploymentPolicy();
    world.remote.push("main", fileOf({ ...policy, spec: { ...policy.spec, ttl: 77 } }), "Merge an edit");
    await world.leader.run("poll");
    expect(policyIn(world.leader)["ttl"]).toBe(77);
  });

  it("goes on where a context may not be used, and says so", async () => {
    const refused = problem("AG4007", "context cluster3: exec users are refused");
    const world = await federation(new Map([...contextsOf(...CLUSTERS), ["cluster3", refused]]));
    expect(await exports(world, 20)).toBe(true);
    expect(condition(world.leader, "member cluster initialisation")).toContain(
      "cluster3: context cluster3: exec users",
    );
    expect(world.members.nudges.some((nudge) => nudge.startsWith("cluster3"))).toBe(false);
  });

  it.each<[string, FederationError, boolean]>([
    ["cannot be used", new FederationError("AG4007", "no valid YAML"), false],
    ["may not be read, as if it were not there", new FederationError("AG3003", "forbidden"), true],
  ])("whose kubeconfig %s", async (_what, error, exported) => {
    const world = makeWorld({ holds: HELD });
    world.members.setContexts(error);
    await world.settle();
    const found = { ...world, leader: world.agent("cluster1"), follower: world.agent("cluster2") };
    expect(await exports(found, 20)).toBe(exported);
  });
});

describe("a member that says leader", () => {
  it("after it acknowledged that it follows is a conflict, and stops the export until it is over", async () => {
    const world = await federation();
    edit(world.follower, "AMKOCluster", { isLeader: true });
    await later(world);
    expect(await exports(world, 20)).toBe(false);
    const words = "AMKO in cluster cluster2 is also a leader, conflicting state";
    expect(condition(world.leader, "member cluster validation")).toBe(`member cluster clients invalid | ${words}`);
    await world.follower.run("cluster");
    await later(world);
    expect(condition(world.leader, "member cluster validation")).toBe("validated all member clusters | ");
    expect(await exports(world, 30)).toBe(true);
  });

  it("is noticed by the very nudge that follows an export", async () => {
    const world = await federation();
    edit(world.follower, "AMKOCluster", { isLeader: true });
    expect(await exports(world, 20)).toBe(true);
    await world.leader.members.settled();
    expect(world.leader.log).toContain("woken by a member");
    expect(await exports(world, 30)).toBe(false);
  });

  it("before it acknowledged anything new is on its way down", async () => {
    const world = await federation();
    world.remote.push(
      "main",
      filesOf(CLUSTERS.map((name) => manifest(name, { isLeader: name === "cluster2" }))),
      "Flip",
    );
    await world.clock.advance(0);
    await world.follower.run();
    await world.clock.advance(60_000);
    world.members.set("cluster1", "down");
    await world.follower.run();
    expect(isLeader(world.follower)).toBe(true);
    world.members.set("cluster1", "up");
    await later({ ...world, leader: world.follower });
    expect(isLeader(world.leader)).toBe(true);
    expect(condition(world.follower, "member cluster validation")).toBe("validated all member clusters | ");
  });
});

describe("a former leader that cannot be stood down", () => {
  it.each([
    ["since the kubeconfig cannot be read", new FederationError("AG3001", "the Secret cannot be read"), "AG3001"],
    ["since the kubeconfig lacks it", contextsOf("cluster2", "cluster3"), "AG4007"],
  ])("%s is told in the log", async (_why, contexts, code) => {
    const world = await federation(null);
    world.members.setContexts(contexts);
    world.remote.push("main", flip("cluster2"), "Flip");
    await world.follower.run("poll");
    await world.clock.advance(60_000);
    await world.follower.run("retry");
    expect(isLeader(world.follower)).toBe(true);
    expect(world.follower.log.join("\n")).toMatch(new RegExp(`warn former leader could not be stood down .*${code}`));
  });
});

describe("a member that cannot be asked", () => {
  it.each(["down", "hanging"] as const)("because it is %s delays nothing", async (state) => {
    const world = await federation();
    world.members.set("cluster3", state);
    await world.clock.advance(60_000);
    expect(await exports(world, 20)).toBe(true);
    expect(world.members.nudges).toContainEqual(expect.stringMatching(/^cluster2 main@sha1:/));
  });

  it("shows in the status", async () => {
    const world = await federation();
    world.members.set("cluster3", "down");
    await later(world);
    expect(condition(world.leader, "member cluster validation")).toBe(
      "error in validating some member clusters | cluster3: API server cannot be reached (AG3001)",
    );
  });

  it("is waited for once, when the leader knows nothing yet, and not for long", async () => {
    const world = makeWorld({ holds: HELD });
    world.members.setContexts(contextsOf(...CLUSTERS));
    world.members.set("cluster2", "hanging");
    const leader = world.agent("cluster1");
    const running = leader.run();
    await settle();
    const waiting = world.clock.asleepMs;
    await world.clock.advance(1_000);
    await running;
    expect(waiting).toEqual([1_000]);
    expect(condition(leader, "GDP Federation")).toContain("waiting for cluster2");
  });

  it("is asked by nobody who does not lead", async () => {
    const world = await federation();
    const reads = (): number => [...world.members.reads.values()].reduce((sum, count) => sum + count, 0);
    const before = reads();
    await world.clock.advance(60_000);
    world.follower.members.refresh();
    await world.follower.run();
    await world.follower.members.settled();
    expect(reads()).toBe(before);
    world.leader.members.refresh();
    await world.leader.members.settled();
    expect(reads()).toBe(before + 2);
  });
});

describe("a nudge", () => {
  it("follows each push, to every valid member, with the revision", async () => {
    const world = await federation();
    expect(await exports(world, 20)).toBe(true);
    await world.leader.members.settled();
    const revision = `main@sha1:${headOf(world.remote)}`;
    expect(world.members.nudges.toSorted()).toEqual([`cluster2 ${revision}`, `cluster3 ${revision}`]);
    expect(world.follower.cluster.only("AMKOCluster")?.metadata.annotations).toMatchObject({
      "amko-gitops.io/requested-revision": revision,
    });
  });

  it("to a member that hangs is sent once, and the newest follows", async () => {
    const world = await federation();
    world.members.set("cluster2", "hanging");
    for (const ttl of [20, 30, 40]) await exports(world, ttl);
    expect(world.members.nudges.filter((nudge) => nudge.startsWith("cluster2"))).toHaveLength(1);
    expect(world.members.nudges.filter((nudge) => nudge.startsWith("cluster3"))).toHaveLength(3);
  });

  it("is sent to nobody without credentials", async () => {
    const world = await federation(null);
    expect(await exports(world, 20)).toBe(true);
    expect(world.members.nudges).toEqual([]);
  });
});

describe("a promotion whose wait ran out", () => {
  async function failover(state: "up" | "down"): Promise<Settled> {
    const world = await federation();
    world.members.set("cluster1", state);
    world.remote.push(
      "main",
      filesOf(CLUSTERS.map((name) => manifest(name, { isLeader: name === "cluster2" }))),
      "Flip",
    );
    await world.follower.run();
    expect([isLeader(world.leader), isLeader(world.follower)]).toEqual([true, false]);
    await world.clock.advance(60_000);
    await world.follower.run();
    expect(isLeader(world.follower)).toBe(true);
    return world;
  }

  it("stands the former leader down where it can, and says that it has not confirmed", async () => {
    const world = await failover("up");
    expect(isLeader(world.leader)).toBe(false);
    const synced = condition(world.follower, "Synced");
    expect(synced).toMatch(/^True \| .*AG5024 former leader cluster1 has not confirmed that it stepped down/);
    expect(synced).toContain(
      `kubectl --context cluster1 -n avi-system patch amkocluster amkocluster-federation --type=merge -p '{"spec":{"isLeader":false}}'`,
    );
    const told = world.follower.cluster.events.filter(({ message }) => message.includes("AG5024"));
    expect(told).toHaveLength(1);
  });

  it("takes office all the same where it cannot, and says so until the former leader has given up its claim", async () => {
    const world = await failover("down");
    expect(isLeader(world.leader)).toBe(true);
    await world.leader.run();
    expect(isLeader(world.leader)).toBe(false);
    await world.follower.run("poll");
    expect(condition(world.follower, "Synced")).not.toContain("AG5024");
  });
});
