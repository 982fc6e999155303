import { diffLive, type LiveFacts } from "../core/live-diff.ts";
import {
  type ClusterName,
  FEDERATED_KINDS,
  type FederatedKind,
  KINDS,
  type KindState,
  type LiveObject,
  type Revision,
} from "../core/model.ts";
import { parseClusterName } from "../core/names.ts";
import { evaluate } from "../core/view.ts";
import { FederationError } from "../errors.ts";
import type { Cluster } from "../ports.ts";
import { contextNameOf, readAmkoCluster } from "./amko-cluster.ts";
import { type ComparedSource, type Comparison, readNamed, sideOf } from "./comparison.ts";

/** How far back the newest usable content of a kind is looked for: as far as an agent looks. */
const SEARCH_MAX_REVISIONS = 500;

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

interface Usable {
  readonly state: KindState;
  /** Where it was found, by its first digits; null where it is the revision's own. */
  readonly since: string | null;
}

/** A missing or unusable file deletes nothing: clusters hold the newest content before it that can be used. */
async function readUsable(
  { repository, schemas, signal }: ComparedSource,
  { commit }: Revision,
  kind: FederatedKind,
  own: KindState,
): Promise<Usable> {
  if (saysSomething(own)) return { state: own, since: null };
  const folder = `${KINDS[kind].folder}/`;
  for await (const revision of repository.history({ from: commit, until: null }, SEARCH_MAX_REVISIONS, signal)) {
    const files = revision.files.filter(({ path }) => path.startsWith(folder));
    const state = evaluate(files, schemas).kinds[kind];
    if (saysSomething(state)) return { state, since: revision.commit.slice(0, 8) };
  }
  return { state: own, since: null };
}

function saysSomething({ kind }: KindState): boolean {
  return kind === "present" || kind === "deleted";
}
