import type { CommitPlan } from "./commit-plan.ts";
import type { FederationView, Problem, RevisionFile, UsableKinds } from "./model.ts";
import { judgeOutcome } from "./outcome.ts";
import type { Schemas } from "./resource-definition.ts";
import type { SnapshotChange } from "./snapshot-change.ts";

/** What one kind gives to a commit. */
export interface KindStep {
  readonly change: SnapshotChange | null;
  /** Sentences. */
  readonly notes: readonly string[];
  readonly refusals: readonly Problem[];
}

export function kindStep({ change = null, notes = [], refusals = [] }: Partial<KindStep> = {}): KindStep {
  return { change, notes, refusals };
}

export interface PlannedOn {
  readonly files: readonly RevisionFile[];
  readonly view: FederationView;
  /** What clusters hold: not what the view says, where that cannot be used. */
  readonly usable: UsableKinds;
  readonly schemas: Schemas;
}

/**
 * One commit of all kinds' steps; it is refused where a kind refuses, where it would break what is sound today, and
 * where it would not mend what it writes.
 */
export function planSnapshots(
  subject: string,
  steps: readonly KindStep[],
  { view, files, schemas }: PlannedOn,
): CommitPlan {
  const found = steps.flatMap(({ change }) => (change === null ? [] : [change]));
  const changes = found.map(({ file }) => file);
  const refused = steps.flatMap(({ refusals }) => refusals);
  const outcome = judgeOutcome(view, files, changes, schemas);
  const unmended = found.flatMap(({ told }) => {
    const after = outcome.view.kinds[told.kind];
    return after.kind === "unusable" ? after.problems.filter(({ severity }) => severity === "error") : [];
  });
  return {
    subject,
    changes,
    snapshots: found.map(({ told }) => told),
    notes: steps.flatMap(({ notes }) => notes),
    refusals: refused.length > 0 ? refused : [...new Set([...outcome.newErrors, ...unmended])],
  };
}
