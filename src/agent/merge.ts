import { problem } from "../core/catalogue.ts";
import type { Merge } from "../core/merge.ts";
import {
  type CommitId,
  type FederatedKind,
  type KubernetesObject,
  type LiveObject,
  type Problem,
  SUPERSEDES_ANNOTATION,
} from "../core/model.ts";
import { snapshotPatch } from "../core/patch.ts";
import { formatRevision, parseCommitId } from "../core/records.ts";
import { hasCode } from "../errors.ts";
import { droppedProblem } from "./apply.ts";
import type { Context, Local } from "./context.ts";
import { droppedFields } from "./equality.ts";
import { withObject } from "./observe.ts";

export interface MergeRequest {
  readonly kind: FederatedKind;
  /** What the cluster held when it was merged. */
  readonly object: LiveObject;
  readonly merge: Merge;
  /** Git's side of it: what becomes the base. */
  readonly revision: CommitId;
}

export type MergeWritten =
  | { readonly kind: "written"; readonly local: Local }
  | { readonly kind: "refused"; readonly problem: Problem };

/**
 * The merge is written to the live object first, with git's side as its base and what it overrides beside it; after a
 * dry run, since a field that the CRD here drops would look like one that somebody removed.
 */
export async function writeMerge(
  { cluster, settings, signal }: Context,
  local: Local,
  { kind, object: merged, merge, revision }: MergeRequest,
): Promise<MergeWritten> {
  const { name } = merged.metadata;
  const object = local.objects[kind].find((one) => one.metadata.name === name);
  if (object === undefined) return { kind: "written", local };
  const target = { kind, name, resourceVersion: object.metadata.resourceVersion };
  // An earlier merge that was never exported still overrides what it did.
  const overridden = [...new Set([...merge.supersedes, ...pendingSupersedes(object)])];
  const supersedes = overridden.length === 0 ? null : overridden.join(",");
  const snapshot = { ...merge.content, kind, name, deleted: null };
  const patch = snapshotPatch(object, snapshot, formatRevision(settings.branch, revision), supersedes);
  try {
    const dropped = droppedFields(snapshot, await cluster.patch(target, patch, { dryRun: true }, signal));
    if (dropped.length > 0) return { kind: "refused", problem: droppedProblem(local, kind, name, dropped) };
    return {
      kind: "written",
      local: withObject(local, kind, await cluster.patch(target, patch, { dryRun: false }, signal)),
    };
  } catch (error) {
    if (!hasCode(error, "AG3007")) throw error;
    return {
      kind: "refused",
      problem: problem("AG3007", `the merge of ${kind} ${name} was refused: ${error.message}`),
    };
  }
}

/** The commits that the object's next export overrides, as the merges before it noted them. */
export function pendingSupersedes({ metadata }: KubernetesObject): readonly CommitId[] {
  const commits = (metadata.annotations?.[SUPERSEDES_ANNOTATION] ?? "").split(",").map(parseCommitId);
  return commits.filter((commit) => commit !== null);
}
