import { failedReason } from "../core/failed-reason.ts";
import type { ClusterName, CommitId, Revision } from "../core/model.ts";
import { refsByCluster } from "../core/refs.ts";
import { type ClusterStanding, standingAt } from "../core/standing.ts";
import { hasCode } from "../errors.ts";
import type { RepositoryReader } from "../ports.ts";
import type { Head } from "./head.ts";

/** Where each cluster of the head stands, by its own refs. What many acknowledged is read once. */
export async function readStandings(
  repository: RepositoryReader,
  { revision: head, view, refs }: Pick<Head, "revision" | "view" | "refs">,
  signal: AbortSignal,
): Promise<ReadonlyMap<ClusterName, ClusterStanding>> {
  const [appliedRefs, failedRefs] = [refsByCluster(refs, "applied"), refsByCluster(refs, "failed")];
  const read = new Map<CommitId, Revision | null>([[head.commit, head]]);
  const standings = new Map<ClusterName, ClusterStanding>();
  for (const cluster of new Set([...view.manifests.keys(), ...view.members.keys()])) {
    const applied = appliedRefs.get(cluster) ?? null;
    const failed = failedRefs.get(cluster);
    const failure = failed === undefined ? null : failedReason(await repository.readFiles(failed, signal));
    if (failure === null && applied !== null && !read.has(applied)) {
      read.set(applied, await readHeld(repository, applied, head.commit, signal));
    }
    const held = applied === null ? null : (read.get(applied) ?? null);
    standings.set(cluster, standingAt(head, { applied, held, failure }));
  }
  return standings;
}

/** What a cluster acknowledged; null where that is not in the head's past. */
async function readHeld(
  repository: RepositoryReader,
  applied: CommitId,
  head: CommitId,
  signal: AbortSignal,
): Promise<Revision | null> {
  try {
    if ((await repository.relation(applied, head, signal)) !== "ancestor") return null;
    return await repository.read(applied, signal);
  } catch (error) {
    // What the repository does not have any more is surely not the newest.
    if (hasCode(error, "AG2012")) return null;
    throw error;
  }
}
