import type { ClusterName, CommitId, FederatedKind, FederationView, Leadership, Problem, Revision } from "./model.ts";
import { refsByCluster } from "./refs.ts";
import { type ClusterStanding, standingAt } from "./standing.ts";
import { type TopologyRole, topologyOf } from "./topology.ts";

/** What a cluster is: by the branch, and by who is in office. */
export type StatusRole = TopologyRole | "leader, taking office" | "former leader, not stepped down" | "no manifest";
export type KindProgress = "holds" | "behind" | "failed" | "unreported";

/** One acknowledged revision: what it is made of, and since when the branch has been ahead of it. */
export interface HeldRevision {
  readonly revision: Revision;
  /** Committer date of the oldest revision that it lacks; null where it lacks none. */
  readonly lacksSinceSeconds: number | null;
}

export interface StatusFacts {
  readonly head: Revision;
  readonly view: FederationView;
  readonly refs: ReadonlyMap<string, CommitId>;
  /** What the clusters acknowledged; null for what is not in the branch's past. */
  readonly held: ReadonlyMap<CommitId, HeldRevision | null>;
  /** Why a cluster cannot apply: its agent's word, untrusted text. */
  readonly failures: ReadonlyMap<ClusterName, string>;
}

/** One cluster. The shape is part of `status -o json`, with the date as text. */
export interface ClusterStatus {
  readonly cluster: ClusterName;
  readonly role: StatusRole;
  /** By its manifest; null where it has none that can be read. */
  readonly version: string | null;
  readonly applied: CommitId | null;
  readonly kinds: Readonly<Record<FederatedKind, KindProgress>>;
  readonly behindSinceSeconds: number | null;
  /** What is wrong, in sentences; untrusted text. */
  readonly errors: readonly string[];
  readonly well: boolean;
}

export interface FederationStatus {
  readonly leadership: Leadership;
  readonly clusters: readonly ClusterStatus[];
  /** Names of refs below the prefix that wait for people: proposals, then rescued content. */
  readonly proposals: readonly string[];
  readonly rescues: readonly string[];
  readonly problems: readonly Problem[];
  /** Somebody leads and is in office, and every cluster of the federation set holds what the branch says. */
  readonly well: boolean;
}

/** Where everybody stands, from git alone. */
export function federationStatus(facts: StatusFacts): FederationStatus {
  const { view, refs } = facts;
  const known = topologyOf(view).map(({ cluster, role, reason }) => ({ cluster, role, reason }));
  const names = new Set(known.map(({ cluster }) => cluster));
  const strangers = (["applied", "leading", "failed"] as const)
    .flatMap((purpose) => [...refsByCluster(refs, purpose).keys()])
    .filter((cluster) => !names.has(cluster));
  const others = [...new Set(strangers)].toSorted().map((cluster) => ({ cluster, role: null, reason: null }));
  const clusters = [...known, ...others].map((entry) => clusterStatus(entry, facts));
  const below = (prefix: string) => [...refs.keys()].filter((name) => name.startsWith(prefix)).toSorted();
  const errors = view.problems.some(({ severity }) => severity === "error");
  return {
    leadership: view.leadership,
    clusters,
    proposals: below("propose/"),
    rescues: below("rescue/"),
    problems: view.problems,
    well: view.leadership.kind === "leader" && !errors && clusters.every(({ well }) => well),
  };
}

interface Entry {
  readonly cluster: ClusterName;
  readonly role: TopologyRole | null;
  readonly reason: string | null;
}

function clusterStatus({ cluster, role: topology, reason }: Entry, facts: StatusFacts): ClusterStatus {
  const { view, refs } = facts;
  const role = roleOf(cluster, topology, facts);
  const applied = refsByCluster(refs, "applied").get(cluster) ?? null;
  const failure = facts.failures.get(cluster) ?? null;
  const held = applied === null ? null : (facts.held.get(applied) ?? null);
  const standing = standingAt(facts.head, { applied, held: held?.revision ?? null, failure });
  const kinds = {
    GSLBConfig: progressOf(standing, "GSLBConfig"),
    GlobalDeploymentPolicy: progressOf(standing, "GlobalDeploymentPolicy"),
  };
  const holds = standing.kind === "holds";
  const lost = applied !== null && held === null ? ["it acknowledged a revision that is not in the branch's past"] : [];
  const errors = [...(reason === null ? [] : [reason]), ...(failure === null ? [] : [failure]), ...lost];
  const expected = role !== "no member" && role !== "no manifest";
  const isOdd = role === "leader, taking office" || role === "former leader, not stepped down";
  return {
    cluster,
    role,
    version: view.manifests.get(cluster)?.version ?? null,
    applied,
    kinds,
    behindSinceSeconds: holds ? null : (held?.lacksSinceSeconds ?? null),
    errors,
    well: !isOdd && (!expected || (holds && errors.length === 0)),
  };
}

function roleOf(cluster: ClusterName, role: TopologyRole | null, { view, refs }: StatusFacts): StatusRole {
  const inOffice = refsByCluster(refs, "leading").has(cluster);
  if (role === "leader") return inOffice ? "leader" : "leader, taking office";
  if (inOffice && view.leadership.kind === "leader") return "former leader, not stepped down";
  return role === null || (role === "excluded" && !view.manifests.has(cluster)) ? "no manifest" : role;
}

function progressOf(standing: ClusterStanding, kind: FederatedKind): KindProgress {
  switch (standing.kind) {
    case "failing":
      return "failed";
    case "behind":
      return standing.lacks.includes(kind) ? "behind" : "holds";
    case "holds":
    case "unreported":
      return standing.kind;
    default:
      return standing satisfies never;
  }
}

/** The date of the oldest of the revisions (newest first) that changed the folder; `held` is what they came after. */
export function lacksSince(revisions: readonly Revision[], held: Revision): number | null {
  const trees = new Map([held, ...revisions].map(({ commit, tree }) => [commit, tree]));
  const changed = revisions.findLast(({ tree, parents: [parent] }) => {
    const before = parent === undefined ? held.tree : trees.get(parent);
    return tree !== (before === undefined ? held.tree : before);
  });
  return changed?.committedAtSeconds ?? null;
}
