import { type ErrorCode, problem } from "../core/catalogue.ts";
import { isObject, member } from "../core/json.ts";
import { type AmkoKind, type CommitId, FEDERATED_KINDS, type LiveObject, type Problem } from "../core/model.ts";
import { parseClusterName } from "../core/names.ts";
import { parseRecords, proposalsUnder } from "../core/records.ts";
import { refsByCluster } from "../core/refs.ts";
import type { Wake } from "../core/telemetry.ts";
import { evaluate } from "../core/view.ts";
import { asFederationError, FederationError, hasCode } from "../errors.ts";
import type { NamespaceState, ObjectList } from "../ports.ts";
import type { Branch, Context, Local, Memory } from "./context.ts";

/**
 * Reads the tracked branch: one ref listing, and the head's files where they are not known yet.
 * @throws FederationError when the remote cannot be read, AG2005 while the branch has no commit.
 */
export async function readBranch(
  { repository, schemas, viewCache, settings, clock, signal }: Context,
  memory: Memory,
  wake: ReadonlySet<Wake>,
): Promise<Branch> {
  const scope = needsEveryRef(memory, wake, clock.elapsedMs()) ? "all" : "branch";
  const listing = await repository.list(scope, signal);
  if (listing.head === null) {
    throw new FederationError("AG2005", `${repository.url} has no commit on branch ${settings.branch}`);
  }
  const known = memory.branch;
  if (known !== null && known.revision.commit === listing.head) return { ...known, listing, head: listing.head };
  const revision = await repository.read(listing.head, signal);
  return { listing, head: listing.head, revision, view: evaluate(revision.files, schemas, viewCache) };
}

/** A settled leader tells of a follower that fails later, or is behind again, after so long. */
const LEADER_LOOKS_EVERY_MS = 60_000;

/** Who is settled needs to know only whether the branch moved; everybody else looks at the other clusters' refs. */
function needsEveryRef(memory: Memory, wake: ReadonlySet<Wake>, nowMs: number): boolean {
  const polled = [...wake].every((reason) => reason === "poll" || reason === "hook");
  const { self, refs, refsAtMs, settled, behind, claim } = memory;
  if (!polled || refs === null || settled === null || behind.size > 0 || claim !== null) return true;
  const leads = self !== null && refsByCluster(refs, "leading").has(self);
  if (leads && nowMs - (refsAtMs ?? 0) >= LEADER_LOOKS_EVERY_MS) return true;
  // Held, it may wait for what people do to a proposal. While two clusters are in office they want to know when it is
  // over.
  return settled.state === "held" || refsByCluster(refs, "leading").size > 1;
}

/** The cluster as it stands, or why the agent has no business in it. */
export type Reading =
  | { readonly kind: "here"; readonly local: Local }
  | ({ readonly kind: "not-here"; readonly problem: Problem; readonly namespace: NamespaceState | null } & Amko);

/** What stands there all the same. */
interface Amko {
  /** An AMKO runs here, and has one AMKOCluster too many, or one without a name. */
  readonly isThere: boolean;
  readonly localLeader: boolean;
}

/**
 * Reads everything of the cluster at the same time: the three kinds, the namespace, the ConfigMap, AMKO's StatefulSet.
 * What could not be read is never taken for missing: where it is one of the federated kinds, `unread` says why, and
 * only the office may still be given up.
 */
export async function readLocal({ cluster, settings, signal }: Context): Promise<Reading> {
  const [amkoClusters, gslbConfigs, policies, namespace, configMap, workload] = await Promise.all([
    cluster.list("AMKOCluster", signal),
    cluster.list("GSLBConfig", signal).catch(asFederationError),
    cluster.list("GlobalDeploymentPolicy", signal).catch(asFederationError),
    cluster.readNamespace(signal),
    cluster.readConfigMap(signal),
    cluster.readWorkload(signal).catch(asFederationError),
  ]);
  if (namespace === null || namespace.terminating)
    return notHere(namespace, "AG3015", "namespace avi-system is missing or being deleted");
  const [amkoCluster, second] = amkoClusters;
  if (amkoCluster === undefined)
    return notHere(namespace, "AG3011", "there is no AMKOCluster in avi-system: AMKO is not installed here");
  if (second !== undefined)
    return notHere(namespace, "AG3012", `there are ${amkoClusters.length} AMKOClusters in avi-system`, amkoClusters);
  const self = settings.cluster ?? parseClusterName(contextOf(amkoCluster));
  if (self === null) {
    return notHere(
      namespace,
      "AG4002",
      `AMKOCluster ${amkoCluster.metadata.name} names no clusterContext, and --cluster is not given`,
      amkoClusters,
    );
  }
  if (signal.aborted) throw asFederationError(signal.reason);
  const records = parseRecords(configMap?.data ?? {});
  const lists = { GSLBConfig: gslbConfigs, GlobalDeploymentPolicy: policies };
  const unread = Object.values(lists).find((list): list is FederationError => list instanceof FederationError) ?? null;
  return {
    kind: "here",
    local: {
      self,
      amkoCluster,
      objects: { GSLBConfig: listed(gslbConfigs), GlobalDeploymentPolicy: listed(policies) },
      unread,
      undefinedKinds: FEDERATED_KINDS.filter((kind) => hasCode(lists[kind], "AG3005")),
      namespace,
      configMap,
      records: { ...records, proposals: proposalsUnder(amkoCluster.metadata.uid, records) },
      workload,
    },
  };
}

function listed(list: ObjectList | FederationError): ObjectList {
  return list instanceof FederationError ? [] : list;
}

function contextOf(amkoCluster: LiveObject): string {
  const context = isObject(amkoCluster.spec) ? amkoCluster.spec["clusterContext"] : undefined;
  return typeof context === "string" ? context : "";
}

function notHere(
  namespace: NamespaceState | null,
  code: ErrorCode,
  message: string,
  amkoClusters: ObjectList = [],
): Reading {
  const localLeader = amkoClusters.some(({ spec }) => member(spec, "isLeader") === true);
  const isThere = amkoClusters.length > 0;
  return { kind: "not-here", problem: problem(code, message), namespace, isThere, localLeader };
}

/** The pass's picture after a write: the object as the server returned it. */
export function withObject(local: Local, kind: AmkoKind, object: LiveObject): Local {
  if (kind === "AMKOCluster") return { ...local, amkoCluster: object };
  const others = local.objects[kind].filter(({ metadata }) => metadata.name !== object.metadata.name);
  return { ...local, objects: { ...local.objects, [kind]: [...others, object] } };
}

/** The pass's picture after a deletion. */
export function withoutObject(local: Local, kind: AmkoKind, name: string): Local {
  if (kind === "AMKOCluster") return local;
  const objects = local.objects[kind].filter(({ metadata }) => metadata.name !== name);
  return { ...local, objects: { ...local.objects, [kind]: objects } };
}

/** The refs as they stand after our own push, without asking again. */
export function withRef(
  refs: ReadonlyMap<string, CommitId>,
  name: string,
  commit: CommitId | null,
): ReadonlyMap<string, CommitId> {
  const next = new Map(refs);
  if (commit === null) next.delete(name);
  else next.set(name, commit);
  return next;
}
