import type { ClusterName, CommitId } from "./model.ts";
import { decodeClusterName, encodeClusterName } from "./names.ts";
import type { ProposalTopic } from "./records.ts";

/** The refs below the prefix that name a cluster and nothing else. */
export type ClusterRef = "applied" | "leading" | "failed" | "identity";

/** `applied/cluster1`: the ref's name below the prefix. */
export function clusterRef(purpose: ClusterRef, cluster: ClusterName): string {
  return `${purpose}/${encodeClusterName(cluster)}`;
}

/** `rescue/cluster1/3f2a…`: content that was about to be overwritten, by the digest of its canonical bytes. */
export function rescueRef(cluster: ClusterName, digest: string): string {
  return `rescue/${encodeClusterName(cluster)}/${digest}`;
}

/** The rescue refs of one cluster, by name. */
export function rescueRefs(refs: ReadonlyMap<string, CommitId>, cluster: ClusterName): ReadonlyMap<string, CommitId> {
  const prefix = rescueRef(cluster, "");
  return new Map([...refs].filter(([name]) => name.startsWith(prefix)));
}

/** `propose/cluster1/leader`: a change to review and merge. */
export function proposalRef(cluster: ClusterName, topic: ProposalTopic): string {
  return `propose/${encodeClusterName(cluster)}/${topic}`;
}

/** The names of the refs under `propose/`, below the prefix, whoever's they are. */
export function proposalRefs(refs: ReadonlyMap<string, CommitId>): ReadonlySet<string> {
  return new Set([...refs.keys()].filter((name) => name.startsWith("propose/")));
}

/** Where each cluster's ref of one purpose stands. Names that decode to no cluster are somebody else's. */
export function refsByCluster(
  refs: ReadonlyMap<string, CommitId>,
  purpose: ClusterRef,
): ReadonlyMap<ClusterName, CommitId> {
  const result = new Map<ClusterName, CommitId>();
  for (const [name, commit] of refs) {
    const [first, segment, ...rest] = name.split("/");
    const cluster = first === purpose && segment !== undefined && rest.length === 0 ? decodeClusterName(segment) : null;
    if (cluster !== null) result.set(cluster, commit);
  }
  return result;
}
