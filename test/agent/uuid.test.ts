import { describe, expect, it } from "vitest";
import { type LiveObject, UUID_ANNOTATION } from "../../src/core/model.ts";
import { contentOf } from "../../src/core/snapshot.ts";
import { CLUSTERS, globalDeploymentPolicy, gslbConfig } from "../support/builders.ts";
import { type FakeAgent, headOf, makeWorld } from "../support/fakes/world.ts";
import { GDP_PATH, settled } from "./settled.ts";

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
