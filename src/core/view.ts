import { problem } from "./catalogue.ts";
import { judgeKind } from "./kind-state.ts";
import { type ReadableManifest, type ReadManifest, readManifest } from "./manifest.ts";
import type { ClusterName, FederationView, Leadership, Member, Problem, RevisionFile } from "./model.ts";
import { parseClusterName } from "./names.ts";
import type { Schemas } from "./resource-definition.ts";
import { type ReadSnapshot, readSnapshot } from "./snapshot.ts";

/** What was read of files before, by their content. One cache serves one set of schemas. */
export interface ViewCache {
  readonly manifests: Map<string, ReadManifest>;
  readonly snapshots: Map<string, ReadSnapshot>;
}

export function createViewCache(): ViewCache {
  return { manifests: new Map(), snapshots: new Map() };
}

/** Above the largest federation that is foreseen, so that one revision's manifests stay while the next is read. */
const CACHED_MANIFESTS_MAX = 4096;
export const CACHED_SNAPSHOTS_MAX = 16;

/**
 * What one revision says. A pure function of its files: every agent, the command line and the pull-request check reach
 * the same verdict from the same commit. Total: it never throws, whatever the bytes are. With a `cache` only files
 * that changed are parsed again; it changes how long this takes and nothing else.
 */
export function evaluate(files: readonly RevisionFile[], schemas: Schemas, cache?: ViewCache): FederationView {
  const ordered = [...files].sort((a, b) => compareText(a.path, b.path));
  const manifests = gatherManifests(ordered, (file) =>
    remember(cache?.manifests, CACHED_MANIFESTS_MAX, file, () => readManifest(file, schemas)),
  );
  const { leadership, problems: leading } = judgeLeadership(manifests);
  const federation = judgeMembers(leadership, manifests);
  const read = (file: RevisionFile) =>
    remember(cache?.snapshots, CACHED_SNAPSHOTS_MAX, file, () => readSnapshot(file, schemas));
  const gslbConfig = judgeKind("GSLBConfig", ordered, read);
  const policy = judgeKind("GlobalDeploymentPolicy", ordered, read);
  const problems = [manifests, federation, gslbConfig, policy].flatMap((part) => part.problems);
  return {
    leadership,
    manifests: new Map([...manifests.byCluster].map(([cluster, { manifest }]) => [cluster, manifest])),
    members: federation.members,
    kinds: { GSLBConfig: gslbConfig.state, GlobalDeploymentPolicy: policy.state },
    problems: [...leading, ...problems].sort(comparePlaces),
  };
}

function remember<T>(memory: Map<string, T> | undefined, max: number, file: RevisionFile, read: () => T): T {
  if (memory === undefined) return read();
  const key = `${file.id} ${file.type} ${file.path}`;
  const known = memory.get(key);
  const value = known ?? read();
  // Taken out and put in again, so that what has not been asked for the longest stands first.
  memory.delete(key);
  memory.set(key, value);
  for (const oldest of memory.keys()) {
    if (memory.size <= max) break;
    memory.delete(oldest);
  }
  return value;
}

// Manifests

interface Manifests {
  /** Where a cluster has two, the first by path, invalid, and a claim if any of them claims. */
  readonly byCluster: ReadonlyMap<ClusterName, ReadableManifest>;
  readonly unreadable: readonly Problem[];
  readonly problems: readonly Problem[];
}

interface Candidate {
  readonly folder: string;
  readonly path: string;
  readonly reading: Exclude<ReadManifest, { readonly kind: "ignored" }>;
}

