import { joinClusters } from "../core/first-clusters.ts";
import type { FirstCluster, FirstFederation } from "../core/first-commit.ts";
import { type ClusterName, FEDERATED_KINDS, type Problem, type Snapshot } from "../core/model.ts";
import { parseClusterName } from "../core/names.ts";
import { snapshotOf } from "../core/snapshot.ts";
import { FederationError } from "../errors.ts";
import type { Cluster } from "../ports.ts";
import { readAmkoCluster } from "./amko-cluster.ts";
import { type Given, wrongFlag } from "./given.ts";
import type { House } from "./house.ts";
import { connectionOf } from "./this-cluster.ts";

export interface ReadFederation {
  readonly federation: Omit<FirstFederation, "template">;
  readonly warnings: readonly string[];
  readonly refusals: readonly Problem[];
}

/** What a new federation consists of: by the flags, or by live clusters. @throws FederationError AG4002 */
export async function readFirstFederation(given: Given, house: House, signal: AbortSignal): Promise<ReadFederation> {
  const contexts = given.texts("from-contexts");
  if (contexts.length > 0) return await fromContexts(contexts, given, house, signal);
  return fromFlags([...given.texts("cluster"), ...given.texts("clusters")], given);
}

function fromFlags(names: readonly string[], given: Given): ReadFederation {
  if (names.length === 0) {
    throw wrongFlag("cluster", null, "missing", "Name each cluster with --cluster, or read them with --from-contexts.");
  }
  const version = given.required("amko-version", "Give the version of AMKO in all the clusters: 1.4.2.");
  const clusters = distinct(names).map((name): FirstCluster => {
    const parsed = parseClusterName(name);
    if (parsed === null)
      throw wrongFlag("cluster", name, "no usable context name", "Give the name as clusterContext has it.");
    return { name: parsed, version, objectName: "amkocluster-federation" };
  });
  const leader = leaderOf(
    given,
    clusters.map(({ name }) => name),
  );
  return { federation: { clusters, leader, snapshots: [] }, warnings: [], refusals: [] };
}

function leaderOf(given: Given, names: readonly ClusterName[]): ClusterName {
  const leader = given.cluster("leader");
  const remedy = `Use one of ${names.join(", ")}.`;
  if (leader === null) throw wrongFlag("leader", null, "missing", remedy);
  if (!names.includes(leader)) throw wrongFlag("leader", leader, "none of the clusters", remedy);
  return leader;
}

async function fromContexts(
  contexts: readonly string[],
  given: Given,
  house: House,
  signal: AbortSignal,
): Promise<ReadFederation> {
  const opened = await Promise.all(
    distinct(contexts).map(async (context) => {
      const cluster = await house.openCluster({ ...connectionOf(given), context });
      return { context, cluster, amkoCluster: await readAmkoCluster(cluster, signal).catch(named(context)) };
    }),
  );
  const { clusters, leader, warnings, refusals } = joinClusters(opened, given.cluster("leader"));
  if (leader === null) {
    throw wrongFlag("leader", null, "missing, and no AMKOCluster says that it leads", "Name the cluster that leads.");
  }
  const home = opened.find(({ context }) => context === leader);
  const snapshots = home === undefined ? [] : await readSnapshots(home.cluster, leader, signal);
  const missing = FEDERATED_KINDS.filter((kind) => !snapshots.some((snapshot) => snapshot.kind === kind));
  const without = missing.map((kind) => `${leader} has no ${kind}: its agent commits it when there is one.`);
  return {
    federation: { clusters, leader, snapshots },
    warnings: [...warnings, ...(refusals.length === 0 ? without : [])],
    refusals,
  };
}

async function readSnapshots(cluster: Cluster, leader: ClusterName, signal: AbortSignal): Promise<readonly Snapshot[]> {
  const found = FEDERATED_KINDS.map(async (kind): Promise<readonly Snapshot[]> => {
    const [object, second] = await cluster.list(kind, signal).catch(named(leader));
    if (second !== undefined) throw new FederationError("AG3013", `there is more than one ${kind} in ${leader}`);
    return object === undefined ? [] : [snapshotOf(kind, object)];
  });
  return (await Promise.all(found)).flat();
}

/** Of several clusters, people have to know which one did not answer. */
function named(context: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof FederationError)) throw error;
    throw new FederationError(error.code, `cluster ${context}: ${error.message}`, {
      cause: error,
      remedy: error.remedy,
    });
  };
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
