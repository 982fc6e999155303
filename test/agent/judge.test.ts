import { describe, expect, it } from "vitest";
import { globalDeploymentPolicy, manifest, manifestPath, policy } from "../support/builders.ts";
import { amkoCluster, fileOf, filesOf, headOf, isLeader, objectOf, type World } from "../support/fakes/world.ts";
import { edit, editPolicy, exportsOf, flip, GDP, policyIn, settled, specOf, statusOf, trailersOf } from "./settled.ts";

describe("whoever cannot act holds, and says why", () => {
  const heldWith = async (files: Readonly<Record<string, string | Uint8Array | null>>, name = "cluster2") => {
    const world = await settled();
    const before = world.agent(name).cluster.only(GDP)?.spec;
    const amko = specOf(world.agent(name).cluster.only("AMKOCluster"));
    world.remote.push("main", { ...files, ...fileOf(policy({ ttl: 99 })) });
    const result = await world.agent(name).run();
    expect(result).toMatchObject({ error: null, state: "held" });
    expect(world.agent(name).cluster.only(GDP)?.spec).toEqual(before);
    expect(specOf(world.agent(name).cluster.only("AMKOCluster"))).toEqual(amko);
    expect(exportsOf(world)).toEqual([]);
    return statusOf(world.agent(name));
  };

  it.each<[string, Readonly<Record<string, string | Uint8Array | null>>, string]>([
    ["two clusters claim", filesOf([manifest("cluster3", { isLeader: true })]), "conflicting state"],
    ["nobody claims", filesOf([manifest("cluster1")]), "no manifest sets isLeader: true"],
    ["a manifest cannot be read", { [manifestPath("cluster3")]: "a: [" }, "cannot be read"],
    [
      "the leader's manifest is invalid",
      filesOf([manifest("cluster1", { isLeader: true, version: "" })]),
      "invalid AMKOCluster object",
    ],
  ])("where %s", async (_, files, cause) => {
    expect(await heldWith(files)).toContain(cause);
    expect(await heldWith(files, "cluster3")).toContain(cause);
  });

  it("where nobody claims; the former leader steps down, as its own manifest says", async () => {
    const world = await settled();
    world.remote.push("main", { ...filesOf([manifest("cluster1")]), ...fileOf(policy({ ttl: 99 })) });
    expect(await world.leader.run()).toMatchObject({ state: "held" });
    expect(isLeader(world.leader)).toBe(false);
    expect(world.remote.branch("amko/leading/cluster1")).toBeNull();
    expect(policyIn(world.leader)).toMatchObject({ ttl: 10 });
  });

  it.each<[string, Readonly<Record<string, string | Uint8Array | null>>]>([
    ["two clusters claim", filesOf([manifest("cluster3", { isLeader: true })])],
    ["a manifest cannot be read", { [manifestPath("cluster3")]: "a: [" }],
    ["its manifest is invalid", filesOf([manifest("cluster1", { isLeader: true, version: "" })])],
  ])("where %s; the leader stays in office and exports nothing", async (_, files) => {
    const world = await settled();
    world.remote.push("main", { ...files, ...fileOf(policy({ ttl: 99 })) });
    editPolicy(world.leader, { defaultDomain: "a.example.com" });
    expect(await world.leader.run("cluster")).toMatchObject({ state: "held" });
    expect(isLeader(world.leader)).toBe(true);
    expect(world.remote.branch("amko/leading/cluster1")).not.toBeNull();
    expect(exportsOf(world)).toEqual([]);
  });

  it("where the leader does not list it", async () => {
    const files = filesOf([manifest("cluster1", { isLeader: true, clusters: ["cluster1", "cluster3"] })]);
    expect(await heldWith(files)).toContain("not in spec.clusters");
  });

  it("where its manifest has another version", async () => {
    expect(await heldWith(filesOf([manifest("cluster2", { version: "1.5.1" })]))).toContain("version mismatch");
  });

  it("where there are two AMKOClusters", async () => {
    const world = await settled();
    world.leader.cluster.put({
      ...amkoCluster("cluster1", true),
      metadata: { name: "second", namespace: "avi-system" },
    });
    editPolicy(world.leader, { ttl: 20 });
    const before = world.countWrites();
    expect(await world.leader.run("cluster")).toMatchObject({ state: "held" });
    expect(world.countWrites()).toBe(before);
    expect(world.leader.log.join("\n")).toContain("there are 2 AMKOClusters");
  });

  it("where there is none", async () => {
    const world = await settled();
    world.follower.cluster.drop("AMKOCluster");
    editPolicy(world.follower, { ttl: 20 });
    const before = world.countWrites();
    expect(await world.follower.run("cluster")).toMatchObject({ state: "held" });
    expect(world.countWrites()).toBe(before);
  });

  it("where the leader has two objects of a kind, of that kind only", async () => {
    const world = await settled();
    world.leader.cluster.put(objectOf({ ...globalDeploymentPolicy(), name: "second" }));
    edit(world.leader, "GSLBConfig", { logLevel: "DEBUG" });
    expect(await world.leader.run("cluster")).toMatchObject({ state: "held" });
    expect(trailersOf(world, "object")).toEqual(["GSLBConfig avi-system/gc-1"]);
    expect(world.leader.cluster.objects(GDP)).toHaveLength(2);
  });

  it("where its name belongs to another cluster: it does nothing, in git or in its cluster", async () => {
    const world = await settled();
    world.follower.cluster.setNamespace({ uid: "another-namespace" as never, terminating: false });
    world.remote.push("main", fileOf(policy({ ttl: 99 })));
    const refs = world.remote.writes.length;
    expect(await world.follower.run()).toMatchObject({ state: "held" });
    expect(policyIn(world.follower)).toMatchObject({ ttl: 10 });
    expect(world.remote.writes).toHaveLength(refs);
    expect(statusOf(world.follower)).toContain("AG5008");
  });

  it("where its prefix serves another branch or path", async () => {
    const world = await settled();
    const other = world.startAgent("cluster2", { settings: { path: "teams/glb" }, repository: { by: "cluster2" } });
    expect(await other.run("start")).toMatchObject({ state: "held" });
    expect(statusOf(world.follower)).toContain("AG5009");
  });
});

