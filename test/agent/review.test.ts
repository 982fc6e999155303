import { describe, expect, it } from "vitest";
import { type LiveObject, UUID_ANNOTATION } from "../../src/core/model.ts";
import { contentOf } from "../../src/core/snapshot.ts";
import { CLUSTERS, globalDeploymentPolicy, gslbConfig, manifest, policy } from "../support/builders.ts";
import { type FakeAgent, fileOf, filesOf, headOf, isLeader, makeWorld, objectOf } from "../support/fakes/world.ts";
import { edit, editPolicy, exportsOf, flip, GDP, GDP_PATH, policyIn, settled, statusOf } from "./settled.ts";

/** What a review of the whole found, each as the story that went wrong. */

const CONFIG_FILE = "federation/gslbconfig/gc-1.yaml";

function setUuid({ cluster }: FakeAgent, uuid: string | null): void {
  cluster.edit("GSLBConfig", (object) => {
    const { [UUID_ANNOTATION]: _former, ...others } = object.metadata.annotations ?? {};
    const annotations = uuid === null ? others : { ...others, [UUID_ANNOTATION]: uuid };
    return { ...object, metadata: { ...object.metadata, annotations } };
  });
}

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
});

describe("AMKO's UUID", () => {
  it("reaches git and the followers when AMKO adds it after the first export", async () => {
    const plain = { ...gslbConfig(), annotations: {} };
    const world = await settled({
      files: filesWithout(CONFIG_FILE),
      holds: [plain, globalDeploymentPolicy()],
    });
    setUuid(world.leader, "given-by-amko");
    await world.settle();
    const { annotations } = contentOf(world.follower.cluster.only("GSLBConfig") as LiveObject);
    expect(annotations[UUID_ANNOTATION]).toBe("given-by-amko");
  });

  it("comes back on the leader, and never leaves the branch, when somebody replaces the object without it", async () => {
    const world = await settled();
    const before = headOf(world.remote);
    setUuid(world.leader, null);
    await world.settle();
    const { annotations } = contentOf(world.leader.cluster.only("GSLBConfig") as LiveObject);
    expect(annotations[UUID_ANNOTATION]).toBe(gslbConfig().annotations[UUID_ANNOTATION]);
    expect(world.remote.text(headOf(world.remote), CONFIG_FILE)).toBe(world.remote.text(before, CONFIG_FILE));
  });
});

function filesWithout(path: string) {
  const world = makeWorld();
  const head = headOf(world.remote);
  const names = [...CLUSTERS.map((name) => `clusters/${name}/amkocluster.yaml`), GDP_PATH, CONFIG_FILE];
  return names
    .filter((name) => name !== path)
    .map((name) => {
      const bytes = new TextEncoder().encode(world.remote.text(head, name) ?? "");
      return { path: name, type: "file" as const, id: "" as never, size: bytes.length, bytes };
    });
}

describe("stepping down", () => {
  it("does not depend on the objects: also while one kind cannot be listed", async () => {
    const world = await settled();
    world.remote.push("main", flip("cluster2"), "Flip");
    world.leader.cluster.fail({ on: "list", code: "AG3005", kind: GDP, times: 100 });
    await world.leader.run("cluster");
    expect(isLeader(world.leader)).toBe(false);
    expect(statusOf(world.leader)).toContain("AG3005");
  });

  it("is complete where git does not let the claim be deleted: the cluster follows", async () => {
    const world = await settled();
    world.remote.push("main", flip("cluster2"), "Flip");
    world.remote.fail({ on: "moveRef", code: "AG2004", ref: "leading/cluster1", times: 1_000 });
    await world.leader.run();
    expect(isLeader(world.leader)).toBe(false);
    world.remote.push("main", fileOf(policy({ ttl: 77 })));
    await world.leader.run("poll");
    expect(policyIn(world.leader)["ttl"]).toBe(77);
  });
});

