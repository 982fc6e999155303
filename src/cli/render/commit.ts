import type { CommitPlan } from "../../core/commit-plan.ts";
import type { FileChange } from "../../core/model.ts";
import type { Planned, PushOutcome } from "../commit.ts";
import type { CommitReport } from "../commit-report.ts";
import { paint, type Stream } from "../shell.ts";
import { describeChanges } from "./changes.ts";
import { plainText } from "./problem.ts";

/** What was pushed, and what comes next. `branch` is the tracked one. */
export function renderPushed(
  { outcome, commit, branch }: PushOutcome,
  subject: string,
  { next, tracked }: { readonly next: string; readonly tracked: string },
  stream: Stream,
): string {
  const short = paint(stream, "bold", (commit ?? "").slice(0, 8));
  const title = `federation: ${plainText(subject)}`;
  if (outcome === "committed") return `Pushed ${short} to ${branch}: ${title}\n${next}\n`;
  const word = outcome === "standing" ? "Stands already" : "Proposed";
  return `${word} as ${short} in ${branch}: ${title}\nReview that branch and merge it into ${tracked}; nothing happens before.\n`;
}

/** The same as data. */
export function reportCommit({ head, plan }: Planned<CommitPlan>, pushed: PushOutcome): CommitReport {
  return {
    ...pushed,
    base: head.name,
    subject: `federation: ${plan.subject}`,
    files: filesOf(head, plan.changes),
    notes: plan.notes,
    refusals: plan.refusals.map(({ code, message, remedy, path, line }) => ({ code, message, remedy, path, line })),
  };
}

function filesOf({ revision, schemas }: Planned<CommitPlan>["head"], changes: readonly FileChange[]) {
  return describeChanges(revision.files, changes, schemas).map(({ path, fields, lines }) => ({ path, fields, lines }));
}