function gatherManifests(files: readonly RevisionFile[], read: (file: RevisionFile) => ReadManifest): Manifests {
  const candidates: Candidate[] = [];
  for (const file of files) {
    const [root, folder = ""] = file.path.split("/");
    const reading: ReadManifest = root === "clusters" ? read(file) : { kind: "ignored" };
    if (reading.kind !== "ignored") candidates.push({ folder, path: file.path, reading });
  }
  const unreadable: Problem[] = [];
  const byCluster = new Map<ClusterName, ReadableManifest>();
  const problems: Problem[] = [];
  const lookalikes = findLookalikes(candidates);
  for (const { folder, path, reading } of candidates) {
    const lookalike = lookalikes.get(folder);
    if (lookalike !== undefined) {
      unreadable.push(problem("AG1017", `clusters/${folder} and clusters/${lookalike} differ only in case`, { path }));
    } else if (reading.kind === "unreadable") {
      unreadable.push(reading.problem);
    } else {
      const { cluster } = reading.manifest;
      const joined = joinManifests(byCluster.get(cluster), reading);
      byCluster.set(cluster, joined.reading);
      problems.push(...reading.problems, ...joined.problems);
    }
  }
  return { byCluster, unreadable, problems: [...unreadable, ...problems] };
}

/** Folders equal but for case, each with one that it is mixed up with: some file systems and hosts keep only one. */
function findLookalikes(candidates: readonly Candidate[]): ReadonlyMap<string, string> {
  const firstByFold = new Map<string, string>();
  const lookalikes = new Map<string, string>();
  for (const { folder } of candidates) {
    const fold = folder.toLowerCase();
    const first = firstByFold.get(fold) ?? folder;
    firstByFold.set(fold, first);
    if (first === folder) continue;
    lookalikes.set(folder, first);
    lookalikes.set(first, folder);
  }
  return lookalikes;
}

/** Two manifests of one cluster are one invalid manifest that claims if either does. */
function joinManifests(
  first: ReadableManifest | undefined,
  next: ReadableManifest,
): { readonly reading: ReadableManifest; readonly problems: readonly Problem[] } {
  if (first === undefined) return { reading: next, problems: [] };
  const { cluster, path } = first.manifest;
  const message = `two manifests for cluster ${cluster}: ${path} and ${next.manifest.path}`;
  const found = problem("AG1018", message, { path: next.manifest.path });
  const isLeader = first.manifest.isLeader || next.manifest.isLeader;
  return { reading: { ...first, manifest: { ...first.manifest, isLeader, problem: found } }, problems: [found] };
}

// Who leads

interface JudgedLeadership {
  readonly leadership: Leadership;
  readonly problems: readonly Problem[];
}

function judgeLeadership({ byCluster, unreadable }: Manifests): JudgedLeadership {
  const claims = [...byCluster.values()].filter(({ manifest }) => manifest.isLeader);
  const [claim] = claims;
  // Two claims are a conflict, whatever the manifests say that cannot be read.
  if (claims.length > 1) return conflict(claims);
  if (unreadable[0] !== undefined) {
    const found = unknownProblem(unreadable[0], unreadable.length);
    return { leadership: { kind: "unknown", problem: found }, problems: [found] };
  }
  if (claim === undefined) {
    const message = byCluster.size === 0 ? "there is no manifest in clusters/" : "no manifest sets isLeader: true";
    const found = problem("AG5001", message, { path: "clusters" });
    return { leadership: { kind: "leaderless", problem: found }, problems: [found] };
  }
  const { cluster, problem: fault } = claim.manifest;
  if (fault === null) return { leadership: { kind: "leader", cluster }, problems: [] };
  const found = problem("AG5004", `invalid AMKOCluster object: ${fault.message}`, fault);
  return { leadership: { kind: "invalid", cluster, problem: found }, problems: [found] };
}

/** Told at every claim, so that whoever opens one of the files learns of the others. */
function conflict(claims: readonly ReadableManifest[]): JudgedLeadership {
  const clusters = claims.map(({ manifest }) => manifest.cluster);
  const problems = claims.map(({ manifest, lines }) =>
    problem("AG5002", conflictMessage(manifest.cluster, clusters), { path: manifest.path, line: lines.isLeader }),
  );
  const [found = problem("AG5002", "conflicting state")] = problems;
  return { leadership: { kind: "conflict", clusters, problem: found }, problems };
}

const RIVALS_NAMED_MAX = 4;

