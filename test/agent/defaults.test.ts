import { describe, expect, it } from "vitest";
import { schemas } from "../support/builders.ts";
import { headOf } from "../support/fakes/world.ts";
import { GDP, GDP_PATH, policyIn, settled } from "./settled.ts";

/** The CRD in the clusters is newer than the one that the agents came with, and has a field with a default more. */
function newer(): ReturnType<typeof schemas> {
  const known = schemas();
  const { schema } = known[GDP];
  const spec = schema.properties.get("spec");
  const ttl = spec?.properties.get("ttl");
  if (spec === undefined || ttl === undefined) throw new Error("the CRD lacks what this is made of");
  const added = {
    ...spec,
    properties: new Map([...spec.properties, ["newField", { ...ttl, default: 7, bounds: {} }]]),
  };
  const grown = { ...schema, properties: new Map([...schema.properties, ["spec", added]]) };
  return { ...known, [GDP]: { ...known[GDP], schema: grown } } as ReturnType<typeof schemas>;
}

describe("a default that the agent does not know", () => {
  const federation = async () => {
    const world = await settled({ schemas: newer() });
    expect(policyIn(world.leader)).toMatchObject({ newField: 7 });
    const change = async (from: string, to: string): Promise<void> => {
      const text = world.remote.text(headOf(world.remote), GDP_PATH) ?? "";
      world.remote.push("main", { [GDP_PATH]: text.replace(from, to) });
      await world.settle();
    };
    return { world, change };
  };

  it("is no edit that undoes a tombstone", async () => {
    const { world, change } = await federation();
    await change("metadata:\n", "metadata:\n  annotations:\n    amko-gitops.io/deleted: not wanted\n");
    expect([world.leader, world.follower].map(({ cluster }) => cluster.only(GDP))).toEqual([null, null]);
    expect(world.remote.text(headOf(world.remote), GDP_PATH)).toContain("not wanted");
  });

  it("is nothing that anybody wrote, and is not rescued", async () => {
    const { world, change } = await federation();
    await change("ttl: 10", "ttl: 30");
    expect(policyIn(world.follower)).toMatchObject({ ttl: 30, newField: 7 });
    expect([...world.remote.branches().keys()].filter((name) => name.includes("rescue"))).toEqual([]);
  });
});
