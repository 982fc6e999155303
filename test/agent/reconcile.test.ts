import { describe, expect, it } from "vitest";
import type { AgentSettings } from "../../src/agent/context.ts";
import { reportPass } from "../../src/agent/pass-report.ts";
import { formatRevision } from "../../src/core/records.ts";
import {
  cluster as clusterName,
  federation,
  file,
  globalDeploymentPolicy,
  gslbConfig,
  manifest,
  policy,
  snapshotFile,
  withFiles,
} from "../support/builders.ts";
import { amkoCluster, fileOf, filesOf, headOf, isLeader, makeWorld } from "../support/fakes/world.ts";
import { editPolicy, exportsOf, flip, GDP, GDP_PATH, HELD, policyIn, settled, specOf, statusOf } from "./settled.ts";

describe("a leader that is already in place when its agent starts for the first time", () => {
  it("introduces itself, claims, reads again, takes office and acknowledges, in this order", async () => {
    const world = makeWorld({ holds: HELD });
    const result = await world.agent("cluster1").run("start");
    expect(result).toMatchObject({ error: null, state: "in-sync" });
    expect(world.remote.writes.map(({ branch }) => branch)).toEqual([
      "amko/identity/cluster1",
      "amko/leading/cluster1",
      "amko/applied/cluster1",
    ]);
    expect(world.remote.branch("amko/applied/cluster1")).toBe(headOf(world.remote));
    expect(isLeader(world.agent("cluster1"))).toBe(true);
  });

  it("makes the head the base of what it holds already, and changes no spec", async () => {
    const { leader, remote } = await settled();
    expect(policyIn(leader)).toEqual(globalDeploymentPolicy().spec);
    expect(leader.cluster.only(GDP)?.metadata.annotations?.["amko-gitops.io/base"]).toBe(
      formatRevision("main", headOf(remote)),
    );
  });

  it("stands down while another cluster is in office, and takes over when that has stepped down", async () => {
    const world = makeWorld({ holds: HELD, sitting: "cluster2" });
    world.remote.push("main", flip("cluster2"));
    await world.agent("cluster2").run();
    world.remote.push("main", flip("cluster1"));
    const newcomer = world.agent("cluster1");
    newcomer.cluster.put(amkoCluster("cluster1", true));
    expect(await newcomer.run()).toMatchObject({ state: "held" });
    expect(isLeader(newcomer)).toBe(false);
    await world.agent("cluster2").run();
    await newcomer.run();
    expect([isLeader(newcomer), isLeader(world.agent("cluster2"))]).toEqual([true, false]);
  });

  it("exports what it holds where the branch has nothing", async () => {
    const files = federation().filter(({ path }) => path.startsWith("clusters/"));
    const world = makeWorld({ files, holds: HELD });
    await world.settle();
    expect([...world.remote.stored(headOf(world.remote)).tree.keys()].filter((path) => path.startsWith("fed"))).toEqual(
      ["federation/gslbconfig/gc-1.yaml", GDP_PATH],
    );
    expect(exportsOf(world)).toEqual(["cluster1"]);
    expect(policyIn(world.agent("cluster3"))).toEqual(globalDeploymentPolicy().spec);
  });
});

describe("a federation at rest", () => {
  it("writes nothing, whatever wakes its agents", async () => {
    const world = await settled();
    const before = world.countWrites();
    for (const name of ["cluster1", "cluster2", "cluster3"]) {
      for (const wake of ["poll", "cluster", "resync", "hook", "retry"] as const) await world.agent(name).run(wake);
    }
    expect(world.countWrites()).toBe(before);
  });

  it("writes nothing after all its agents have died and started again", async () => {
    const world = await settled();
    const before = world.countWrites();
    for (const name of ["cluster1", "cluster2", "cluster3"]) {
      world.agent(name).restart();
      await world.agent(name).run("start");
    }
    expect(world.countWrites()).toBe(before);
  });

  it("neither applies nor acknowledges a revision that leaves its folder as it was", async () => {
    const world = await settled({ settings: { path: "" } });
    const writes = world.countWrites();
    world.remote.setBranch(
      "main",
      world.remote.commit(world.remote.stored(headOf(world.remote)).tree, { parents: [headOf(world.remote)] }),
    );
    await world.settle();
    // Each agent remembers once which head it judged last.
    expect(world.countWrites() - writes).toBeLessThanOrEqual(6);
    expect(world.remote.writes.filter(({ to }) => to === headOf(world.remote))).toEqual([]);
  });
});

