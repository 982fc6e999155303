import { failedReason } from "../core/failed-reason.ts";
import { type ClusterName, type CommitId, FEDERATED_KINDS, KINDS, type Revision } from "../core/model.ts";
import { refsByCluster } from "../core/refs.ts";
import type { ClusterStanding } from "../core/standing.ts";
import { hasCode } from "../errors.ts";
import type { RepositoryReader } from "../ports.ts";
import type { Head } from "./head.ts";

/** Where each cluster of the head stands, by its own refs. What many acknowledged is read once. */
export async function readStandings(
  repository: RepositoryReader,
  { revision, view, refs }: Pick<Head, "revision" | "view" | "refs">,
  signal: AbortSignal,
): Promise<ReadonlyMap<ClusterName, ClusterStanding>> {
  const applied = refsByCluster(refs, "applied");
  const failed = refsByCluster(refs, "failed");
  const judged = new Map<CommitId, boolean>();
  const standings = new Map<ClusterName, ClusterStanding>();
  for (const cluster of new Set([...view.manifests.keys(), ...view.members.keys()])) {
    const at = applied.get(cluster) ?? null;
    const failure = failed.get(cluster);
    if (failure !== undefined) {
      const reason = failedReason(await repository.readFiles(failure, signal));
      standings.set(cluster, { kind: "failing", applied: at, reason });
    } else if (at === null) {
      standings.set(cluster, { kind: "unreported" });
    } else {
      const holds = judged.get(at) ?? (await holdsContent(repository, at, revision, signal));
      judged.set(at, holds);
      standings.set(cluster, { kind: holds ? "holds" : "behind", applied: at });
    }
  }
  return standings;
}

/** A cluster holds what the head says when what it acknowledged has the same snapshots, as the agents count it. */
async function holdsContent(
  repository: RepositoryReader,
  applied: CommitId,
  head: Revision,
  signal: AbortSignal,
): Promise<boolean> {
  if (applied === head.commit) return true;
  try {
    if ((await repository.relation(applied, head.commit, signal)) !== "ancestor") return false;
    return snapshotsOf(await repository.read(applied, signal)) === snapshotsOf(head);
  } catch (error) {
    // What the repository does not have any more is surely not the newest.
    if (hasCode(error, "AG2012")) return false;
    throw error;
  }
}

function snapshotsOf({ files }: Revision): string {
  const folders = FEDERATED_KINDS.map((kind) => `${KINDS[kind].folder}/`);
  const snapshots = files.filter(({ path }) => folders.some((folder) => path.startsWith(folder)));
  return JSON.stringify(snapshots.map(({ path, id, type }) => [path, type, id]).toSorted());
}
