import { expect, test } from "vitest";
import { describePath } from "../../src/core/document-path.ts";
import type { Json } from "../../src/core/model.ts";
import { prune } from "../../src/core/prune.ts";
import type { Schema } from "../../src/core/schema.ts";
import { propertySchema, schemas } from "../support/builders.ts";

const gdp = schemas().GlobalDeploymentPolicy.schema;

interface Pruning {
  readonly when: string;
  readonly schema: Schema;
  readonly value: Json;
  readonly expected: Json;
  readonly dropped: readonly string[];
}

test.each<Pruning>([
  {
    when: "a field is unknown, at any depth",
    schema: gdp,
    value: { spec: { ttl: 1, tll: 2, trafficSplit: [{ cluster: "c1", colour: "red" }] }, extra: {} },
    expected: { spec: { ttl: 1, trafficSplit: [{ cluster: "c1" }] } },
    dropped: ["spec.tll", "spec.trafficSplit[0].colour", "extra"],
  },
  {
    when: "the root carries apiVersion, kind and metadata that the schema does not mention",
    schema: gdp,
    value: { apiVersion: "v", kind: "k", metadata: { name: "n", labels: { a: "b" } }, spec: {} },
    expected: { apiVersion: "v", kind: "k", metadata: { name: "n", labels: { a: "b" } }, spec: {} },
    dropped: [],
  },
  {
    when: "unknown fields are preserved",
    schema: propertySchema({
      type: "object",
      "x-kubernetes-preserve-unknown-fields": true,
      properties: { known: { type: "object" } },
    }),
    value: { a: { any: { thing: [1, { x: 1 }] }, known: { gone: 1 } } },
    expected: { a: { any: { thing: [1, { x: 1 }] }, known: {} } },
    dropped: ["a.known.gone"],
  },
  {
    when: "a map lets any key in",
    schema: gdp,
    value: JSON.parse('{"spec":{"matchRules":{"appSelector":{"label":{"__proto__":"x","constructor":"y"}}}}}'),
    expected: JSON.parse('{"spec":{"matchRules":{"appSelector":{"label":{"__proto__":"x","constructor":"y"}}}}}'),
    dropped: [],
  },
  {
    when: "an unknown key is called like something every object inherits",
    schema: gdp,
    value: JSON.parse('{"spec":{"__proto__":{"ttl":1},"constructor":1,"toString":1}}'),
    expected: { spec: {} },
    dropped: ["spec.__proto__", "spec.constructor", "spec.toString"],
  },
  {
    when: "additionalProperties is true, which knows nothing of what is below a key",
    schema: propertySchema({ type: "object", additionalProperties: true }),
    value: { a: { b: 1, c: { d: 1 } } },
    expected: { a: { b: 1, c: {} } },
    dropped: ["a.c.d"],
  },
])("prunes when $when", ({ schema, value, expected, dropped }) => {
  const pruned = prune(value, schema);
  // Compared as text: toEqual takes an own key __proto__ for the prototype.
  expect(JSON.stringify(pruned.value)).toEqual(JSON.stringify(expected));
  expect(pruned.dropped.map(describePath)).toEqual(dropped);
});

test("pruning leaves its argument as it was", () => {
  const value = { spec: { ttl: 1, odd: 1, trafficSplit: [{ odd: 1 }] } };
  const before = structuredClone(value);
  prune(value, gdp);
  expect(value).toEqual(before);
});