describe("while git cannot be read", () => {
  it("an agent changes nothing but the word about it", async () => {
    const world = await settled();
    world.remote.fail({ on: "anything", code: "AG2001", times: 100 });
    editPolicy(world.follower, { ttl: 77 });
    const before = world.countWrites();
    for (let round = 0; round < 3; round += 1) {
      expect(await world.follower.run("cluster", "poll")).toMatchObject({ state: "git-away" });
    }
    expect(world.countWrites() - before).toBe(1);
    expect(world.follower.cluster.writes.at(-1)?.method).toBe("patchStatus");
    expect(policyIn(world.follower)).toMatchObject({ ttl: 77 });
    expect(statusOf(world.follower)).toContain('"Unknown"');
  });

  it("hand edits stand; git wins when it is back, after a rescue", async () => {
    const world = await settled();
    world.remote.fail({ on: "anything", code: "AG2001", times: 100 });
    editPolicy(world.follower, { ttl: 77 });
    await world.follower.run("cluster");
    world.remote.heal();
    await world.follower.run("poll");
    expect(policyIn(world.follower)).toMatchObject({ ttl: 10 });
    expect([...world.remote.branches().keys()].some((name) => name.startsWith("amko/rescue/cluster2/"))).toBe(true);
  });

  it("an agent that starts tells all the same which cluster it is of", async () => {
    const world = makeWorld({ holds: HELD });
    world.remote.fail({ on: "anything", code: "AG2001", times: 100 });
    const { pass } = world.agent("cluster2");
    const nameTold = async (cluster: AgentSettings["cluster"]) =>
      reportPass(await pass("start"), { cluster }, new Set(["start"]), 1).cluster;
    expect(await nameTold(null)).toBe("cluster2");
    const nowhere = makeWorld({});
    nowhere.remote.fail({ on: "anything", code: "AG2001", times: 100 });
    const result = await nowhere.agent("cluster2").pass("start");
    expect(reportPass(result, { cluster: clusterName("cluster2") }, new Set(["start"]), 1).cluster).toBe("cluster2");
  });

  it("a first start waits for the first commit", async () => {
    const world = makeWorld({ files: [], holds: HELD });
    const result = await world.agent("cluster1").run("start");
    expect(result).toMatchObject({ error: { code: "AG2005" }, state: "git-away" });
    expect(world.remote.writes).toEqual([]);
  });
});

describe("a leader that is new or rebuilt", () => {
  it("deletes nothing: it takes what git has", async () => {
    const world = makeWorld({ holds: [] });
    await world.clock.advance(60_000);
    await world.settle();
    expect(policyIn(world.agent("cluster1"))).toEqual(globalDeploymentPolicy().spec);
    expect(exportsOf(world)).toEqual([]);
  });

  it("rescues what it holds and git does not know, then takes what git has", async () => {
    const world = makeWorld({ holds: [gslbConfig(), policy({ ttl: 77 })] });
    await world.agent("cluster1").run();
    expect(policyIn(world.agent("cluster1"))).toMatchObject({ ttl: 10 });
    expect([...world.remote.branches().keys()].some((name) => name.startsWith("amko/rescue/cluster1/"))).toBe(true);
    expect(exportsOf(world)).toEqual([]);
  });

  it("never ends with two objects of a kind because git calls it otherwise", async () => {
    const world = makeWorld({ holds: [gslbConfig(), { ...globalDeploymentPolicy(), name: "other" }] });
    await world.settle();
    expect(world.agent("cluster1").cluster.objects(GDP)).toHaveLength(1);
  });
});

describe("an agent whose credentials may only read", () => {
  it("applies, stays unreported, and keeps what it overwrites in its ConfigMap", async () => {
    const world = makeWorld({ holds: [gslbConfig(), policy({ ttl: 77 })] });
    const reader = world.startAgent("cluster2", { repository: { readOnly: true } });
    await reader.run("start");
    expect(policyIn(reader)).toMatchObject({ ttl: 10 });
    expect(reader.cluster.configMap?.data["rescue.GlobalDeploymentPolicy"]).toContain("ttl: 77");
    expect(reader.log.filter((line) => line.includes("rescued in the ConfigMap")).join()).toContain("AG2013");
    expect(world.remote.writes).toEqual([]);
  });

  it("cannot be promoted", async () => {
    const world = await settled();
    const reader = world.startAgent("cluster2", { repository: { readOnly: true } });
    world.remote.push("main", flip("cluster2"));
    await world.leader.run();
    await reader.run("start");
    expect(isLeader(reader)).toBe(false);
  });
});

describe("the objects that AMKO reads here", () => {
  it("are brought to what the manifest says, with the cluster itself in the list", async () => {
    const files = withFiles(federation(), manifest("cluster2", { clusters: ["cluster1", "cluster3"] }));
    const world = makeWorld({ files, holds: HELD });
    await world.settle();
    expect(specOf(world.agent("cluster2").cluster.only("AMKOCluster"))).toMatchObject({
      clusterContext: "cluster2",
      isLeader: false,
      clusters: ["cluster2", "cluster1", "cluster3"],
    });
  });

  it("keep the UUID that an edit in git lost, and git gets it back", async () => {
    const world = await settled();
    world.remote.push("main", filesOf([snapshotFile(gslbConfig({ annotations: {} }))]));
    await world.settle();
    for (const { cluster } of [world.leader, world.follower]) {
      expect(cluster.only("GSLBConfig")?.metadata.annotations?.["amko.vmware.com/amko-uuid"]).toBeDefined();
    }
    expect(world.remote.text(headOf(world.remote), "federation/gslbconfig/gc-1.yaml")).toContain("amko-uuid");
  });

  it("ignore files of the repository that are nobody's", async () => {
    const world = await settled();
    world.remote.push("main", filesOf([file("federation/README.md", "hello"), file("notes.txt", "x")]));
    await world.settle();
    expect(exportsOf(world)).toEqual([]);
  });
});

describe("git that goes away in the middle of a pass", () => {
  it("is away, and the cluster is not called unready for it", async () => {
    const world = await settled();
    world.remote.push("main", fileOf(policy({ ttl: 12 })));
    world.remote.fail({ on: "relation", code: "AG2010", times: 100 });
    const result = await world.follower.run("poll");
    expect(result.state).toBe("git-away");
    expect(statusOf(world.follower)).toContain("AG2010");
  });
});
