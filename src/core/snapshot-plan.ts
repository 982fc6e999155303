import type { CommitPlan } from "./commit-plan.ts";
import type { FederationView, Problem, RevisionFile } from "./model.ts";
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
  readonly schemas: Schemas;
}

/** One commit of all kinds' steps; it is refused where a kind refuses, or where it would break what is sound today. */
export function planSnapshots(
  subject: string,
  steps: readonly KindStep[],
  { view, files, schemas }: PlannedOn,
): CommitPlan {
  const found = steps.flatMap(({ change }) => (change === null ? [] : [change]));
  const changes = found.map(({ file }) => file);
  const refused = steps.flatMap(({ refusals }) => refusals);
  return {
    subject,
    changes,
    snapshots: found.map(({ told }) => told),
    notes: steps.flatMap(({ notes }) => notes),
    refusals: refused.length > 0 ? refused : judgeOutcome(view, files, changes, schemas).newErrors,
  };
}
