import type { Cluster } from "../ports.ts";
import { type Given, REQUEST_DURATIONS } from "./given.ts";
import type { ClusterConnection, House } from "./house.ts";
import { type OptionDescription, option } from "./verb.ts";

/** The flags of every verb about one cluster. They mean what they mean to the agent, and to kubectl. */
export const CLUSTER_OPTIONS: readonly OptionDescription[] = [
  option("kubeconfig", "file", null, "kubeconfig (default: the pod's own, then the usual rules of kubectl)", {
    fromEnvironment: true,
  }),
  option("context", "name", null, "context of the kubeconfig (default: the current one)", { fromEnvironment: true }),
  option("kube-timeout", "duration", "15s", "time limit of a request to the API server", { fromEnvironment: true }),
];

/** @throws FederationError AG4005 when the kubeconfig cannot be used */
export function openThisCluster(given: Given, house: House): Promise<Cluster> {
  return house.openCluster(connectionOf(given));
}

/** Which API server the flags name. */
export function connectionOf(given: Given): ClusterConnection {
  return {
    kubeconfig: given.text("kubeconfig"),
    context: given.text("context"),
    timeoutMs: given.duration("kube-timeout", REQUEST_DURATIONS) ?? 15_000,
  };
}

/** A command line for the same cluster, to be shown to people: with the flags that chose it. */
export function commandHere(given: Given, command: string): string {
  const flags = (["kubeconfig", "context"] as const).flatMap((flag) => {
    const value = given.text(flag);
    return value === null ? [] : [`--${flag} ${/^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value)}`];
  });
  return ["amko-gitops", command, ...flags].join(" ");
}
