import type { CommitPlan } from "../../core/commit-plan.ts";
import type { Planned } from "../commit.ts";
import { shortRevision } from "../head.ts";
import { paint, type Stream } from "../shell.ts";
import { describeChanges, renderChanges } from "./changes.ts";
import { renderNotes } from "./notes.ts";
import { plainText } from "./problem.ts";

/** What a commit says, what it changes, and what to know about it. */
export function renderPlan({ head, plan }: Planned<CommitPlan>, stream: Stream): string {
  const subject = plainText(`${plan.subject.charAt(0).toUpperCase()}${plan.subject.slice(1)}`);
  const changes = renderChanges(describeChanges(head.revision.files, plan.changes, head.schemas), stream);
  const notes = renderNotes("Note", plan.notes, stream);
  return `${paint(stream, "bold", subject)}, on ${shortRevision(head)}\n\n${changes}${notes === "" ? "" : `\n${notes}`}`;
}
