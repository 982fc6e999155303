import { problem } from "./catalogue.ts";
import type { FirstCluster } from "./first-commit.ts";
import { isObject } from "./json.ts";
import type { ClusterName, LiveObject, Problem } from "./model.ts";
import { parseClusterName } from "./names.ts";

/** One live cluster, by the context that it was reached through. */
export interface ClusterReading {
  readonly context: string;
  readonly amkoCluster: LiveObject;
}

export interface FirstClusters {
  readonly clusters: readonly FirstCluster[];
  /** Null where nobody says that it leads. */
  readonly leader: ClusterName | null;
  readonly warnings: readonly string[];
  readonly refusals: readonly Problem[];
}

/** What live clusters make of a new federation. `wanted` is the leader that a person named; null asks the clusters. */
export function joinClusters(readings: readonly ClusterReading[], wanted: ClusterName | null): FirstClusters {
  const found = readings.map(({ context, amkoCluster }) => readCluster(context, amkoCluster));
  const clusters = found.flatMap(({ cluster }) => (cluster === null ? [] : [cluster]));
  const refusals = found.flatMap(({ refusal }) => (refusal === null ? [] : [refusal]));
  const leading = found.flatMap(({ cluster, leads }) => (cluster !== null && leads ? [cluster.name] : []));
  if (leading.length > 1) {
    const words = `AMKO in the clusters ${leading.join(" and ")} says leader`;
    refusals.push({ ...problem("AG5002", words), remedy: "Set isLeader: false in all but one of them first." });
  }
  const [present = null] = leading;
  const leader = wanted ?? present;
  if (leader !== null && !clusters.some(({ name }) => name === leader) && refusals.length === 0) {
    refusals.push(problem("AG5005", `the leader ${leader} is none of the clusters`));
  }
  const moves =
    present === null || present === leader
      ? []
      : [`AMKO in ${present} says leader today: the agents will move the leadership to ${leader}.`];
  return { clusters, leader, refusals, warnings: [...moves, ...differingVersions(clusters, leader)] };
}

function differingVersions(clusters: readonly FirstCluster[], leader: ClusterName | null): readonly string[] {
  const version = clusters.find(({ name }) => name === leader)?.version;
  return clusters
    .filter((cluster) => version !== undefined && cluster.version !== version)
    .map(
      (cluster) =>
        `AMKO in ${cluster.name} runs ${cluster.version}, the leader's ${version}: it is left out until they agree.`,
    );
}

interface ReadCluster {
  readonly cluster: FirstCluster | null;
  readonly leads: boolean;
  readonly refusal: Problem | null;
}

function readCluster(context: string, { metadata, spec }: LiveObject): ReadCluster {
  const fields = isObject(spec) ? spec : {};
  const text = (field: string): string => (typeof fields[field] === "string" ? fields[field] : "");
  const leads = fields["isLeader"] === true;
  const name = parseClusterName(context);
  const refuse = (refusal: Problem): ReadCluster => ({ cluster: null, leads, refusal });
  if (name === null || text("clusterContext") !== context) {
    return refuse(problem("AG5031", `the context ${context} leads to the cluster "${text("clusterContext")}"`));
  }
  if (text("version").trim() === "")
    return refuse(problem("AG1019", `spec.version of the AMKOCluster in ${context} is empty`));
  return { cluster: { name, version: text("version"), objectName: metadata.name }, leads, refusal: null };
}
