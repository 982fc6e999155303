import { CATALOGUE, problem } from "../core/catalogue.ts";
import { isObject } from "../core/json.ts";
import type { MemberReading } from "../core/members.ts";
import type { ClusterName, CommitId, LiveObject, Problem } from "../core/model.ts";
import { asFederationError, hasCode } from "../errors.ts";
import type { Members, ObjectList } from "../ports.ts";

type KubeconfigReading =
  | { readonly kind: "read"; readonly contexts: ReadonlyMap<string, Problem | null> | null }
  | { readonly kind: "unusable"; readonly problem: Problem }
  /** An agent that may not read the Secret has no credentials: that is how an operator takes them away. */
  | { readonly kind: "forbidden"; readonly problem: Problem };

/** @throws FederationError when nobody can tell whether there is a kubeconfig. */
export async function readKubeconfig(members: Members, signal: AbortSignal): Promise<KubeconfigReading> {
  try {
    return { kind: "read", contexts: await members.contexts(signal) };
  } catch (error) {
    if (hasCode(error, "AG3003")) return { kind: "forbidden", problem: problem(error.code, error.message) };
    if (hasCode(error, "AG4007")) return { kind: "unusable", problem: problem(error.code, error.message) };
    throw error;
  }
}

/** Asks one member. Never throws. */
export async function readMember(
  members: Members,
  cluster: ClusterName,
  acknowledged: ReadonlyMap<ClusterName, CommitId>,
  signal: AbortSignal,
): Promise<MemberReading> {
  try {
    return readObjects(cluster, await members.readAmkoClusters(cluster, signal), acknowledged);
  } catch (error) {
    return unreachable(error);
  }
}

/** What a member's AMKOClusters say. `acknowledged` is what was known before they were asked for. */
export function readObjects(
  cluster: ClusterName,
  objects: ObjectList,
  acknowledged: ReadonlyMap<ClusterName, CommitId>,
): MemberReading {
  const [object, second] = objects;
  if (object === undefined) return { kind: "unusable", reason: "there is no AMKOCluster" };
  if (second !== undefined) return { kind: "unusable", reason: `there are ${objects.length} AMKOClusters` };
  const context = fieldOf(object, "clusterContext");
  if (typeof context === "string" && context !== "" && context !== cluster) {
    return { kind: "unusable", reason: `its context leads to cluster ${context}` };
  }
  const leads = fieldOf(object, "isLeader") === true;
  return { kind: "answered", leads, acknowledged: acknowledged.get(cluster) ?? null };
}

function fieldOf({ spec }: LiveObject, name: string): unknown {
  return isObject(spec) ? spec[name] : undefined;
}

/** Without what varies from try to try: the status must not. */
function unreachable(error: unknown): MemberReading {
  const { code } = asFederationError(error);
  return { kind: "unusable", reason: `${CATALOGUE[code].title} (${code})` };
}
