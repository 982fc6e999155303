import { diffLive, type LiveFacts } from "../core/live-diff.ts";
import { type ClusterName, FEDERATED_KINDS, type FederatedKind, type LiveObject } from "../core/model.ts";
import { parseClusterName } from "../core/names.ts";
import { evaluate } from "../core/view.ts";
import { FederationError } from "../errors.ts";
import type { Cluster } from "../ports.ts";
import { contextNameOf, readAmkoCluster } from "./amko-cluster.ts";
import { type ComparedSource, type Comparison, readNamed, sideOf } from "./comparison.ts";
import { readUsable, type Usable } from "./usable.ts";

/** What a cluster holds, read at one time. */
export interface LiveState {
  readonly cluster: ClusterName;
  readonly amkoCluster: LiveObject;
  readonly live: LiveFacts["live"];
}

/** @throws FederationError AG3011 for no AMKOCluster, AG3012 for several, AG1019 for one without a name */
export async function readLiveState(connection: Cluster, signal: AbortSignal): Promise<LiveState> {
  const [amkoCluster, GSLBConfig, GlobalDeploymentPolicy] = await Promise.all([
    readAmkoCluster(connection, signal),
    connection.list("GSLBConfig", signal),
    connection.list("GlobalDeploymentPolicy", signal),
  ]);
  const text = contextNameOf(amkoCluster);
  const cluster = parseClusterName(text);
  if (cluster === null)
    throw new FederationError("AG1019", `spec.clusterContext of the AMKOCluster there is "${text}"`);
  return { cluster, amkoCluster, live: { GSLBConfig, GlobalDeploymentPolicy } };
}

/** Compares a revision, the head unless another one is named, with what a cluster holds. */
export async function compareLive(source: ComparedSource, { cluster, ...live }: LiveState): Promise<Comparison> {
  const from = await readNamed(source, source.given.argument(0));
  const { manifests, kinds } = evaluate(from.revision.files, source.schemas);
  const found = await Promise.all(
    FEDERATED_KINDS.map(async (kind) => [kind, await readUsable(source, from.revision, kind, kinds[kind])] as const),
  );
  const usable = Object.fromEntries(found) as Readonly<Record<FederatedKind, Usable>>;
  const git = { GSLBConfig: usable.GSLBConfig.state, GlobalDeploymentPolicy: usable.GlobalDeploymentPolicy.state };
  const diff = diffLive({ cluster, manifest: manifests.get(cluster) ?? null, git, schemas: source.schemas, ...live });
  const notes = found.flatMap(([kind, { since }]) =>
    since === null
      ? []
      : [`${kind}: ${from.title} has none that can be used, so the newest one before it counts, of ${since}.`],
  );
  return {
    from: sideOf(from),
    to: { kind: "cluster", cluster, title: `cluster ${cluster}` },
    diff: { ...diff, notes },
  };
}
