import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import type { Json, JsonObject } from "../../src/core/model.ts";
import {
  applyDefaults,
  collectSchemas,
  describePath,
  prune,
  readCustomResourceDefinition,
  readSchema,
  type Schema,
  unknownFields,
  validate,
} from "../../src/core/schema.ts";

const CRDS = new URL("../../deploy/crds/", import.meta.url);

const definitions = readdirSync(CRDS).map((file) =>
  readCustomResourceDefinition(parse(readFileSync(new URL(file, CRDS), "utf8"))),
);
const schemas = collectSchemas(definitions);
const gdp = schemas.GlobalDeploymentPolicy.schema;
const gslbConfig = schemas.GSLBConfig.schema;
const amkoCluster = schemas.AMKOCluster.schema;

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

const property = (schema: JsonObject): Schema => readSchema({ type: "object", properties: { a: schema } });

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
  { when: "a null is allowed", schema: property({ type: "string", nullable: true }), value: { a: null }, expected: [] },
  {
    when: "an exclusive bound is met exactly",
    schema: property({ type: "number", minimum: 1, exclusiveMinimum: true }),
    value: { a: 1 },
    expected: ["a: must be greater than 1, but is 1"],
  },
  {
    when: "a number is no multiple",
    schema: property({ type: "integer", multipleOf: 5 }),
    value: { a: 7 },
    expected: ["a: must be a multiple of 5, but is 7"],
  },
  {
    when: "text does not match",
    schema: property({ type: "string", pattern: "^[a-z]+$" }),
    value: { a: "A" },
    expected: ['a: must match ^[a-z]+$, but is "A"'],
  },
  {
    when: "text is too long, counted in characters",
    schema: property({ type: "string", maxLength: 2 }),
    value: { a: "😀😀😀" },
    expected: ["a: must have at most 2 characters, but has 3"],
  },
  {
    when: "a list is too short",
    schema: property({ type: "array", minItems: 1 }),
    value: { a: [] },
    expected: ["a: must have at least 1 item, but has 0"],
  },
  {
    when: "an object has too many keys",
    schema: property({ type: "object", maxProperties: 1 }),
    value: { a: { x: 1, y: 2 } },
    expected: ["a: must have at most 1 property, but has 2"],
  },
  {
    when: "a map list repeats a key",
    schema: property({
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
    schema: property({ "x-kubernetes-int-or-string": true }),
    value: { a: "50%" },
    expected: [],
  },
  {
    when: "an int-or-string is neither",
    schema: property({ "x-kubernetes-int-or-string": true }),
    value: { a: true },
    expected: ["a: must be an integer or a string, but is a boolean"],
  },
  {
    when: "two forms of oneOf fit",
    schema: property({ type: "integer", oneOf: [{ minimum: 0 }, { maximum: 10 }] }),
    value: { a: 5 },
    expected: ["a: must fit exactly one of the forms in oneOf, but fits 2"],
  },
  {
    when: "a forbidden form fits",
    schema: property({ type: "string", not: { enum: ["root"] } }),
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

interface Defaulting {
  readonly when: string;
  readonly schema: Schema;
  readonly value: Json;
  readonly expected: Json;
}

const withDefault = property({ type: "integer", default: 7 });

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
    schema: property({ type: "integer", nullable: true, default: 7 }),
    value: { a: null },
    expected: { a: null },
  },
  { when: "a value is given", schema: withDefault, value: { a: 0 }, expected: { a: 0 } },
  {
    when: "a default has defaults of its own",
    schema: property({ type: "object", default: {}, properties: { b: { type: "string", default: "x" } } }),
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
    schema: property({
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
    schema: property({ type: "object", additionalProperties: true }),
    value: { a: { b: 1, c: { d: 1 } } },
    expected: { a: { b: 1, c: {} } },
    dropped: ["a.c.d"],
  },
])("prunes when $when", ({ schema, value, expected, dropped }) => {
  const pruned = prune(value, schema);
  // Compared as text: toEqual takes an own key __proto__ for the prototype.
  expect(JSON.stringify(pruned.value)).toEqual(JSON.stringify(expected));
  expect(pruned.dropped.map(describePath)).toEqual(dropped);
  expect(unknownFields(value, schema)).toEqual(pruned.dropped);
});

test("pruning and defaulting leave their argument as it was", () => {
  const value = { spec: { ttl: null, odd: 1, trafficSplit: [{}] } };
  const before = structuredClone(value);
  prune(value, gdp);
  applyDefaults(value, gdp);
  expect(value).toEqual(before);
});

test("the shipped definitions carry AMKO's names, and a status subresource on AMKOCluster only", () => {
  const facts = definitions.map(({ kind, group, version, plural, shortNames, statusSubresource, namespaced }) => ({
    kind,
    address: `${group}/${version}/${plural}`,
    shortNames,
    statusSubresource,
    namespaced,
  }));
  expect(facts.toSorted((one, other) => one.kind.localeCompare(other.kind))).toEqual([
    {
      kind: "AMKOCluster",
      address: "amko.vmware.com/v1alpha1/amkoclusters",
      shortNames: [],
      statusSubresource: true,
      namespaced: true,
    },
    {
      kind: "GlobalDeploymentPolicy",
      address: "amko.vmware.com/v1alpha2/globaldeploymentpolicies",
      shortNames: ["gdp"],
      statusSubresource: false,
      namespaced: true,
    },
    {
      kind: "GSLBConfig",
      address: "amko.vmware.com/v1alpha1/gslbconfigs",
      shortNames: ["gc"],
      statusSubresource: false,
      namespaced: true,
    },
  ]);
});

test.each([
  { value: { kind: "ConfigMap" }, message: "not a CustomResourceDefinition of apiextensions.k8s.io/v1" },
  {
    value: { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" },
    message: "spec must be an object",
  },
  {
    value: {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      spec: { names: { kind: "X" }, versions: [] },
    },
    message: "spec.versions must have exactly one served version, the stored one",
  },
])("refuses a definition: $message", ({ value, message }) => {
  expect(() => readCustomResourceDefinition(value as Json)).toThrow(message);
});

test("asks for every one of AMKO's kinds", () => {
  expect(() => collectSchemas(definitions.filter(({ kind }) => kind !== "GSLBConfig"))).toThrow(
    "no CustomResourceDefinition for GSLBConfig was given",
  );
});
