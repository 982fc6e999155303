import { describe, expect, it } from "vitest";
import { manifest } from "../support/builders.ts";
import { filesOf, headOf, isLeader } from "../support/fakes/world.ts";
import { edit, exportsOf, flip, GDP, GDP_PATH, settled, statusOf } from "./settled.ts";

describe("a hand-set leadership", () => {
  it("is put back also where git takes no proposal of it", async () => {
    const world = await settled();
    edit(world.follower, "AMKOCluster", { isLeader: true });
    world.remote.fail({ on: "propose", code: "AG2004", times: 100 });
    await world.follower.run("cluster");
    expect(isLeader(world.follower)).toBe(false);
    expect(statusOf(world.follower)).toContain("AG5020");
  });

  it("is proposed later where git did not take the proposal at once, and told until then", async () => {
    const world = await settled();
    edit(world.follower, "AMKOCluster", { isLeader: true });
    world.remote.fail({ on: "propose", code: "AG2001" });
    const { againAfterMs } = await world.follower.run("cluster");
    expect(isLeader(world.follower)).toBe(false);
    await world.follower.run("cluster");
    expect(statusOf(world.follower)).toContain("could not be proposed yet");
    expect(world.remote.branch("amko/propose/cluster2/leader")).toBeNull();
    await world.clock.advance(againAfterMs ?? 0);
    await world.follower.run("retry");
    expect(world.remote.branch("amko/propose/cluster2/leader")).not.toBeNull();
    expect(statusOf(world.follower)).toContain("a flip is ready");
  });

  it("is proposed also by the next process, where this one met more trouble after it put the field back", async () => {
    const world = await settled();
    edit(world.follower, "AMKOCluster", { isLeader: true });
    world.remote.fail({ on: "propose", code: "AG2001" });
    world.follower.cluster.fail({ on: "list", kind: "GlobalDeploymentPolicy", code: "AG3001" });
    await world.follower.run("cluster");
    expect(isLeader(world.follower)).toBe(false);
    world.follower.restart();
    await world.follower.run("start");
    expect(world.remote.branch("amko/propose/cluster2/leader")).not.toBeNull();
  });

  it("keeps nobody from acknowledging, however often git refuses its proposal", async () => {
    const world = await settled();
    edit(world.follower, "AMKOCluster", { isLeader: true });
    world.remote.fail({ on: "propose", code: "AG2013", times: 100 });
    await world.follower.run("cluster");
    const head = world.remote.push("main", { "federation/README.md": "moved\n" });
    await world.follower.run("poll");
    await world.clock.advance(60_000);
    await world.follower.run("retry");
    expect(world.remote.branch("amko/applied/cluster2")).toBe(head);
  });

  it("is nothing that a person's proposal of a switchover tells of, nor is that proposal moved along", async () => {
    const world = await settled();
    const ref = "amko/propose/cluster2/leader";
    const head = headOf(world.remote);
    world.remote.setBranch(ref, head);
    const proposed = world.remote.push(ref, flip("cluster2"), "federation: switch over to cluster2");
    await world.follower.run();
    world.remote.push("main", { "README.md": "moved\n" });
    await world.settle();
    await world.follower.run();
    expect(world.remote.branch(ref)).toBe(proposed);
    expect(statusOf(world.follower)).not.toContain("AG5020");
  });

  it("is no reason to export what was edited or deleted there before the flip", async () => {
    const world = await settled({ settings: { deleteGraceMs: 0 } });
    edit(world.follower, "AMKOCluster", { isLeader: true });
    world.follower.cluster.drop(GDP);
    world.remote.push("main", flip("cluster2"), "Flip");
    await world.leader.run();
    await world.settle();
    expect(isLeader(world.follower)).toBe(true);
    expect(exportsOf(world)).toEqual([]);
    expect(world.leader.cluster.only(GDP)).not.toBeNull();
  });

  it("is put back also where the ConfigMap cannot be written", async () => {
    const world = await settled();
    edit(world.follower, "AMKOCluster", { isLeader: true });
    world.follower.cluster.fail({ on: "writeConfigMap", code: "AG3003", times: 100 });
    for (const wake of ["cluster", "retry"] as const) {
      expect(await world.follower.run(wake)).toMatchObject({ error: { code: "AG3003" } });
    }
    expect(isLeader(world.follower)).toBe(false);
  });

  it("is proposed where the ConfigMap could not be written only once", async () => {
    const world = await settled();
    edit(world.follower, "AMKOCluster", { isLeader: true });
    world.follower.cluster.fail({ on: "writeConfigMap", code: "AG3003" });
    await world.follower.run("cluster");
    await world.follower.run("retry");
    expect(isLeader(world.follower)).toBe(false);
    expect(statusOf(world.follower)).toContain("a flip is ready");
  });

  it("that was merged leads, also where git lets nobody delete the proposal", async () => {
    const world = await settled();
    edit(world.follower, "AMKOCluster", { isLeader: true });
    await world.follower.run("cluster");
    world.remote.fail({ on: "moveRef", code: "AG2004", ref: "propose/", times: 100 });
    world.remote.push("main", flip("cluster2"), "Merge the proposal");
    await world.leader.run("poll");
    await world.follower.run("poll");
    expect(isLeader(world.follower)).toBe(true);
    world.remote.heal();
    await world.clock.advance(30_000);
    await world.follower.run("retry");
    expect(world.remote.branch("amko/propose/cluster2/leader")).toBeNull();
  });
});