describe("a cluster of another federation under the same prefix", () => {
  it("is let in nowhere: it would take the others' leaders for its own", async () => {
    const world = await settled();
    world.remote.setBranch("amko/identity/cluster2", null);
    const other = world.startAgent("cluster2", { settings: { path: "teams/glb" }, repository: { by: "cluster2" } });
    expect(await other.run("start")).toMatchObject({ state: "held" });
    expect(statusOf(world.follower)).toContain("AG5009");
    expect(world.remote.branch("amko/identity/cluster2")).toBeNull();
  });
});

describe("a cluster that took the name of another", () => {
  it("steps down where the branch names another leader, and leaves the other's refs alone", async () => {
    const world = await settled();
    const claim = world.remote.branch("amko/leading/cluster1");
    world.remote.push("main", flip("cluster2"));
    world.leader.cluster.setNamespace({ uid: "another-namespace" as never, terminating: false });
    await world.leader.run();
    expect(isLeader(world.leader)).toBe(false);
    expect(world.remote.branch("amko/leading/cluster1")).toBe(claim);
  });
});

describe("a branch that was rewritten", () => {
  it.each([
    [
      "by another history",
      (world: World) => world.remote.commit(world.remote.stored(headOf(world.remote)).tree, { message: "anew\n" }),
    ],
    ["to an older revision", (world: World) => world.remote.stored(headOf(world.remote)).parents[0] ?? null],
  ])("halts everything: %s", async (_, rewrite) => {
    const world = await settled();
    editPolicy(world.leader, { ttl: 20 });
    await world.settle();
    const before = headOf(world.remote);
    world.remote.setBranch("main", rewrite(world));
    editPolicy(world.leader, { ttl: 30 });
    for (const agent of [world.leader, world.follower]) {
      expect(await agent.run()).toMatchObject({ state: "held" });
      const status = statusOf(agent);
      expect(status).toContain("AG2007");
      expect(status).toContain(before);
    }
    expect(policyIn(world.follower)).toMatchObject({ ttl: 20 });
    expect(exportsOf(world)).toHaveLength(1);
  });

  it("is none that another process of this cluster has seen move on since this one listed it", async () => {
    let listed = (): void => undefined;
    const gate = async (label: string): Promise<void> => {
      if (label.startsWith("cluster2 readConfigMap")) listed();
    };
    const world = await settled({ gate });
    const before = headOf(world.remote);
    editPolicy(world.leader, { ttl: 20 });
    await world.settle();
    const now = headOf(world.remote);
    world.remote.setBranch("main", before);
    listed = () => world.remote.setBranch("main", now);
    expect(await world.follower.run("poll")).toMatchObject({ error: null, state: "in-sync" });
    expect(world.follower.log.filter((line) => line.includes("AG2007"))).toEqual([]);
  });

  it("goes on when it is put back", async () => {
    const world = await settled();
    const before = headOf(world.remote);
    world.remote.setBranch("main", world.remote.commit(new Map(), { message: "anew\n" }));
    await world.follower.run();
    world.remote.setBranch("main", before);
    expect(await world.follower.run()).toMatchObject({ state: "in-sync" });
  });

  it("is followed where that was configured", async () => {
    const world = await settled({ settings: { historyRewrite: "follow" } });
    const { tree } = world.remote.stored(headOf(world.remote));
    world.remote.setBranch("main", world.remote.commit(tree, { message: "anew\n" }));
    world.remote.push("main", fileOf(policy({ ttl: 20 })));
    await world.settle();
    expect(policyIn(world.follower)).toMatchObject({ ttl: 20 });
  });
});
