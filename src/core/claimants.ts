import type { ClusterName, Leadership } from "./model.ts";

/** Who claims to lead: none, one, or several in conflict. Null where a manifest cannot be read. */
export function claimantsOf(leadership: Leadership): readonly ClusterName[] | null {
  switch (leadership.kind) {
    case "leader":
    case "invalid":
      return [leadership.cluster];
    case "conflict":
      return leadership.clusters;
    case "leaderless":
      return [];
    case "unknown":
      return null;
    default:
      return leadership satisfies never;
  }
}
