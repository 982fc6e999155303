import { problem } from "./catalogue.ts";
import { isObject } from "./json.ts";
import type { ClusterName, FederationView, LiveObject, Manifest, Member, Problem } from "./model.ts";

/** What an agent knows when it takes its role. */
export interface RoleFacts {
  readonly self: ClusterName;
  readonly view: FederationView;
  /** The AMKOCluster here; there is exactly one, or the agent is not asked. */
  readonly amkoCluster: LiveObject;
  /** Why this is not the cluster that the repository knows under this name; null when it is. */
  readonly identity: Problem | null;
}

/** What the revision makes of this cluster. `hold` exports nothing and applies nothing. */
export type Role =
  | { readonly kind: "lead"; readonly manifest: Manifest; readonly members: readonly Member[] }
  | { readonly kind: "follow"; readonly manifest: Manifest; readonly leader: ClusterName }
  | { readonly kind: "hold"; readonly problem: Problem };

/** What the revision says of this cluster's office, whether or not it may export or apply. */
export type Designation = "leader" | "follower" | "undecided";

/** Takes the role that the revision gives this cluster. Total: it never throws. */
export function takeRole({ self, view, amkoCluster, identity }: RoleFacts): Role {
  if (identity !== null) return hold(identity);
  const { leadership } = view;
  if (leadership.kind !== "leader") return hold(leadership.problem);
  const manifest = view.manifests.get(self);
  const reason = whyNot(self, leadership.cluster, view, manifest) ?? versionMismatch(manifest, amkoCluster);
  if (reason !== null) return hold(reason);
  if (manifest === undefined) return hold(notAMember(self, leadership.cluster));
  return leadership.cluster === self
    ? { kind: "lead", manifest, members: [...view.members.values()] }
    : { kind: "follow", manifest, leader: leadership.cluster };
}

/**
 * Says whether this cluster is the leader, must not be, or whether nobody can tell. With exactly one claim every other
 * cluster is a follower, also one without a manifest; with none, a cluster whose own manifest says so is. An agent
 * that is not sure to be this cluster may step down, never up.
 */
export function designate({ self, view, identity }: Omit<RoleFacts, "amkoCluster">): Designation {
  const { leadership } = view;
  switch (leadership.kind) {
    case "leader":
    case "invalid":
      if (leadership.cluster !== self) return "follower";
      return leadership.kind === "leader" && identity === null ? "leader" : "undecided";
    case "leaderless":
      return identity === null && view.manifests.get(self)?.isLeader === false ? "follower" : "undecided";
    case "conflict":
    case "unknown":
      return "undecided";
    default:
      return leadership satisfies never;
  }
}

/** `spec.version` of the local object belongs to whoever installs AMKO; where it differs the cluster holds. */
export function versionMismatch(manifest: Manifest | undefined, amkoCluster: LiveObject): Problem | null {
  const local = isObject(amkoCluster.spec) ? amkoCluster.spec["version"] : undefined;
  if (manifest === undefined || local === manifest.version) return null;
  const found = typeof local === "string" && local !== "" ? local : "(none)";
  return problem(
    "AG5007",
    `version mismatch, current AMKO: ${found}, AMKO in cluster ${manifest.cluster}: ${manifest.version} (by its manifest)`,
    { path: manifest.path },
  );
}

function whyNot(
  self: ClusterName,
  leader: ClusterName,
  view: FederationView,
  manifest: Manifest | undefined,
): Problem | null {
  if (self === leader) return manifest?.problem ?? null;
  const member = view.members.get(self);
  if (member === undefined) return manifest?.problem ?? notAMember(self, leader);
  return member.problem;
}

function notAMember(self: ClusterName, leader: ClusterName): Problem {
  return problem("AG5005", `cluster ${self} is not in spec.clusters of the leader ${leader}`);
}

function hold(reason: Problem): Role {
  return { kind: "hold", problem: reason };
}
