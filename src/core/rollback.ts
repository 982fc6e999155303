import type { CommitPlan } from "./commit-plan.ts";
import { formatFieldChange, formatFieldPath } from "./diff.ts";
import { FEDERATED_KINDS, type FederatedKind, type FederationView, type Problem } from "./model.ts";
import { changeSnapshot, type SnapshotChange } from "./snapshot-change.ts";
import { type KindStep, kindStep, type PlannedOn, planSnapshots } from "./snapshot-plan.ts";

export interface RollbackFacts extends PlannedOn {
  /** What the older revision says, judged by today's schemas. */
  readonly past: FederationView;
  /** How people call that revision. */
  readonly name: string;
}

export interface RollbackRequest {
  /** A tombstone of then is written too. */
  readonly withDeletions: boolean;
  readonly kinds: readonly FederatedKind[];
}

/**
 * The snapshots of an older revision, on top of today. Who leads and who is a member stays. Nothing is deleted because
 * it was not there then; a tombstone comes back only where the person asks for deletions.
 */
export function planRollback(facts: RollbackFacts, { withDeletions, kinds }: RollbackRequest): CommitPlan {
  const steps = FEDERATED_KINDS.filter((kind) => kinds.includes(kind)).map((kind) =>
    rollBackKind(kind, facts, withDeletions),
  );
  return planSnapshots(`roll back to ${facts.name}`, steps, facts);
}

function rollBackKind(
  kind: FederatedKind,
  { view, usable, past, name }: RollbackFacts,
  withDeletions: boolean,
): KindStep {
  const [today, former] = [view.kinds[kind], past.kinds[kind]];
  switch (former.kind) {
    case "absent":
      return today.kind === "absent"
        ? kindStep()
        : kindStep({ notes: [`${kind}: ${name} has none, so today's stays.`] });
    case "unusable":
      return kindStep({ refusals: former.problems.filter(({ severity }) => severity === "error").map(inPast(name)) });
    case "deleted": {
      if (today.kind === "deleted") return kindStep();
      if (withDeletions) return kindStep({ change: changeSnapshot(today, usable[kind], former.snapshot) });
      return kindStep({ notes: [`${kind}: it is deleted in ${name}, and stays. To delete it, add --with-deletions.`] });
    }
    case "present": {
      const change = changeSnapshot(today, usable[kind], former.snapshot);
      const returns = today.kind === "deleted" ? [`${kind}: it is deleted today, and comes back in all clusters.`] : [];
      const renamed = today.kind === "present" && today.snapshot.name !== former.snapshot.name;
      const keeps = renamed ? [`${kind}: it is called ${former.snapshot.name} in ${name}; today's name stays.`] : [];
      return kindStep({ change, notes: [...returns, ...keeps, ...readdressed(change)] });
    }
    default:
      return former satisfies never;
  }
}

/** After a disaster the older revision names a controller that may be gone. */
function readdressed(change: SnapshotChange | null): readonly string[] {
  return (change?.told.fields ?? [])
    .filter(({ path }) => formatFieldPath(path).startsWith(CONTROLLER_FIELD))
    .map(
      (field) =>
        `AMKO in the leader's cluster restarts and programs another Avi controller: ${formatFieldChange(field)}.`,
    );
}

const CONTROLLER_FIELD = "spec.gslbLeader.controllerIP";

/** It is told with its place, but nobody can mend it there. */
function inPast(name: string): (problem: Problem) => Problem {
  return (problem) => ({
    ...problem,
    message: `${name} cannot be restored: ${problem.message}`,
    remedy: "Name a revision whose snapshots fit the CRDs of today; amko-gitops history lists them.",
  });
}
