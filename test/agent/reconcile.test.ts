import { describe, expect, it } from "vitest";
import { parseMessage, TRAILERS, trailerValues } from "../../src/core/message.ts";
import type { JsonObject, KubernetesObject, LiveObject, Snapshot } from "../../src/core/model.ts";
import { formatRevision } from "../../src/core/records.ts";
import { contentOf } from "../../src/core/snapshot.ts";
import {
  federation,
  file,
  globalDeploymentPolicy,
  gslbConfig,
  manifest,
  manifestPath,
  snapshotFile,
  withFiles,
} from "../support/builders.ts";
import {
  amkoCluster,
  type FakeAgent,
  fileOf,
  filesOf,
  headOf,
  isLeader,
  makeWorld,
  objectOf,
  type World,
  type WorldOptions,
} from "../support/fakes/world.ts";

const GDP = "GlobalDeploymentPolicy";
const GDP_PATH = "federation/globaldeploymentpolicy/global-gdp.yaml";
const ALL = [gslbConfig(), globalDeploymentPolicy()];

/** The policy with some fields of its spec replaced. */
function policy(fields: JsonObject): Snapshot {
  const snapshot = globalDeploymentPolicy();
  return { ...snapshot, spec: { ...snapshot.spec, ...fields } };
}

function specOf(object: LiveObject | null): JsonObject {
  return object === null ? {} : contentOf(object).spec;
}

/** What a user of the cluster does with `kubectl edit`. */
function edit({ cluster }: FakeAgent, fields: JsonObject): void {
  cluster.edit(GDP, (object): KubernetesObject => ({ ...object, spec: { ...specOf(object), ...fields } }));
}

function annotate({ cluster }: FakeAgent, kind: "AMKOCluster" | typeof GDP, annotations: Record<string, string>): void {
  cluster.edit(kind, (object) => ({
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...annotations } },
  }));
}

/** A federation that has come to rest: cluster1 leads, everybody holds the branch's content. */
async function settled(
  options: WorldOptions = {},
): Promise<World & { readonly leader: FakeAgent; readonly follower: FakeAgent }> {
  const world = makeWorld({ holds: ALL, ...options });
  await world.settle();
  return { ...world, leader: world.agent("cluster1"), follower: world.agent("cluster2") };
}

const flip = (to: string): Readonly<Record<string, Uint8Array>> =>
  filesOf(["cluster1", "cluster2", "cluster3"].map((name) => manifest(name, { isLeader: name === to })));

const trailersOf = ({ remote }: World, key: keyof typeof TRAILERS): readonly string[] =>
  trailerValues(parseMessage(remote.stored(headOf(remote)).message), TRAILERS[key]);

const exportsOf = ({ remote }: World): readonly string[] =>
  remote.writes.filter(({ branch }) => branch === "main").map(({ by }) => by);

describe("a leader that is already in place when its agent starts for the first time", () => {
  it("introduces itself, claims, reads again, takes office and acknowledges, in this order", async () => {
    const world = makeWorld({ holds: ALL });
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
    expect(specOf(leader.cluster.only(GDP))).toEqual(globalDeploymentPolicy().spec);
    expect(leader.cluster.only(GDP)?.metadata.annotations?.["amko-gitops.io/base"]).toBe(
      formatRevision("main", headOf(remote)),
    );
  });

  it("stands down while another cluster is in office, and takes over when that has stepped down", async () => {
    const world = makeWorld({ holds: ALL, sitting: "cluster2" });
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
    const world = makeWorld({ files, holds: ALL });
    await world.settle();
    expect([...world.remote.stored(headOf(world.remote)).tree.keys()].filter((path) => path.startsWith("fed"))).toEqual(
      ["federation/gslbconfig/gc-1.yaml", GDP_PATH],
    );
    expect(exportsOf(world)).toEqual(["cluster1"]);
    expect(specOf(world.agent("cluster3").cluster.only(GDP))).toEqual(globalDeploymentPolicy().spec);
  });
});