describe("two processes of one cluster", () => {
  it("do not start the wait for a former leader anew with each other's claims", async () => {
    const world = await settled();
    world.remote.push("main", flip("cluster2"), "Flip");
    const second = world.startAgent("cluster2");
    for (let step = 0; step < 20 && !isLeader(world.follower); step += 1) {
      await world.follower.pass("retry");
      await second.pass("retry");
      await world.clock.advance(10_000);
    }
    expect(isLeader(world.follower)).toBe(true);
  });
});

describe("an object that a finalizer keeps", () => {
  const keep = ({ cluster }: FakeAgent): void => {
    cluster.edit(GDP, (object) => ({ ...object, metadata: { ...object.metadata, finalizers: ["example.com/keep"] } }));
  };

  it("is not acknowledged as deleted, and the finalizer is named", async () => {
    const world = await settled();
    keep(world.follower);
    world.remote.push("main", fileOf({ ...globalDeploymentPolicy(), deleted: "by hand" }), "Delete it");
    await world.follower.run("poll");
    expect(statusOf(world.follower)).toContain("example.com/keep");
    expect(world.remote.branch("amko/applied/cluster2")).not.toBe(headOf(world.remote));
  });
});

describe("a tombstone", () => {
  it("leaves an object alone that never came from git, and says so", async () => {
    const world = await settled();
    const { follower } = world;
    world.remote.push("main", fileOf({ ...globalDeploymentPolicy(), deleted: "by hand" }), "Delete it");
    await world.settle();
    const { spec } = globalDeploymentPolicy();
    follower.cluster.put(objectOf({ ...globalDeploymentPolicy(), name: "somebodys", spec: { ...spec, ttl: 4711 } }));
    await follower.run("cluster");
    expect(follower.cluster.only(GDP)?.metadata.name).toBe("somebodys");
    expect(statusOf(follower)).toContain("AG5014");
  });
});

describe("a push that is refused again and again", () => {
  it("writes the object once", async () => {
    const world = await settled();
    editPolicy(world.leader, { ttl: 20 });
    world.remote.fail({ on: "publish", code: "AG2004", times: 100 });
    const before = world.leader.cluster.writes.filter(({ kind }) => kind === GDP).length;
    for (let attempt = 0; attempt < 5; attempt += 1) await world.leader.run("retry");
    expect(world.leader.cluster.writes.filter(({ kind }) => kind === GDP).length).toBe(before + 1);
    world.remote.heal();
    await world.settle();
    expect(policyIn(world.follower)["ttl"]).toBe(20);
  });
});

describe("a head that cannot be used", () => {
  it("does not become the base of what history gave: the fix of a person counts", async () => {
    const world = await settled();
    world.remote.push("main", { [GDP_PATH]: "not: [closed" }, "Break it");
    world.remote.fail({ on: "publish", code: "AG2004", times: 100 });
    await world.leader.run("poll");
    world.remote.push("main", fileOf(policy({ ttl: 99 })), "Mend it");
    world.remote.heal();
    await world.settle();
    expect([policyIn(world.leader)["ttl"], policyIn(world.follower)["ttl"]]).toEqual([99, 99]);
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

describe("handover-without", () => {
  it("that was left over from an earlier flip counts for nothing", async () => {
    const annotated = { metadata: { annotations: { "amko-gitops.io/handover-without": "cluster1" } } };
    const leftOver = (to: string) =>
      filesOf([
        ...["cluster1", "cluster3"].map((name) => manifest(name, { isLeader: name === to })),
        manifest("cluster2", { isLeader: to === "cluster2" }, annotated),
      ]);
    const world = await settled();
    world.remote.push("main", leftOver("cluster1"), "Leave it lying around");
    await world.settle();
    world.remote.push("main", leftOver("cluster2"), "Flip");
    expect(await world.follower.run("poll")).toMatchObject({ state: "held" });
    expect([isLeader(world.leader), isLeader(world.follower)]).toEqual([true, false]);
  });
});
