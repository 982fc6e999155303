import type { CommittedChange } from "./message.ts";
import type { FileChange, Problem } from "./model.ts";

/** What a person wants to commit on top of one head. */
export interface CommitPlan {
  readonly subject: string;
  readonly changes: readonly FileChange[];
  readonly snapshots: readonly Pick<CommittedChange, "kind" | "action" | "fields">[];
  /** What a person should know; sentences. */
  readonly notes: readonly string[];
  readonly refusals: readonly Problem[];
}
