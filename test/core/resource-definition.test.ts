import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import type { Json } from "../../src/core/model.ts";
import { collectSchemas, readCustomResourceDefinition } from "../../src/core/resource-definition.ts";

const CRDS = new URL("../../deploy/crds/", import.meta.url);

const definitions = readdirSync(CRDS).map((file) =>
  readCustomResourceDefinition(parse(readFileSync(new URL(file, CRDS), "utf8"))),
);

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