describe("a hand-set leadership with --local-designation commit", () => {
  it("is committed once: not again by an agent that died, over what people decided since", async () => {
    const world = await settled({ settings: { localDesignation: "commit" } });
    const { follower } = world;
    edit(follower, "AMKOCluster", { isLeader: true });
    await follower.pass("cluster");
    expect(world.remote.stored(headOf(world.remote)).message).toContain("make cluster2 the leader");
    follower.restart();
    const back = world.remote.push("main", flip("cluster1"), "Take it back");
    await follower.run("start");
    expect([headOf(world.remote), isLeader(follower)]).toEqual([back, false]);
    await follower.run("resync");
    edit(follower, "AMKOCluster", { isLeader: true });
    await follower.pass("cluster");
    expect(world.remote.stored(headOf(world.remote)).message).toContain("make cluster2 the leader");
  });
});

describe("a version that differs from the manifest's", () => {
  it("is not proposed again and again by an agent that may only read, and the status says it all the same", async () => {
    const world = await settled();
    let tried = 0;
    const gate = async (line: string): Promise<void> => {
      if (line.includes(" propose ") && !line.endsWith("answered")) tried += 1;
    };
    const agent = world.startAgent("cluster2", { repository: { readOnly: true, gate } });
    await agent.run();
    edit(agent, "AMKOCluster", { version: "1.5.0" });
    for (let pass = 0; pass < 10; pass += 1) await agent.pass("cluster");
    expect(tried).toBe(1);
    expect(statusOf(agent)).toContain("AG5007");
  });

  it("stays proposed, and what people closed stays closed, while nobody can lead for another reason", async () => {
    const world = await settled();
    const ref = "amko/propose/cluster2/version";
    edit(world.follower, "AMKOCluster", { version: "1.5.0" });
    await world.follower.run("cluster");
    const proposed = world.remote.branch(ref);
    expect(proposed).not.toBeNull();
    world.remote.push("main", filesOf([manifest("cluster3", { isLeader: true })]), "Two leaders");
    await world.follower.run("poll");
    expect(world.remote.branch(ref)).toBe(proposed);
    world.remote.setBranch(ref, null);
    await world.follower.run("resync");
    world.remote.push("main", filesOf([manifest("cluster3", { isLeader: false })]), "One leader");
    await world.follower.run("poll");
    expect(world.remote.branch(ref)).toBeNull();
  });
});

describe("what people should do", () => {
  it("is told beside what is wrong", async () => {
    const world = await settled();
    world.remote.push("main", { [GDP_PATH]: "not: [closed" }, "Break it");
    await world.follower.run("poll");
    edit(world.follower, "AMKOCluster", { isLeader: true });
    await world.follower.run("cluster");
    expect(statusOf(world.follower)).toContain("AG5020");
    expect(world.follower.cluster.events.map(({ message }) => message)).toContainEqual(
      expect.stringContaining("a flip is ready"),
    );
  });
});
