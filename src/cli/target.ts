import type { ClusterName } from "../core/model.ts";
import { type Given, wrongFlag } from "./given.ts";

/** The cluster that a flag must name. @throws FederationError AG4002 */
export function requiredCluster(given: Given, flag: string): ClusterName {
  const cluster = given.cluster(flag);
  if (cluster === null) throw wrongFlag(flag, null, "missing", "Name the cluster as clusterContext has it.");
  return cluster;
}
