import type { ClusterName, FederationView } from "./model.ts";

/** What a cluster is by one revision. `undecided` is everybody while nobody, or more than one, leads. */
export type TopologyRole = "leader" | "claims to lead" | "follower" | "excluded" | "no member" | "undecided";

export interface TopologyEntry {
  readonly cluster: ClusterName;
  readonly role: TopologyRole;
  /** Why it is excluded; null when it is not. */
  readonly reason: string | null;
}

/** Every cluster that a revision knows, with its role, in order of names. */
export function topologyOf({ leadership, manifests, members }: FederationView): readonly TopologyEntry[] {
  const clusters = [...new Set([...manifests.keys(), ...members.keys()])].toSorted();
  return clusters.map((cluster) => {
    const member = members.get(cluster);
    const excluded = member?.problem ?? null;
    if (excluded !== null) return { cluster, role: "excluded", reason: excluded.message };
    return { cluster, role: roleOf(cluster), reason: null };
  });

  function roleOf(cluster: ClusterName): TopologyRole {
    if (leadership.kind === "leader") {
      if (leadership.cluster === cluster) return "leader";
      return members.has(cluster) ? "follower" : "no member";
    }
    return manifests.get(cluster)?.isLeader === true ? "claims to lead" : "undecided";
  }
}
