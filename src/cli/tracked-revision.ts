import { parseCountedRevision } from "../core/counted-revision.ts";
import type { CommitId } from "../core/model.ts";
import type { OpenRepository } from "./house.ts";
import { resolveRevision } from "./source.ts";

/** Further back people name a commit. */
const STEPS_MAX = 1000;

/**
 * The revision that a person named, where `main` and `main~3` mean the tracked branch as it is at this moment: a clone's
 * own `main` may be hours old, and a rollback counts from what is in force.
 * @throws FederationError AG4009 when there is none
 */
export async function resolveTracked(
  repository: OpenRepository,
  branch: string,
  name: string,
  signal: AbortSignal,
): Promise<CommitId> {
  const { base, steps } = parseCountedRevision(name) ?? { base: null, steps: 0 };
  const counts = (base === branch || base === `origin/${branch}`) && steps <= STEPS_MAX;
  let at: CommitId | null | undefined = counts ? (await repository.list("branch", signal)).head : null;
  for (let step = 0; step < steps && at != null; step += 1) at = (await repository.read(at, signal)).parents[0];
  // Without such a commit the clone is asked, which says that there is none.
  return at ?? (await resolveRevision(repository, counts ? `${branch}~${steps}` : name, signal));
}
