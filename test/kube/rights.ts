import { type KubernetesObject, NAMESPACE } from "../../src/core/model.ts";
import { RIGHTS, type Right } from "../../src/core/rights.ts";
import type { Upstream } from "../kubernetes/gate.ts";
import { create, pathOf, readRights } from "./install.ts";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** Creates a ServiceAccount that may do everything that the shipped Role grants, but for one right. Returns its name. */
export async function installAccountWithout(upstream: Upstream, right: Right): Promise<string> {
  const name = `without-${RIGHTS.indexOf(right)}`;
  for (const object of await readRights()) {
    const own = { ...object, metadata: { name, namespace: NAMESPACE } };
    await create(upstream, pathOf(object), await changed(own, name, right));
  }
  return name;
}

async function changed(object: KubernetesObject, name: string, right: Right): Promise<object> {
  switch (object.kind) {
    case "Role":
      return {
        ...object,
        rules: (object as unknown as { readonly rules: readonly Rule[] }).rules.flatMap((rule) =>
          splitWithout(rule, right),
        ),
      };
    case "RoleBinding":
      return {
        ...object,
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
        subjects: [{ kind: "ServiceAccount", name, namespace: NAMESPACE }],
      };
    default:
      return object;
  }
}

/** A rule as rules of one right each, without the one. */
function splitWithout({ apiGroups, resources, resourceNames, verbs }: Rule, right: Right): readonly Rule[] {
  const single = apiGroups.flatMap((group) =>
    resources.flatMap((resource) =>
      (resourceNames ?? [null]).flatMap((only) => verbs.map((verb) => ({ group, resource, name: only, verb }))),
    ),
  );
  return single
    .filter(
      ({ group, resource, name, verb }) =>
        !(group === right.group && resource === right.resource && name === right.name && verb === right.verb),
    )
    .map(({ group, resource, name, verb }) => ({
      apiGroups: [group],
      resources: [resource],
      verbs: [verb],
      ...(name === null ? {} : { resourceNames: [name] }),
    }));
}
