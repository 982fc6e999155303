import { namedWithout } from "../core/handover-annotation.ts";
import type { ClusterName, Manifest, Revision } from "../core/model.ts";
import type { Designation } from "../core/role.ts";
import { evaluate } from "../core/view.ts";
import type { Branch, Context, Local } from "./context.ts";

/** How far back the flip is looked for that made this cluster the leader. */
const FLIP_SEARCH_MAX_REVISIONS = 500;

/** Whom the promotion need not wait for. It counts only where the revision that gave this cluster the claim set it. */
export async function handoverWithout(
  context: Context,
  { head, view }: Branch,
  { self, records }: Local,
  designation: Designation,
): Promise<ReadonlySet<ClusterName>> {
  const named = namedWithout(view.manifests.get(self));
  if (designation !== "leader" || named.size === 0 || records.office !== null) return new Set();
  const manifestAt = ({ files }: Revision): Manifest | undefined =>
    evaluate(files, context.schemas, context.viewCache).manifests.get(self);
  const past = context.repository.history({ from: head, until: null }, FLIP_SEARCH_MAX_REVISIONS, context.signal);
  for await (const revision of past) {
    const now = manifestAt(revision);
    if (now?.isLeader !== true) continue;
    for (const parent of revision.parents) {
      const before = manifestAt(await context.repository.read(parent, context.signal));
      if (before?.isLeader === true) continue;
      // The newest revision that gave the claim: what it found there already was left over from an earlier one.
      const [set, leftOver] = [namedWithout(now), namedWithout(before)];
      return new Set([...named].filter((cluster) => set.has(cluster) && !leftOver.has(cluster)));
    }
  }
  return new Set();
}
