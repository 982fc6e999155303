import { describe, expect, it } from "vitest";
import { type LiveObject, UUID_ANNOTATION } from "../../src/core/model.ts";
import { contentOf } from "../../src/core/snapshot.ts";
import { CLUSTERS, globalDeploymentPolicy, gslbConfig } from "../support/builders.ts";
import { type FakeAgent, headOf, makeWorld, objectOf } from "../support/fakes/world.ts";
import { edit, exportsOf, flip, GDP_PATH, type Settled, settled, specOf } from "./settled.ts";

const CONFIG_FILE = "federation/gslbconfig/gc-1.yaml";

function setUuid({ cluster }: FakeAgent, uuid: string | null): void {
  cluster.edit("GSLBConfig", (object) => {
    const { [UUID_ANNOTATION]: _former, ...others } = object.metadata.annotations ?? {};
    const annotations = uuid === null ? others : { ...others, [UUID_ANNOTATION]: uuid };
    return { ...object, metadata: { ...object.metadata, annotations } };
  });
}

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

  it("comes back also after a commit that left the federation as it was", async () => {
    const world = await settled();
    world.remote.push("main", {}, "An empty commit");
    await world.settle();
    setUuid(world.leader, null);
    await world.settle();
    expect(uuidIn(world.leader)).toBe(OWN);
  });

  it("is the one of before where the object is created again without it", async () => {
    const world = await settled();
    world.leader.cluster.drop("GSLBConfig");
    await world.leader.run("cluster");
    await world.clock.advance(30_000);
    await world.settle();
    expect(world.remote.text(headOf(world.remote), CONFIG_FILE)).toContain("deleted");
    world.leader.cluster.put(objectOf({ ...gslbConfig(), annotations: {} }));
    await world.settle();
    expect(CLUSTERS.map((name) => uuidIn(world.agent(name)))).toEqual(CLUSTERS.map(() => OWN));
    expect(world.remote.text(headOf(world.remote), CONFIG_FILE)).toContain(OWN);
  });

  const WRONG = "00000000-copied-with-the-file";
  const uuidIn = ({ cluster }: FakeAgent) => cluster.only("GSLBConfig")?.metadata.annotations?.[UUID_ANNOTATION];

  /** A person copies the file of another federation, and changes something beside. */
  const copied = async (world: Settled) => {
    const text = world.remote.text(headOf(world.remote), CONFIG_FILE) ?? "";
    const changed = text.replace(OWN, WRONG).replace("logLevel: INFO", "logLevel: DEBUG");
    expect(changed).toContain("logLevel: DEBUG");
    world.remote.push("main", { [CONFIG_FILE]: changed });
    for (let pass = 0; pass < 3; pass += 1) await world.follower.pass("poll", "cluster");
  };

  it("stays on a follower, pass after pass, where people put another one into git", async () => {
    const world = await settled();
    await copied(world);
    expect(specOf(world.follower.cluster.only("GSLBConfig"))).toMatchObject({ logLevel: "DEBUG" });
    expect(uuidIn(world.follower)).toBe(OWN);
    expect(world.follower.log.filter((line) => /drift|rescued/.test(line))).toEqual([]);
  });

  it("lets drift be told as drift, while git holds another one", async () => {
    const world = await settled();
    await copied(world);
    edit(world.follower, "GSLBConfig", { logLevel: "WARN" });
    await world.follower.run("cluster");
    expect(specOf(world.follower.cluster.only("GSLBConfig"))).toMatchObject({ logLevel: "DEBUG" });
    expect(world.follower.log.filter((line) => line.includes("drift was corrected"))).toHaveLength(1);
  });

  it("comes back to git from a follower that leads now, where the leader could not bring it", async () => {
    const world = await settled();
    await copied(world);
    world.remote.push("main", flip("cluster2"));
    await world.settle();
    expect(CLUSTERS.map((name) => uuidIn(world.agent(name)))).toEqual(CLUSTERS.map(() => OWN));
    expect(world.remote.text(headOf(world.remote), CONFIG_FILE)).toContain(OWN);
  });

  it("that an edit on a follower replaced is put right", async () => {
    const world = await settled();
    setUuid(world.follower, WRONG);
    await world.follower.run("cluster");
    expect(uuidIn(world.follower)).toBe(OWN);
  });

  it("that AMKO took anew stays, where a backup brings back the one before", async () => {
    const world = await settled();
    const backup = world.leader.cluster.only("GSLBConfig") as LiveObject;
    setUuid(world.leader, "taken-anew");
    await world.settle();
    const { annotations } = backup.metadata;
    world.leader.cluster.edit("GSLBConfig", ({ metadata, ...object }) => ({
      ...object,
      metadata: { ...metadata, annotations: annotations ?? {} },
    }));
    await world.settle();
    expect(CLUSTERS.map((name) => uuidIn(world.agent(name)))).toEqual(CLUSTERS.map(() => "taken-anew"));
    expect(exportsOf(world)).toHaveLength(1);
  });
});

const OWN = gslbConfig().annotations[UUID_ANNOTATION] ?? "";

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
