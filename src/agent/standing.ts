import { type MemberProgress, type Progress, saysLate } from "../core/conditions.ts";
import { differingKinds } from "../core/kind-files.ts";
import { type ClusterName, type CommitId, FEDERATED_KINDS, type FederatedKind, type Member } from "../core/model.ts";
import { refsByCluster } from "../core/refs.ts";
import type { Branch, Context, Local, Memory } from "./context.ts";

export interface Standing {
  readonly member: MemberProgress;
  /** Since when it has been where it is; null when it holds all. */
  readonly behind: { readonly applied: CommitId | null; readonly sinceMs: number } | null;
  /** When a member that lags becomes late; null when it holds all, is late already, or has failed. */
  readonly lateInMs: number | null;
}

/**
 * Where a member stands, by its own refs: it holds a kind when what it acknowledged has the same files of it. How long
 * it has been where it is each process knows for itself; what the status says already counts too, so that two
 * processes of one cluster do not write over each other.
 */
export async function standingOf(
  context: Context,
  branch: Branch,
  { cluster }: Member,
  { amkoCluster }: Local,
  memory: Memory,
): Promise<Standing> {
  const elapsedMs = context.clock.elapsedMs();
  const refs = memory.refs ?? new Map<string, CommitId>();
  const applied = refsByCluster(refs, "applied").get(cluster) ?? null;
  const known = memory.behind.get(cluster);
  const since = known !== undefined && known.applied === applied ? known : { applied, sinceMs: elapsedMs };
  if (refsByCluster(refs, "failed").has(cluster))
    return { member: all(cluster, "failed"), behind: since, lateInMs: null };
  const member = await progressOf(context, branch, cluster, applied);
  if (FEDERATED_KINDS.every((kind) => member.progress[kind] === "holds"))
    return { member, behind: null, lateInMs: null };
  const lateInMs = since.sinceMs + context.settings.staleAfterMs - elapsedMs;
  const believed = known === undefined || since === known;
  const isLate = lateInMs <= 0 || (believed && saysLate(amkoCluster, cluster));
  return isLate ? { member: late(member), behind: since, lateInMs: null } : { member, behind: since, lateInMs };
}

async function progressOf(
  { repository, signal }: Context,
  { head, revision }: Branch,
  cluster: ClusterName,
  applied: CommitId | null,
): Promise<MemberProgress> {
  if (applied === null) return all(cluster, "behind");
  if (applied === head) return all(cluster, "holds");
  if ((await repository.relation(applied, head, signal)) !== "ancestor") return all(cluster, "behind");
  const lacks = differingKinds(await repository.read(applied, signal), revision);
  const of = (kind: FederatedKind): Progress => (lacks.includes(kind) ? "behind" : "holds");
  return { cluster, progress: { GSLBConfig: of("GSLBConfig"), GlobalDeploymentPolicy: of("GlobalDeploymentPolicy") } };
}

function late({ cluster, progress }: MemberProgress): MemberProgress {
  const of = (kind: FederatedKind): Progress => (progress[kind] === "behind" ? "late" : progress[kind]);
  return { cluster, progress: { GSLBConfig: of("GSLBConfig"), GlobalDeploymentPolicy: of("GlobalDeploymentPolicy") } };
}

function all(cluster: ClusterName, progress: Progress): MemberProgress {
  return { cluster, progress: { GSLBConfig: progress, GlobalDeploymentPolicy: progress } };
}
