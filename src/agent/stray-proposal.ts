import { isAllThatChanged } from "../core/file-changes.ts";
import { editManifest } from "../core/flip.ts";
import type { Manifest, Revision } from "../core/model.ts";
import { proposalRef } from "../core/refs.ts";
import { evaluate } from "../core/view.ts";
import type { Context, Local, Memory } from "./context.ts";
import { digestOf } from "./proposal.ts";

/**
 * A mended manifest that this agent proposed without a record of it: it died, or its API server failed, right after the
 * push. What is word for word what an agent pushes is its own, so that it is withdrawn as any other is; where people
 * wrote something else, it is theirs.
 */
export async function recallVersionProposal(context: Context, local: Local, { refs }: Memory): Promise<Local> {
  const { self, records, amkoCluster } = local;
  const commit = refs?.get(proposalRef(self, "version")) ?? null;
  if (commit === null || records.proposals.version !== undefined) return local;
  const proposed = await context.repository.read(commit, context.signal);
  const [parent, ...others] = proposed.parents;
  if (parent === undefined || others.length > 0) return local;
  const below = await context.repository.read(parent, context.signal);
  const manifestIn = ({ files }: Revision): Manifest | undefined =>
    evaluate(files, context.schemas, context.viewCache).manifests.get(self);
  const [was, is] = [manifestIn(below), manifestIn(proposed)];
  if (was === undefined || is === undefined) return local;
  const change = editManifest(was, below.files, [{ path: ["spec", "version"], value: is.version }]);
  if (change === null || !isAllThatChanged([change], below.files, proposed.files)) return local;
  const record = { commit, digest: digestOf([change]), amkoClusterUid: amkoCluster.metadata.uid, snapshots: {} };
  return { ...local, records: { ...records, proposals: { ...records.proposals, version: record } } };
}