/** AMKO's own words, with the cluster that they are told to. */
function conflictMessage(self: ClusterName, clusters: readonly ClusterName[]): string {
  const rivals = clusters.filter((cluster) => cluster !== self);
  const named = rivals.slice(0, RIVALS_NAMED_MAX);
  const rest = rivals.length === named.length ? "" : ` (and ${rivals.length - named.length} more)`;
  const words = named.map((rival) => `AMKO in cluster ${rival} is also a leader, conflicting state`).join("; ");
  return `${words} with cluster ${self}${rest}`;
}

function unknownProblem({ path, line, message }: Problem, count: number): Problem {
  const rest = count === 1 ? "" : ` (and ${count - 1} more)`;
  return problem("AG5003", `a manifest cannot be read and may claim leadership: ${message}${rest}`, { path, line });
}

// Who is a member

interface JudgedFederation {
  readonly members: ReadonlyMap<ClusterName, Member>;
  readonly problems: readonly Problem[];
}

function judgeMembers(leadership: Leadership, { byCluster }: Manifests): JudgedFederation {
  const leader = leadership.kind === "leader" ? byCluster.get(leadership.cluster) : undefined;
  if (leader === undefined) return { members: new Map(), problems: [] };
  const members = new Map<ClusterName, Member>();
  for (const text of leader.manifest.clusters) {
    // An entry that is no name is told where the manifest was read.
    const cluster = parseClusterName(text);
    if (cluster === null || cluster === leader.manifest.cluster) continue;
    members.set(cluster, { cluster, problem: exclusion(cluster, byCluster.get(cluster), leader) });
  }
  const excluded = [...members.values()].flatMap(({ problem: found }) => (found === null ? [] : [found]));
  const others = [...byCluster.values()].filter(({ manifest }) => manifest.cluster !== leader.manifest.cluster);
  return { members, problems: [...excluded, ...others.flatMap((other) => remarks(other, leader, members))] };
}

/** Why a cluster of the federation set is left out; null when it is not. */
function exclusion(
  cluster: ClusterName,
  reading: ReadableManifest | undefined,
  { manifest: leader, lines }: ReadableManifest,
): Problem | null {
  if (reading === undefined) {
    const message = `AMKO in cluster ${cluster} has no AMKOCluster manifest`;
    return problem("AG5006", message, { path: leader.path, line: lines.clusters });
  }
  const { manifest } = reading;
  if (manifest.problem !== null) {
    const message = `invalid AMKOCluster object of cluster ${cluster}: ${manifest.problem.message}`;
    return problem("AG5010", message, manifest.problem);
  }
  if (manifest.version === leader.version) return null;
  const message = `version mismatch, current AMKO: ${leader.version}, AMKO in cluster ${cluster}: ${manifest.version}`;
  return problem("AG5007", message, { path: manifest.path, line: reading.lines.version });
}

/**
 * A list may name its own cluster or not, in any order: AMKO ignores that. What is told is a list that would make
 * another federation the day its cluster leads.
 */
function remarks(
  { manifest, lines, federationSet }: ReadableManifest,
  leader: ReadableManifest,
  members: ReadonlyMap<ClusterName, Member>,
): readonly Problem[] {
  const { cluster, path } = manifest;
  if (!members.has(cluster)) {
    const message = `cluster ${cluster} is not in spec.clusters of the leader ${leader.manifest.cluster}: it applies nothing`;
    return [problem("AG5005", message, { path, line: null, severity: "warning" })];
  }
  if (manifest.problem !== null || federationSet === leader.federationSet) return [];
  const message = `spec.clusters differs from that of the leader ${leader.manifest.cluster}`;
  return [problem("AG1021", message, { path, line: lines.clusters, severity: "warning" })];
}

// Order

/** What is about no file comes first, what is about a whole file before its lines. */
function comparePlaces(a: Problem, b: Problem): number {
  return compareText(a.path ?? "", b.path ?? "") || (a.line ?? 0) - (b.line ?? 0) || compareText(a.code, b.code);
}

/** By UTF-16 code units, so that the order is the same in every locale. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
