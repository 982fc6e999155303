import { describe, expect, it } from "vitest";
import type { Json } from "../../src/core/model.ts";
import { readSchema } from "../../src/core/schema.ts";
import { schemaGaps } from "../../src/core/schema-gaps.ts";

const WANTED = readSchema({
  type: "object",
  properties: {
    ttl: { type: "integer" },
    split: { type: "array", items: { type: "object", properties: { weight: { type: "integer" } } } },
  },
});
const SPLIT = { items: { properties: { weight: {} } } };

describe("the fields that a published schema lacks", () => {
  it.each<readonly [string, Json, readonly string[]]>([
    ["none", { properties: { ttl: {}, split: SPLIT } }, []],
    ["a field", { properties: { split: SPLIT } }, ["spec.ttl"]],
    ["a field of a list's entries", { properties: { ttl: {}, split: { items: {} } } }, ["spec.split[].weight"]],
    ["a list", { properties: { ttl: {} } }, ["spec.split"]],
    ["none where anything is kept", { "x-kubernetes-preserve-unknown-fields": true }, []],
    ["only what is inside, where any key may stand", { additionalProperties: {} }, ["spec.split[].weight"]],
    ["all where nothing is known", {}, ["spec.ttl", "spec.split"]],
  ])("are %s", (_, published, gaps) => {
    expect(schemaGaps(WANTED, published, "spec")).toEqual(gaps);
  });
});
