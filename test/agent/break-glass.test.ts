import { describe, expect, it } from "vitest";
import { SUSPEND_REASON_ANNOTATION, SUSPENDED_UNTIL_ANNOTATION } from "../../src/core/model.ts";
import { policy } from "../support/builders.ts";
import { type FakeAgent, fileOf, isLeader, type WorldOptions } from "../support/fakes/world.ts";
import { edit, editPolicy, flip, policyIn, type Settled, settled, statusOf } from "./settled.ts";

const told = ({ cluster }: FakeAgent): readonly string[] =>
  cluster.events.filter(({ reason }) => reason === "EditedWithoutGit").map(({ message }) => message);

/** Everything is at rest; then git is gone. */
async function gitGone(options: WorldOptions = {}): Promise<Settled> {
  const world = await settled(options);
  world.remote.fail({ on: "anything", code: "AG2001", times: 1_000 });
  return world;
}

describe("an edit by hand while git cannot be read", () => {
  it("stands on a follower, is told once with what comes of it, and git wins when it is back", async () => {
    const world = await gitGone();
    editPolicy(world.follower, { ttl: 99 });
    for (let pass = 0; pass < 3; pass += 1) await world.follower.pass("poll");
    expect(policyIn(world.follower)["ttl"]).toBe(99);
    expect(told(world.follower)).toHaveLength(1);
    const [message = ""] = told(world.follower);
    expect(message).toContain("GlobalDeploymentPolicy global-gdp was edited in cluster cluster2");
    expect(message).toContain("git wins, after the edit was rescued");
    expect(message).toContain(SUSPENDED_UNTIL_ANNOTATION);
    expect(message).toContain(SUSPEND_REASON_ANNOTATION);
    expect(statusOf(world.follower)).toContain('"status":"Unknown"');
    expect(statusOf(world.follower)).toContain("AG5025");
    world.remote.heal();
    await world.follower.run();
    expect(policyIn(world.follower)["ttl"]).toBe(10);
    expect(statusOf(world.follower)).not.toContain("AG5025");
    expect([...world.remote.branches().keys()].some((name) => name.startsWith("amko/rescue/cluster2/"))).toBe(true);
  });

  it("is committed where it was made on the leader", async () => {
    const world = await gitGone();
    editPolicy(world.leader, { ttl: 99 });
    await world.leader.pass("poll");
    expect(told(world.leader)).toEqual([expect.stringContaining("the leader's edit is committed")]);
  });

  it("of isLeader lets a follower lead, as the document says", async () => {
    const world = await gitGone();
    edit(world.follower, "AMKOCluster", { isLeader: true });
    await world.follower.pass("poll");
    expect(isLeader(world.follower)).toBe(true);
    expect(told(world.follower)).toEqual([expect.stringContaining("a flip is proposed")]);
  });

  it("stays where the agent is suspended, which needs no git", async () => {
    const world = await gitGone();
    world.follower.cluster.edit("AMKOCluster", ({ metadata, ...object }) => {
      const until = new Date(world.clock.nowMs() + 3_600_000).toISOString();
      const annotations = { [SUSPENDED_UNTIL_ANNOTATION]: until, [SUSPEND_REASON_ANNOTATION]: "the site is down" };
      return { ...object, metadata: { ...metadata, annotations } };
    });
    editPolicy(world.follower, { ttl: 99 });
    await world.follower.pass("poll");
    expect(told(world.follower)).toEqual([expect.stringContaining("it stands as long as the agent is suspended")]);
    world.remote.heal();
    await world.follower.run();
    expect(policyIn(world.follower)["ttl"]).toBe(99);
  });

  it("is the only thing that is told", async () => {
    const world = await gitGone();
    await world.follower.pass("poll");
    await world.leader.pass("poll");
    expect([...told(world.follower), ...told(world.leader)]).toEqual([]);
    expect(statusOf(world.follower)).toContain("AG2001");
  });

  it("is not told of what nobody edited: a revision that was refused, an office that is waited for", async () => {
    const refused = await settled();
    refused.follower.cluster.refuse("GlobalDeploymentPolicy", "denied");
    refused.remote.push("main", fileOf(policy({ ttl: 60 })));
    await refused.follower.run("poll");
    const waiting = await settled();
    waiting.remote.push("main", flip("cluster2"), "Flip");
    await waiting.follower.run("poll");
    for (const { remote, follower } of [refused, waiting]) {
      remote.fail({ on: "anything", code: "AG2001", times: 1_000 });
      await follower.pass("poll");
      expect(statusOf(follower)).not.toContain("AG5025");
    }
  });
});
