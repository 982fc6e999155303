import { problem } from "./catalogue.ts";
import type { CommitPlan } from "./commit-plan.ts";
import { mergeContent } from "./merge.ts";
import {
  type ClusterName,
  type CommitId,
  FEDERATED_KINDS,
  type FederatedKind,
  type KindState,
  type LiveObject,
  type Snapshot,
  UUID_ANNOTATION,
} from "./model.ts";
import { contentOf, equalContent, normalizeContent, snapshotOf } from "./snapshot.ts";
import { changeSnapshot } from "./snapshot-change.ts";
import { type KindStep, kindStep, type PlannedOn, planSnapshots } from "./snapshot-plan.ts";

export interface AdoptFacts extends PlannedOn {
  readonly cluster: ClusterName;
  readonly head: CommitId;
  /** Everything of each kind in the cluster. */
  readonly live: Readonly<Record<FederatedKind, readonly LiveObject[]>>;
  /** What git said where the live object's base is; null where the base is unknown, is the head, or had none. */
  readonly bases: Readonly<Record<FederatedKind, Snapshot | null>>;
}

/**
 * What a cluster holds and git does not, on top of the head. A cluster that is behind does not take back what git
 * changed since: its edits are merged by field, from the revision that it held.
 */
export function planAdopt(facts: AdoptFacts): CommitPlan {
  const steps = FEDERATED_KINDS.map((kind) => adoptKind(kind, facts));
  return planSnapshots(`adopt what cluster ${facts.cluster} holds`, steps, facts);
}

function adoptKind(kind: FederatedKind, facts: AdoptFacts): KindStep {
  const [object, second] = facts.live[kind];
  const today = facts.view.kinds[kind];
  if (second !== undefined) {
    const refusal = problem("AG3013", `there is more than one ${kind} in cluster ${facts.cluster}`);
    return kindStep({ refusals: [refusal] });
  }
  if (object === undefined) {
    const notes = today.kind === "present" ? [`${kind}: ${facts.cluster} has none; adopting deletes nothing.`] : [];
    return kindStep({ notes });
  }
  const wanted = contentToAdopt(kind, object, today, facts);
  if (wanted === null) return kindStep();
  return kindStep({ change: changeSnapshot(today, facts.usable[kind], wanted), notes: notesOf(kind, object, today) });
}

/** Null where the cluster holds what git says, or an older state of it. */
function contentToAdopt(
  kind: FederatedKind,
  object: LiveObject,
  today: KindState,
  { head, bases, schemas }: AdoptFacts,
): Snapshot | null {
  const live = snapshotOf(kind, object);
  if (today.kind !== "present") return live;
  const same = (a: Snapshot, b: Snapshot): boolean =>
    equalContent(normalizeContent(a, kind, schemas), normalizeContent(b, kind, schemas));
  // The UUID is the branch's: that an object lacks it is nothing to adopt.
  const uuid = today.snapshot.annotations[UUID_ANNOTATION];
  const own = uuid === undefined ? live : { ...live, annotations: { ...live.annotations, [UUID_ANNOTATION]: uuid } };
  if (same(own, today.snapshot)) return null;
  const base = bases[kind];
  if (base === null) return own;
  const steps = [{ commit: head, after: today.snapshot, before: [base] }];
  const { content } = mergeContent({
    base: normalizeContent(base, kind, schemas),
    live: normalizeContent(contentOf(object), kind, schemas),
    head: normalizeContent(today.snapshot, kind, schemas),
    steps: steps.map(({ commit, after, before }) => ({
      commit,
      after: normalizeContent(after, kind, schemas),
      before: before.map((one) => normalizeContent(one, kind, schemas)),
    })),
  });
  const merged: Snapshot = { ...own, ...content };
  return same(merged, today.snapshot) ? null : merged;
}

function notesOf(kind: FederatedKind, { metadata }: LiveObject, today: KindState): readonly string[] {
  if (today.kind === "deleted")
    return [`${kind}: git says that it is deleted; merging this brings it back everywhere.`];
  if (today.kind === "unusable") return [`${kind}: what stands in git is unusable; this takes its place.`];
  if (today.kind !== "present" || today.snapshot.name === metadata.name) return [];
  return [`${kind}: it is called ${metadata.name} in the cluster; the name in git stays.`];
}
