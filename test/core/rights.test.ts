import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { describeRight, RIGHTS } from "../../src/core/rights.ts";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

it("the preflight asks for exactly what the shipped Role grants", () => {
  const text = readFileSync(new URL("../../deploy/kustomize/rbac.yaml", import.meta.url), "utf8");
  const role = parseAllDocuments(text)
    .map((document) => document.toJS())
    .find(({ kind }) => kind === "Role");
  const granted = (role.rules as readonly Rule[]).flatMap(({ apiGroups, resources, resourceNames, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        (resourceNames ?? [null]).flatMap((name) =>
          verbs.map((verb) => JSON.stringify({ verb, group, resource, name })),
        ),
      ),
    ),
  );
  expect(RIGHTS.map((right) => JSON.stringify(right)).toSorted()).toEqual(granted.toSorted());
});

it("a right is named as kubectl takes it", () => {
  const right = { verb: "patch", group: "amko.vmware.com", resource: "amkoclusters/status", name: null } as const;
  expect(describeRight(right)).toBe("patch amkoclusters.amko.vmware.com/status");
  expect(describeRight({ verb: "get", group: "", resource: "secrets", name: "a" })).toBe("get secrets a");
});
