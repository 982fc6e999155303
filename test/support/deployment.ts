import type { KubernetesObject } from "../../src/core/model.ts";

/** The part of a Deployment's pod that the tests look at. */
export interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly [
    {
      readonly env: readonly { readonly name: string; readonly value: string }[];
      readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
    },
  ];
  readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
}

/** The pod of the one Deployment among the objects. @throws Error when there is not exactly one. */
export function podOf(objects: readonly KubernetesObject[]): PodSpec {
  const [deployment, ...more] = objects.filter(({ kind }) => kind === "Deployment");
  if (deployment === undefined || more.length > 0) throw new Error("there is not exactly one Deployment");
  return (deployment.spec as unknown as { readonly template: { readonly spec: PodSpec } }).template.spec;
}

/** The variables of the agent's container. */
export function environmentOf(objects: readonly KubernetesObject[]): Readonly<Record<string, string>> {
  return Object.fromEntries(podOf(objects).containers[0].env.map(({ name, value }) => [name, value]));
}
