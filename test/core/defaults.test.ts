import { expect, test } from "vitest";
import { applyDefaults } from "../../src/core/defaults.ts";
import type { Json } from "../../src/core/model.ts";
import type { Schema } from "../../src/core/schema.ts";
import { propertySchema, schemas } from "../support/builders.ts";

const gdp = schemas().GlobalDeploymentPolicy.schema;
const amkoCluster = schemas().AMKOCluster.schema;

interface Defaulting {
  readonly when: string;
  readonly schema: Schema;
  readonly value: Json;
  readonly expected: Json;
}

const withDefault = propertySchema({ type: "integer", default: 7 });

test.each<Defaulting>([
  {
    when: "a list's entries lack fields with defaults",
    schema: gdp,
    value: { spec: { trafficSplit: [{ cluster: "c1" }, { cluster: "c2", weight: 5 }] } },
    expected: {
      spec: {
        trafficSplit: [
          { cluster: "c1", weight: 1, priority: 10 },
          { cluster: "c2", weight: 5, priority: 10 },
        ],
      },
    },
  },
  { when: "a null stands where a default is", schema: withDefault, value: { a: null }, expected: { a: 7 } },
  { when: "a null stands where no default is", schema: gdp, value: { spec: { ttl: null } }, expected: { spec: {} } },
  {
    when: "a nullable field is null",
    schema: propertySchema({ type: "integer", nullable: true, default: 7 }),
    value: { a: null },
    expected: { a: null },
  },
  { when: "a value is given", schema: withDefault, value: { a: 0 }, expected: { a: 0 } },
  {
    when: "a default has defaults of its own",
    schema: propertySchema({ type: "object", default: {}, properties: { b: { type: "string", default: "x" } } }),
    value: {},
    expected: { a: { b: "x" } },
  },
  {
    when: "an entry of a list is null without default",
    schema: amkoCluster,
    value: { spec: { clusters: [null, "c1"] } },
    expected: { spec: { clusters: [null, "c1"] } },
  },
  {
    when: "a null stands in a map",
    schema: gdp,
    value: { spec: { matchRules: { appSelector: { label: { app: null } } } } },
    expected: { spec: { matchRules: { appSelector: { label: {} } } } },
  },
])("defaults when $when", ({ schema, value, expected }) => {
  expect(applyDefaults(value, schema)).toEqual(expected);
});

test("defaulting leaves its argument as it was", () => {
  const value = { spec: { ttl: null, trafficSplit: [{}] } };
  const before = structuredClone(value);
  applyDefaults(value, gdp);
  expect(value).toEqual(before);
});
