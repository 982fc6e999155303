import { type FieldChange, formatFieldChange, formatFieldPath } from "../../core/diff.ts";
import { type DiffLine, diffLines } from "../../core/line-diff.ts";
import type { FileChange, Json, RevisionFile } from "../../core/model.ts";
import type { Schemas } from "../../core/resource-definition.ts";
import { readSnapshot } from "../../core/snapshot.ts";
import { fieldsBetween } from "../../core/snapshot-change.ts";
import { paint, type Stream } from "../shell.ts";
import { renderDiffLine } from "./diff-line.ts";
import { plainText } from "./problem.ts";

/** One file that a commit changes: a snapshot by field, anything else by line. */
export interface CommittedFile {
  readonly path: string;
  readonly fields: readonly { readonly field: string; readonly before: Json; readonly after: Json }[] | null;
  readonly lines: readonly DiffLine[] | null;
}

/** What a commit changes, file by file. */
export function describeChanges(
  files: readonly RevisionFile[],
  changes: readonly FileChange[],
  schemas: Schemas,
): readonly (CommittedFile & { readonly changed: readonly FieldChange[] })[] {
  return changes.map(({ path, bytes }) => {
    const former = files.find((file) => file.path === path);
    const fields = bytes === null ? null : fieldsOf(former, path, bytes, schemas);
    if (fields === null) {
      const lines = diffLines(textOf(former?.bytes ?? null), textOf(bytes));
      return { path, fields: null, lines, changed: [] };
    }
    const named = fields.map((change) => ({
      field: formatFieldPath(change.path),
      before: change.before ?? null,
      after: change.after ?? null,
    }));
    return { path, fields: named, lines: null, changed: fields };
  });
}

/** The changed files with their fields and lines. */
export function renderChanges(files: ReturnType<typeof describeChanges>, stream: Stream): string {
  const parts = files.map(({ path, lines, changed }) => {
    const body =
      lines === null
        ? changed.map((change) => `  ${plainText(formatFieldChange(change))}`)
        : lines.map((line) => `  ${renderDiffLine(line, stream)}`);
    return `${paint(stream, "bold", plainText(path))}\n${body.join("\n")}\n`;
  });
  return parts.join("\n");
}

/** Null where the file is no snapshot, before or after. */
function fieldsOf(
  former: RevisionFile | undefined,
  path: string,
  bytes: Uint8Array,
  schemas: Schemas,
): readonly FieldChange[] | null {
  const next = former === undefined ? null : readSnapshot({ ...former, path, bytes, size: bytes.length }, schemas);
  const before = former === undefined ? null : readSnapshot(former, schemas);
  if (before?.ok !== true || next?.ok !== true) return null;
  return fieldsBetween(before.snapshot, next.snapshot);
}

function textOf(bytes: Uint8Array | null): string {
  return bytes === null ? "" : new TextDecoder().decode(bytes);
}
