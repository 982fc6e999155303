import { expect, test } from "vitest";
import { describePath } from "../../src/core/document-path.ts";
import type { Json } from "../../src/core/model.ts";
import { readSchema, type Schema } from "../../src/core/schema.ts";
import { validate } from "../../src/core/validate.ts";
import { propertySchema, schemas } from "../support/builders.ts";

const gdp = schemas().GlobalDeploymentPolicy.schema;
const gslbConfig = schemas().GSLBConfig.schema;
const amkoCluster = schemas().AMKOCluster.schema;

/** `path: message` lines, as people see them. */
function complaints(value: Json, schema: Schema): readonly string[] {
  return validate(value, schema).map(({ path, message }) => `${describePath(path)}: ${message}`);
}

interface Verdict {
  readonly when: string;
  readonly schema: Schema;
  readonly value: Json;
  readonly expected: readonly string[];
}

test.each<Verdict>([
  { when: "an AMKOCluster is empty", schema: amkoCluster, value: {}, expected: [] },
  { when: "a GDP has no spec", schema: gdp, value: {}, expected: ["spec: is required"] },
  { when: "a GSLBConfig has no spec", schema: gslbConfig, value: {}, expected: ["spec: is required"] },
  { when: "the ttl is at its limit", schema: gdp, value: { spec: { ttl: 86_400 } }, expected: [] },
  {
    when: "the ttl is over its limit",
    schema: gdp,
    value: { spec: { ttl: 86_401 } },
    expected: ["spec.ttl: must be at most 86400, but is 86401"],
  },
  {
    when: "the ttl is negative",
    schema: gdp,
    value: { spec: { ttl: -1 } },
    expected: ["spec.ttl: must be at least 0, but is -1"],
  },
  { when: "an integer is written 5.0", schema: gdp, value: JSON.parse('{"spec":{"ttl":5.0}}'), expected: [] },
  {
    when: "an integer is the greatest of 64 bits",
    schema: gslbConfig,
    value: JSON.parse('{"spec":{"refreshInterval":9223372036854775807}}'),
    expected: [],
  },
  {
    when: "an integer is too large for any server",
    schema: gdp,
    value: { spec: { ttl: 1e30 } },
    expected: ["spec.ttl: must be an integer, but is a number"],
  },
  {
    when: "an integer has a fraction",
    schema: gdp,
    value: { spec: { ttl: 5.5 } },
    expected: ["spec.ttl: must be an integer, but is a number"],
  },
  {
    when: "an integer is text",
    schema: gdp,
    value: { spec: { ttl: "5" } },
    expected: ["spec.ttl: must be an integer, but is a string"],
  },
  {
    when: "a weight in a list is out of range",
    schema: gdp,
    value: { spec: { trafficSplit: [{ weight: 1 }, { weight: 21 }, { weight: 0 }] } },
    expected: [
      "spec.trafficSplit[1].weight: must be at most 20, but is 21",
      "spec.trafficSplit[2].weight: must be at least 1, but is 0",
    ],
  },
  {
    when: "a label's value is no string",
    schema: gdp,
    value: { spec: { matchRules: { appSelector: { label: { "app.io/x": 1 } } } } },
    expected: ['spec.matchRules.appSelector.label["app.io/x"]: must be a string, but is an integer'],
  },
  {
    when: "downResponse lacks its type",
    schema: gdp,
    value: { spec: { downResponse: { fallbackIP: "1.2.3.4" } } },
    expected: ["spec.downResponse.type: is required"],
  },
  {
    when: "a log level is unknown",
    schema: gslbConfig,
    value: { spec: { logLevel: "TRACE" } },
    expected: ['spec.logLevel: must be one of "DEBUG", "INFO", "WARN", "ERROR", but is "TRACE"'],
  },
  {
    when: "a null stands in a list",
    schema: amkoCluster,
    value: { spec: { clusters: [null] } },
    expected: ["spec.clusters[0]: must be a string, but is null"],
  },
  {
    when: "a null is allowed",
    schema: propertySchema({ type: "string", nullable: true }),
    value: { a: null },
    expected: [],
  },
  {
    when: "an exclusive bound is met exactly",
    schema: propertySchema({ type: "number", minimum: 1, exclusiveMinimum: true }),
    value: { a: 1 },
    expected: ["a: must be greater than 1, but is 1"],
  },
  {
    when: "a number is no multiple",
    schema: propertySchema({ type: "integer", multipleOf: 5 }),
    value: { a: 7 },
    expected: ["a: must be a multiple of 5, but is 7"],
  },
  {
    when: "text does not match",
    schema: propertySchema({ type: "string", pattern: "^[a-z]+$" }),
    value: { a: "A" },
    expected: ['a: must match ^[a-z]+$, but is "A"'],
  },
  {
    when: "text is too long, counted in characters",
    schema: propertySchema({ type: "string", maxLength: 2 }),
    value: { a: "😀😀😀" },
    expected: ["a: must have at most 2 characters, but has 3"],
  },
  {
    when: "a list is too short",
    schema: propertySchema({ type: "array", minItems: 1 }),
    value: { a: [] },
    expected: ["a: must have at least 1 item, but has 0"],
  },
  {
    when: "an object has too many keys",
    schema: propertySchema({ type: "object", maxProperties: 1 }),
    value: { a: { x: 1, y: 2 } },
    expected: ["a: must have at most 1 property, but has 2"],
  },
  {
    when: "a map list repeats a key",
    schema: propertySchema({
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
      items: { type: "object" },
    }),
    value: {
      a: [
        { name: "x", v: 1 },
        { name: "x", v: 2 },
      ],
    },
    expected: ['a[1]: repeats entry 0: {"name":"x"}'],
  },
  {
    when: "an int-or-string is either",
    schema: propertySchema({ "x-kubernetes-int-or-string": true }),
    value: { a: "50%" },
    expected: [],
  },
  {
    when: "an int-or-string is neither",
    schema: propertySchema({ "x-kubernetes-int-or-string": true }),
    value: { a: true },
    expected: ["a: must be an integer or a string, but is a boolean"],
  },
  {
    when: "two forms of oneOf fit",
    schema: propertySchema({ type: "integer", oneOf: [{ minimum: 0 }, { maximum: 10 }] }),
    value: { a: 5 },
    expected: ["a: must fit exactly one of the forms in oneOf, but fits 2"],
  },
  {
    when: "a forbidden form fits",
    schema: propertySchema({ type: "string", not: { enum: ["root"] } }),
    value: { a: "root" },
    expected: ["a: has the form that not forbids"],
  },
  {
    when: "a required key is only inherited",
    schema: readSchema({ type: "object", required: ["constructor"] }),
    value: {},
    expected: ["constructor: is required"],
  },
])("validates when $when", ({ schema, value, expected }) => {
  expect(complaints(value, schema)).toEqual(expected);
});
