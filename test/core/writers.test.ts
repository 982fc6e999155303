import { expect, test } from "vitest";
import type { Json, LiveObject, ManagedField } from "../../src/core/model.ts";
import { lastWriter } from "../../src/core/writers.ts";
import { globalDeploymentPolicy, liveOf } from "../support/builders.ts";

const wrote = (manager: string, second: number, fieldsV1?: Json): ManagedField => ({
  manager,
  operation: "Update",
  time: `2026-01-01T00:00:0${second}Z`,
  ...(fieldsV1 !== undefined && { fieldsV1 }),
});
const spec = { "f:spec": { "f:ttl": {} } };

test.each([
  ["nobody is recorded", [], null],
  ["two people wrote", [wrote("kubectl-edit", 2, spec), wrote("helm", 1, spec)], "kubectl-edit"],
  ["the agent wrote after a person", [wrote("kubectl-edit", 1, spec), wrote("amko-gitops", 2, spec)], "kubectl-edit"],
  [
    "AMKO answered with a status",
    [wrote("kubectl-edit", 1, spec), wrote("amko", 2, { "f:status": {} })],
    "kubectl-edit",
  ],
  ["somebody set an annotation", [wrote("kubectl-annotate", 1, { "f:metadata": {} })], "kubectl-annotate"],
  ["the server does not say which fields", [wrote("old-client", 1)], "old-client"],
])("who wrote last, where %s", (_, managedFields, manager) => {
  const object = liveOf(globalDeploymentPolicy());
  expect(lastWriter({ ...object, metadata: { ...object.metadata, managedFields } } as LiveObject)).toBe(manager);
});