describe("a follower", () => {
  it("creates what it does not have", async () => {
    const world = makeWorld({ holds: [] });
    await world.settle();
    for (const name of ["cluster2", "cluster3"]) {
      const { cluster } = world.agent(name);
      expect(contentOf(cluster.only("GSLBConfig") as LiveObject)).toEqual(contentOf(objectOf(gslbConfig())));
      expect(specOf(cluster.only(GDP))).toEqual(globalDeploymentPolicy().spec);
      expect(world.remote.branch(`amko/applied/${name}`)).toBe(headOf(world.remote));
    }
  });

  it("writes GSLBConfig before GDP", async () => {
    const world = makeWorld({ holds: [] });
    await world.agent("cluster2").run();
    const created = world.agent("cluster2").cluster.writes.filter(({ method }) => method === "create");
    expect(created.map(({ kind }) => kind)).toEqual(["GSLBConfig", GDP]);
  });

  it("takes an edit on the leader over, and added fields go too", async () => {
    const world = await settled();
    edit(world.follower, { defaultDomain: "added.example.com" });
    edit(world.leader, { ttl: 20 });
    await world.settle();
    expect(specOf(world.follower.cluster.only(GDP))).toEqual(policy({ ttl: 20 }).spec);
  });

  it("deletes what a tombstone tells to delete", async () => {
    const world = await settled();
    world.remote.push("main", fileOf({ ...globalDeploymentPolicy(), deleted: "not needed any more" }));
    await world.settle();
    expect(world.follower.cluster.only(GDP)).toBeNull();
    expect(world.leader.cluster.only(GDP)).toBeNull();
    expect(world.follower.cluster.only("GSLBConfig")).not.toBeNull();
  });

  it("deletes nothing because a file is missing; the leader brings it back", async () => {
    const world = await settled();
    world.remote.push("main", { [GDP_PATH]: null });
    await world.follower.run();
    expect(world.follower.cluster.only(GDP)).not.toBeNull();
    await world.settle();
    expect(world.remote.text(headOf(world.remote), GDP_PATH)).not.toBeNull();
    expect(exportsOf(world)).toEqual(["cluster1"]);
  });

  it("removes an object under another name once the snapshot's own stands", async () => {
    const world = await settled();
    world.follower.cluster.put(objectOf({ ...globalDeploymentPolicy(), name: "by-hand" }));
    await world.follower.run("cluster");
    expect(world.follower.cluster.objects(GDP).map(({ metadata }) => metadata.name)).toEqual(["global-gdp"]);
  });

  it("rescues what stands nowhere in git before it overwrites it, once", async () => {
    const world = await settled();
    for (let round = 0; round < 2; round += 1) {
      edit(world.follower, { ttl: 77 });
      await world.follower.run("cluster");
    }
    const rescued = [...world.remote.branches()].filter(([name]) => name.startsWith("amko/rescue/cluster2/"));
    expect(rescued).toHaveLength(1);
    const commit = rescued[0]?.[1];
    expect(commit === undefined ? null : world.remote.text(commit, GDP_PATH)).toContain("ttl: 77");
    expect(specOf(world.follower.cluster.only(GDP))).toEqual(globalDeploymentPolicy().spec);
  });

  it("overwrites nothing that it could not rescue", async () => {
    const world = await settled();
    edit(world.follower, { ttl: 77 });
    world.remote.fail({ on: "writeOrphan", code: "AG2001", ref: "rescue/" });
    expect(await world.follower.run("cluster")).toMatchObject({ error: { code: "AG2001" } });
    expect(specOf(world.follower.cluster.only(GDP))).toMatchObject({ ttl: 77 });
  });

  it("does not write over what somebody changed after it was read", async () => {
    const world = await settled();
    edit(world.leader, { ttl: 20 });
    await world.leader.run("cluster");
    world.follower.cluster.fail({ on: "patch", code: "AG3004", kind: GDP });
    expect(await world.follower.pass("poll")).toMatchObject({ error: { code: "AG3004", retry: "now" } });
    await world.follower.run();
    expect(specOf(world.follower.cluster.only(GDP))).toMatchObject({ ttl: 20 });
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

describe("an edit on the leader", () => {
  it("becomes one commit that says what, why, by whom and from where", async () => {
    const world = await settled();
    annotate(world.leader, GDP, { "amko-gitops.io/change-reason": "CHG-4211" });
    edit(world.leader, { ttl: 20 });
    const parent = headOf(world.remote);
    await world.leader.run("cluster");
    const commit = world.remote.stored(headOf(world.remote));
    expect(commit.parents).toEqual([parent]);
    expect(commit.author).toBe("amko-gitops <amko-gitops@cluster1>");
    expect(commit.message).toMatch(
      /^federation: update GlobalDeploymentPolicy global-gdp\n\nspec\.ttl: 10 -> 20\n\nCHG-4211\n\n/,
    );
    expect(trailersOf(world, "from")).toEqual(["cluster1"]);
    expect(trailersOf(world, "version")).toEqual(["1.4.2"]);
    expect(trailersOf(world, "object")).toEqual(["GlobalDeploymentPolicy avi-system/global-gdp"]);
  });

  it("of both kinds becomes one commit", async () => {
    const world = await settled();
    edit(world.leader, { ttl: 20 });
    world.leader.cluster.edit("GSLBConfig", (object) => ({
      ...object,
      spec: { ...specOf(object), logLevel: "DEBUG" },
    }));
    await world.leader.run("cluster");
    expect(exportsOf(world)).toHaveLength(1);
    expect(trailersOf(world, "object")).toHaveLength(2);
  });

  it("waits for others that come within the batch window", async () => {
    const world = await settled({ settings: { batchWindowMs: 5_000 } });
    edit(world.leader, { ttl: 20 });
    expect(await world.leader.run("cluster")).toMatchObject({ againAfterMs: 5_000 });
    await world.clock.advance(3_000);
    edit(world.leader, { ttl: 21 });
    expect(await world.leader.run("cluster")).toMatchObject({ againAfterMs: 2_000 });
    expect(exportsOf(world)).toEqual([]);
    await world.clock.advance(2_000);
    await world.leader.run("retry");
    expect(exportsOf(world)).toHaveLength(1);
    expect(world.remote.text(headOf(world.remote), GDP_PATH)).toContain("ttl: 21");
  });

  it("is merged with an edit of another field in git", async () => {
    const world = await settled();
    world.remote.push("main", fileOf(policy({ ttl: 20 })));
    edit(world.leader, { defaultDomain: "a.example.com" });
    await world.settle();
    expect(specOf(world.leader.cluster.only(GDP))).toEqual(policy({ ttl: 20, defaultDomain: "a.example.com" }).spec);
    expect(specOf(world.follower.cluster.only(GDP))).toEqual(policy({ ttl: 20, defaultDomain: "a.example.com" }).spec);
    expect(trailersOf(world, "supersedes")).toEqual([]);
  });

  it("wins over an edit of the same field in git, and the commit says so, beside fields that git won", async () => {
    const world = await settled();
    const overridden = world.remote.push("main", fileOf(policy({ ttl: 20, pkiProfileRef: "pki" })));
    edit(world.leader, { ttl: 30 });
    await world.settle();
    expect(specOf(world.follower.cluster.only(GDP))).toMatchObject({ ttl: 30, pkiProfileRef: "pki" });
    expect(trailersOf(world, "supersedes")).toEqual([overridden]);
  });

  it("starts over when the branch moved while it was pushed", async () => {
    const world = await settled();
    edit(world.leader, { ttl: 20 });
    const racing = world.startAgent("cluster1", {
      repository: {
        by: "cluster1",
        gate: async (label) => {
          if (label === "cluster1 publish main" && exportsOf(world).length === 0 && !raced) {
            raced = true;
            world.remote.push("main", fileOf(policy({ pkiProfileRef: "pki" })));
          }
        },
      },
    });
    let raced = false;
    await racing.run("start");
    await world.settle();
    expect(specOf(world.follower.cluster.only(GDP))).toEqual(policy({ ttl: 20, pkiProfileRef: "pki" }).spec);
  });

  it("is tried again when the API server failed in between, although the branch did not move", async () => {
    const world = await settled();
    edit(world.leader, { ttl: 20 });
    world.leader.cluster.fail({ on: "list", code: "AG3001", kind: GDP });
    expect(await world.leader.run("cluster")).toMatchObject({ error: { code: "AG3001" } });
    await world.leader.run("poll");
    expect(world.remote.text(headOf(world.remote), GDP_PATH)).toContain("ttl: 20");
  });

  it("that takes a field off stands, although the file could not be read in between", async () => {
    const world = await settled();
    const before = world.remote.text(headOf(world.remote), GDP_PATH);
    world.remote.push("main", { [GDP_PATH]: "kind: Oops" });
    const { trafficSplit: _, ...spec } = specOf(world.leader.cluster.only(GDP));
    world.leader.cluster.edit(GDP, (object) => ({ ...object, spec }));
    world.remote.push("main", { [GDP_PATH]: before });
    await world.settle();
    expect(specOf(world.follower.cluster.only(GDP))).toEqual(spec);
    expect(trailersOf(world, "supersedes")).toEqual([]);
  });

  it("that git took over by rollback is not exported again", async () => {
    const world = await settled();
    const before = world.remote.text(headOf(world.remote), GDP_PATH);
    edit(world.leader, { ttl: 20 });
    await world.settle();
    world.remote.push("main", { [GDP_PATH]: before }, "Roll back");
    await world.settle();
    expect(specOf(world.leader.cluster.only(GDP))).toMatchObject({ ttl: 10 });
    expect(exportsOf(world)).toHaveLength(1);
  });
});

describe("a push whose answer was lost", () => {
  it("is recognised by its Export-Id, so that what the user did since is his change", async () => {
    const world = await settled();
    edit(world.leader, { ttl: 20 });
    world.remote.fail({ on: "publish", code: "AG2010", landed: true });
    expect(await world.leader.run("cluster")).toMatchObject({ error: { code: "AG2010" } });
    // Without the id this would look like the base, and the own commit like somebody's edit in git.
    edit(world.leader, { ttl: 10 });
    world.leader.restart();
    await world.leader.run("start");
    await world.settle();
    expect(specOf(world.follower.cluster.only(GDP))).toMatchObject({ ttl: 10 });
    expect(exportsOf(world)).toHaveLength(2);
  });

  it("is not made a second time", async () => {
    const world = await settled();
    edit(world.leader, { ttl: 20 });
    world.remote.fail({ on: "publish", code: "AG2010", landed: true });
    await world.leader.run("cluster");
    world.leader.restart();
    await world.settle();
    expect(exportsOf(world)).toHaveLength(1);
  });

  it("of a tombstone is recognised too", async () => {
    const world = await settled();
    world.leader.cluster.drop(GDP);
    await world.leader.run("cluster");
    await world.clock.advance(30_000);
    world.remote.fail({ on: "publish", code: "AG2010", landed: true });
    await world.leader.run("retry");
    world.leader.restart();
    await world.settle();
    expect(exportsOf(world)).toHaveLength(1);
    expect(world.follower.cluster.only(GDP)).toBeNull();
  });
});

describe("an older object that a restore brought back", () => {
  it("takes git's content, and deceives nobody with its annotations", async () => {
    const world = await settled();
    const old = world.leader.cluster.only(GDP) as LiveObject;
    edit(world.leader, { ttl: 20 });
    await world.settle();
    edit(world.leader, { ttl: 30 });
    await world.settle();
    world.leader.cluster.edit(GDP, () => old);
    await world.settle();
    expect(specOf(world.leader.cluster.only(GDP))).toMatchObject({ ttl: 30 });
    expect(exportsOf(world)).toHaveLength(2);
  });

  it("takes git's content also when it was saved in the middle of an export", async () => {
    const world = await settled();
    edit(world.leader, { ttl: 20 });
    world.remote.fail({ on: "publish", code: "AG2010", landed: true });
    await world.leader.run("cluster");
    const old = world.leader.cluster.only(GDP) as LiveObject;
    expect(old.metadata.annotations?.["amko-gitops.io/export-id"]).toBeDefined();
    await world.settle();
    edit(world.leader, { ttl: 30 });
    await world.settle();
    world.leader.cluster.edit(GDP, () => old);
    await world.settle();
    expect(specOf(world.leader.cluster.only(GDP))).toMatchObject({ ttl: 30 });
  });
});

describe("while git cannot be read", () => {
  it("an agent changes nothing but the word about it", async () => {
    const world = await settled();
    world.remote.fail({ on: "anything", code: "AG2001", times: 100 });
    edit(world.follower, { ttl: 77 });
    const before = world.countWrites();
    for (let round = 0; round < 3; round += 1) {
      expect(await world.follower.run("cluster", "poll")).toMatchObject({ state: "git-away" });
    }
    expect(world.countWrites() - before).toBe(1);
    expect(world.follower.cluster.writes.at(-1)?.method).toBe("patchStatus");
    expect(specOf(world.follower.cluster.only(GDP))).toMatchObject({ ttl: 77 });
    expect(JSON.stringify(world.follower.cluster.only("AMKOCluster")?.status)).toContain('"Unknown"');
  });

  it("hand edits stand; git wins when it is back, after a rescue", async () => {
    const world = await settled();
    world.remote.fail({ on: "anything", code: "AG2001", times: 100 });
    edit(world.follower, { ttl: 77 });
    await world.follower.run("cluster");
    world.remote.heal();
    await world.follower.run("poll");
    expect(specOf(world.follower.cluster.only(GDP))).toMatchObject({ ttl: 10 });
    expect([...world.remote.branches().keys()].some((name) => name.startsWith("amko/rescue/cluster2/"))).toBe(true);
  });

  it("a first start waits for the first commit", async () => {
    const world = makeWorld({ files: [], holds: ALL });
    const result = await world.agent("cluster1").run("start");
    expect(result).toMatchObject({ error: { code: "AG2005" }, state: "git-away" });
    expect(world.remote.writes).toEqual([]);
  });
});

describe("a deletion on the leader", () => {
  const deletedOnLeader = async (options: WorldOptions = {}) => {
    const world = await settled(options);
    world.leader.cluster.drop(GDP);
    return world;
  };

  it("becomes a tombstone once it has lasted for the grace", async () => {
    const world = await deletedOnLeader();
    expect(await world.leader.run("cluster")).toMatchObject({ againAfterMs: 30_000 });
    await world.clock.advance(29_999);
    await world.leader.run("poll", "retry");
    expect(exportsOf(world)).toEqual([]);
    await world.clock.advance(1);
    await world.settle();
    expect(world.remote.text(headOf(world.remote), GDP_PATH)).toContain("amko-gitops.io/deleted: deleted on cluster1");
    expect(world.follower.cluster.only(GDP)).toBeNull();
    expect(exportsOf(world)).toHaveLength(1);
  });

  it("that was undone within the grace never happened", async () => {
    const world = await deletedOnLeader();
    await world.leader.run("cluster");
    await world.clock.advance(20_000);
    world.leader.cluster.put(objectOf(globalDeploymentPolicy()));
    await world.leader.run("cluster");
    world.leader.cluster.drop(GDP);
    await world.leader.run("cluster");
    await world.clock.advance(20_000);
    await world.leader.run("resync");
    expect(exportsOf(world)).toEqual([]);
  });

  it("starts its grace anew when the agent has died", async () => {
    const world = await deletedOnLeader();
    await world.leader.run("cluster");
    await world.clock.advance(29_000);
    world.leader.restart();
    await world.leader.run("start");
    await world.clock.advance(29_000);
    await world.leader.run("resync");
    expect(exportsOf(world)).toEqual([]);
  });

  it("is none under a new AMKOCluster: the object comes back from git", async () => {
    const world = await deletedOnLeader();
    await world.leader.run("cluster");
    world.leader.cluster.drop("AMKOCluster");
    world.leader.cluster.put(amkoCluster("cluster1", true));
    await world.clock.advance(60_000);
    await world.settle();
    expect(world.leader.cluster.only(GDP)).not.toBeNull();
    expect(exportsOf(world)).toEqual([]);
  });

  it("is none while the namespace is being deleted", async () => {
    const world = await deletedOnLeader();
    world.leader.cluster.setNamespace({ uid: "cluster1-namespace" as never, terminating: true });
    await world.leader.run("cluster");
    await world.clock.advance(60_000);
    expect(await world.leader.run("resync")).toMatchObject({ state: "held" });
    expect(exportsOf(world)).toEqual([]);
  });

  it("is none while AMKO is not installed", async () => {
    const world = await deletedOnLeader();
    world.leader.cluster.drop("AMKOCluster");
    await world.leader.run("cluster");
    await world.clock.advance(60_000);
    await world.leader.run("resync");
    expect(exportsOf(world)).toEqual([]);
  });

  it.each(["AG3001", "AG3005", "AG3006"] as const)("is none where the list failed with %s", async (code) => {
    const world = await settled();
    world.leader.cluster.fail({ on: "list", code, kind: GDP, times: 100 });
    await world.leader.run("resync");
    await world.clock.advance(60_000);
    expect(await world.leader.run("resync")).toMatchObject({ error: { code } });
    expect(exportsOf(world)).toEqual([]);
  });

  it("is undone where git was edited meanwhile", async () => {
    const world = await deletedOnLeader();
    world.remote.push("main", fileOf(policy({ ttl: 20 })));
    await world.settle();
    expect(specOf(world.leader.cluster.only(GDP))).toMatchObject({ ttl: 20 });
  });

  it("happened in a follower that is promoted later: promotion applies first", async () => {
    const world = await settled();
    world.follower.cluster.drop(GDP);
    world.remote.push("main", flip("cluster2"));
    await world.clock.advance(60_000);
    await world.settle();
    await world.clock.advance(60_000);
    await world.settle();
    expect(isLeader(world.follower)).toBe(true);
    expect(world.follower.cluster.only(GDP)).not.toBeNull();
    expect(exportsOf(world)).toEqual([]);
  });
});

describe("a leader that is new or rebuilt", () => {
  it("deletes nothing: it takes what git has", async () => {
    const world = makeWorld({ holds: [] });
    await world.clock.advance(60_000);
    await world.settle();
    expect(specOf(world.agent("cluster1").cluster.only(GDP))).toEqual(globalDeploymentPolicy().spec);
    expect(exportsOf(world)).toEqual([]);
  });

  it("rescues what it holds and git does not know, then takes what git has", async () => {
    const world = makeWorld({ holds: [gslbConfig(), policy({ ttl: 77 })] });
    await world.agent("cluster1").run();
    expect(specOf(world.agent("cluster1").cluster.only(GDP))).toMatchObject({ ttl: 10 });
    expect([...world.remote.branches().keys()].some((name) => name.startsWith("amko/rescue/cluster1/"))).toBe(true);
    expect(exportsOf(world)).toEqual([]);
  });

  it("never ends with two objects of a kind because git calls it otherwise", async () => {
    const world = makeWorld({ holds: [gslbConfig(), { ...globalDeploymentPolicy(), name: "other" }] });
    await world.settle();
    expect(world.agent("cluster1").cluster.objects(GDP)).toHaveLength(1);
  });
});

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
    return JSON.stringify(world.agent(name).cluster.only("AMKOCluster")?.status);
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
    expect(specOf(world.leader.cluster.only(GDP))).toMatchObject({ ttl: 10 });
  });

  it.each<[string, Readonly<Record<string, string | Uint8Array | null>>]>([
    ["two clusters claim", filesOf([manifest("cluster3", { isLeader: true })])],
    ["a manifest cannot be read", { [manifestPath("cluster3")]: "a: [" }],
    ["its manifest is invalid", filesOf([manifest("cluster1", { isLeader: true, version: "" })])],
  ])("where %s; the leader stays in office and exports nothing", async (_, files) => {
    const world = await settled();
    world.remote.push("main", { ...files, ...fileOf(policy({ ttl: 99 })) });
    edit(world.leader, { defaultDomain: "a.example.com" });
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
    edit(world.leader, { ttl: 20 });
    const before = world.countWrites();
    expect(await world.leader.run("cluster")).toMatchObject({ state: "held" });
    expect(world.countWrites()).toBe(before);
    expect(world.leader.log.join("\n")).toContain("there are 2 AMKOClusters");
  });

  it("where there is none", async () => {
    const world = await settled();
    world.follower.cluster.drop("AMKOCluster");
    edit(world.follower, { ttl: 20 });
    const before = world.countWrites();
    expect(await world.follower.run("cluster")).toMatchObject({ state: "held" });
    expect(world.countWrites()).toBe(before);
  });

  it("where the leader has two objects of a kind, of that kind only", async () => {
    const world = await settled();
    world.leader.cluster.put(objectOf({ ...globalDeploymentPolicy(), name: "second" }));
    world.leader.cluster.edit("GSLBConfig", (object) => ({
      ...object,
      spec: { ...specOf(object), logLevel: "DEBUG" },
    }));
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
    expect(specOf(world.follower.cluster.only(GDP))).toMatchObject({ ttl: 10 });
    expect(world.remote.writes).toHaveLength(refs);
    expect(JSON.stringify(world.follower.cluster.only("AMKOCluster")?.status)).toContain("AG5008");
  });

  it("where its prefix serves another branch or path", async () => {
    const world = await settled();
    const other = world.startAgent("cluster2", { settings: { path: "teams/glb" }, repository: { by: "cluster2" } });
    expect(await other.run("start")).toMatchObject({ state: "held" });
    expect(JSON.stringify(world.follower.cluster.only("AMKOCluster")?.status)).toContain("AG5009");
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

describe("a revision that cannot be applied", () => {
  const both = {
    ...fileOf(policy({ ttl: 20 })),
    ...fileOf(gslbConfig({ spec: { ...gslbConfig().spec, logLevel: "DEBUG" } })),
  };

  it("is not applied at all where admission refuses one object", async () => {
    const world = await settled();
    world.follower.cluster.refuse(GDP, "policy says no");
    world.remote.push("main", both);
    expect(await world.follower.run()).toMatchObject({ state: "held" });
    expect(specOf(world.follower.cluster.only("GSLBConfig"))).toMatchObject({ logLevel: "INFO" });
    expect(JSON.stringify(world.follower.cluster.only("AMKOCluster")?.status)).toContain("policy says no");
    expect(world.remote.branch("amko/applied/cluster2")).not.toBe(headOf(world.remote));
    expect(world.remote.branch("amko/failed/cluster2")).not.toBeNull();
    world.follower.cluster.refuse(GDP, null);
    await world.follower.run();
    expect(specOf(world.follower.cluster.only("GSLBConfig"))).toMatchObject({ logLevel: "DEBUG" });
    expect(world.remote.branch("amko/applied/cluster2")).toBe(headOf(world.remote));
    expect(world.remote.branch("amko/failed/cluster2")).toBeNull();
  });

  it("is not applied at all where the CRD here drops a field, and the field is named", async () => {
    const world = await settled();
    const newer = { ...gslbConfig().spec, newField: { inside: 1 } };
    world.remote.push("main", { ...both, ...fileOf(gslbConfig({ spec: newer })) });
    expect(await world.follower.run()).toMatchObject({ state: "held" });
    expect(specOf(world.follower.cluster.only(GDP))).toMatchObject({ ttl: 10 });
    expect(JSON.stringify(world.follower.cluster.only("AMKOCluster")?.status)).toContain("spec.newField");
  });

  it("is applied although it holds nulls, which every API server drops", async () => {
    const world = await settled();
    world.remote.push("main", fileOf(policy({ ttl: 20, pkiProfileRef: null })));
    expect(await world.follower.run()).toMatchObject({ state: "in-sync" });
    expect(specOf(world.follower.cluster.only(GDP))).toMatchObject({ ttl: 20 });
  });

  it("does not keep the other kind from being applied where only one kind's file is unusable", async () => {
    const world = await settled();
    world.remote.push("main", { ...both, [GDP_PATH]: "kind: Something" });
    await world.follower.run();
    expect(specOf(world.follower.cluster.only("GSLBConfig"))).toMatchObject({ logLevel: "DEBUG" });
    expect(specOf(world.follower.cluster.only(GDP))).toMatchObject({ ttl: 10 });
  });

  it("holds a cluster that has lost its CRDs until they are back", async () => {
    const world = await settled();
    world.follower.cluster.fail({ on: "list", code: "AG3005", kind: GDP });
    world.remote.push("main", both);
    expect(await world.follower.run("poll")).toMatchObject({ error: { code: "AG3005" } });
    await world.follower.run("retry");
    expect(specOf(world.follower.cluster.only(GDP))).toMatchObject({ ttl: 20 });
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
    edit(world.leader, { ttl: 20 });
    await world.settle();
    const before = headOf(world.remote);
    world.remote.setBranch("main", rewrite(world));
    edit(world.leader, { ttl: 30 });
    for (const agent of [world.leader, world.follower]) {
      expect(await agent.run()).toMatchObject({ state: "held" });
      const status = JSON.stringify(agent.cluster.only("AMKOCluster")?.status);
      expect(status).toContain("AG2007");
      expect(status).toContain(before);
    }
    expect(specOf(world.follower.cluster.only(GDP))).toMatchObject({ ttl: 20 });
    expect(exportsOf(world)).toHaveLength(1);
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
    expect(specOf(world.follower.cluster.only(GDP))).toMatchObject({ ttl: 20 });
  });
});

describe("an agent whose credentials may only read", () => {
  it("applies, stays unreported, and keeps what it overwrites in its ConfigMap", async () => {
    const world = makeWorld({ holds: [gslbConfig(), policy({ ttl: 77 })] });
    const reader = world.startAgent("cluster2", { repository: { readOnly: true } });
    await reader.run("start");
    expect(specOf(reader.cluster.only(GDP))).toMatchObject({ ttl: 10 });
    expect(reader.cluster.configMap?.data["rescue.GlobalDeploymentPolicy"]).toContain("ttl: 77");
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
    const world = makeWorld({ files, holds: ALL });
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
