import { KINDS, type LiveObject, NAMESPACE } from "../../src/core/model.ts";
import { schemas } from "../support/builders.ts";
import { createFakeCluster, type FakeCluster, type FakeClusterOptions } from "../support/fakes/cluster.ts";

export const TERMINALS = [
  ["plain", null],
  ["colour", { columns: 120, colour: true }],
  ["narrow", { columns: 60, colour: false }],
] as const;

/** A cluster with AMKO in it, and its AMKOCluster. */
export function clusterWithAmko(
  name: string,
  {
    isLeader = false,
    annotations = {},
  }: { readonly isLeader?: boolean; readonly annotations?: Record<string, string> } = {},
  options: Partial<FakeClusterOptions> = {},
): FakeCluster {
  const cluster = createFakeCluster({ name, schemas: schemas(), ...options });
  cluster.put({
    apiVersion: KINDS.AMKOCluster.apiVersion,
    kind: "AMKOCluster",
    metadata: { name: "amkocluster-federation", namespace: NAMESPACE, annotations },
    spec: { clusterContext: name, isLeader, version: "1.4.2", clusters: ["cluster1", "cluster2", "cluster3"] },
  });
  return cluster;
}

export function annotationsOf(cluster: FakeCluster): Readonly<Record<string, string>> {
  return cluster.only("AMKOCluster")?.metadata.annotations ?? {};
}

/** The agent's answer in the status. */
export function sayRevision(cluster: FakeCluster, status: string, reason: string): LiveObject {
  return cluster.edit("AMKOCluster", (object) => ({
    ...object,
    status: { conditions: [{ type: "Synced", status, reason }] },
  }));
}
