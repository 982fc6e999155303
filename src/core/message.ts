import { type FieldChange, formatFieldChange } from "./diff.ts";
import type { ClusterName, CommitId, FederatedKind } from "./model.ts";
import { NAMESPACE } from "./model.ts";

/** What one kind contributes to a commit. */
export interface CommittedChange {
  readonly action: "create" | "update" | "delete";
  readonly kind: FederatedKind;
  readonly name: string;
  readonly fields: readonly FieldChange[];
  /** The free paragraph that a person left on the object; null when there is none. */
  readonly reason: string | null;
  /** Who wrote the object last, as the API server recorded it; null when unknown. */
  readonly changedWith: string | null;
  /** The revisions whose values this overrides. */
  readonly supersedes: readonly CommitId[];
}

export interface ExportMessage {
  readonly changes: readonly CommittedChange[];
  readonly cluster: ClusterName;
  readonly amkoVersion: string;
  readonly exportId: string;
}

/** Trailers that programs read back. Everything else in a message is for people. */
export const TRAILERS = {
  from: "Federated-From",
  version: "Amko-Version",
  changedWith: "Changed-With",
  object: "Object",
  exportId: "Export-Id",
  supersedes: "Supersedes",
} as const;

const FIELD_LINES_MAX = 50;
const REASON_MAX_CHARACTERS = 500;
const TRAILER_VALUE_MAX_CHARACTERS = 300;

/** The message of an export: subject, fields, reasons, trailers; made for the reader of `git log`. */
export function formatExportMessage({ changes, cluster, amkoVersion, exportId }: ExportMessage): string {
  const subject = `federation: ${changes.map(({ action, kind, name }) => `${action} ${kind} ${name}`).join(", ")}`;
  const reasons = new Set(changes.map(({ reason }) => reason ?? "").map(formatReason));
  const trailers = [
    [TRAILERS.from, cluster],
    [TRAILERS.version, amkoVersion],
    ...distinct(changes.map(({ changedWith }) => changedWith ?? "")).map((who) => [TRAILERS.changedWith, who]),
    ...changes.map(({ kind, name }) => [TRAILERS.object, `${kind} ${NAMESPACE}/${name}`]),
    ...distinct(changes.flatMap(({ supersedes }) => supersedes)).map((commit) => [TRAILERS.supersedes, commit]),
    [TRAILERS.exportId, exportId],
  ] as const;
  const paragraphs = [
    subject,
    ...changes.map((change) => formatFields(change, changes.length > 1)),
    ...reasons,
    trailers.map(([key, value]) => `${key}: ${trailerText(value ?? "")}`).join("\n"),
  ];
  return `${withoutCiDirectives(paragraphs.filter((paragraph) => paragraph !== "").join("\n\n"))}\n`;
}

/** A value as it stands in a trailer: on one line, and without what would switch off the repository's checks. */
export function trailerText(value: string): string {
  return withoutCiDirectives(oneLine(value, TRAILER_VALUE_MAX_CHARACTERS));
}

/** A commit that a person makes with the command line. */
export interface PersonMessage {
  /** What it does, without `federation: `. */
  readonly subject: string;
  readonly changes: readonly Pick<CommittedChange, "kind" | "action" | "fields">[];
  readonly reason: string;
}

/** Subject, fields, reason. It has no trailers: those are the agents' word, and nobody else's. */
export function formatPersonMessage({ subject, changes, reason }: PersonMessage): string {
  const paragraphs = [
    oneLine(`federation: ${subject}`, SUBJECT_MAX_CHARACTERS),
    ...changes.map((change) => formatFields(change, changes.length > 1)),
    formatReason(reason),
  ];
  return `${withoutCiDirectives(paragraphs.filter((paragraph) => paragraph !== "").join("\n\n"))}\n`;
}

const SUBJECT_MAX_CHARACTERS = 300;

function formatFields(
  { kind, action, fields }: Pick<CommittedChange, "kind" | "action" | "fields">,
  named: boolean,
): string {
  if (action === "delete") return "";
  const lines = fields.slice(0, FIELD_LINES_MAX).map((change) => oneLine(formatFieldChange(change), 1000));
  if (fields.length > FIELD_LINES_MAX) lines.push(`(${fields.length - FIELD_LINES_MAX} more fields)`);
  return named && lines.length > 0 ? `${kind}\n${lines.join("\n")}` : lines.join("\n");
}

/** One paragraph on one line. What looks like a trailer is quoted, so that nobody can forge one. */
export function formatReason(reason: string): string {
  const text = oneLine(reason, REASON_MAX_CHARACTERS);
  return /^[A-Za-z0-9-]+\s*[:=#]/.test(text) || /^\(cherry picked/.test(text) ? `> ${text}` : text;
}

/** No control or direction-changing characters, no line breaks, at most `max` characters. */
function oneLine(text: string, max: number): string {
  const flat = text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/[\p{Cf}\p{Cs}\p{Co}]/gu, "")
    .trim();
  return [...flat].slice(0, max).join("").trimEnd();
}

/** A value from a cluster must not switch off the checks of the repository: `[skip ci]` becomes `(skip ci)`. */
function withoutCiDirectives(message: string): string {
  return message
    .replace(
      /\[\s*((?:skip|no)[\s-]*(?:ci|actions|build)|(?:ci|actions|build)[\s-]*skip|[a-z ]+ skip|skip [a-z ]+)\s*\]/gi,
      "($1)",
    )
    .replace(/\*{3}NO_CI\*{3}/gi, "NO_CI")
    .replace(/^(\s*)(skip-checks\s*:)/gim, "$1> $2");
}

export interface ParsedMessage {
  readonly subject: string;
  /** In order; keys as written, matched without regard to case by {@link trailerValues}. */
  readonly trailers: readonly { readonly key: string; readonly value: string }[];
}

const MESSAGE_MAX_CHARACTERS = 64 * 1024;

/** Reads any commit's message; the last paragraph counts as trailers where every line of it is one. Total. */
export function parseMessage(message: string): ParsedMessage {
  const lines = message.slice(0, MESSAGE_MAX_CHARACTERS).replaceAll("\r\n", "\n").trimEnd().split("\n");
  const subject = lines[0] ?? "";
  const lastBlank = lines.lastIndexOf("");
  const paragraph = lastBlank <= 0 ? [] : lines.slice(lastBlank + 1);
  const trailers = paragraph.map((line) => /^([A-Za-z0-9-]+)\s*:\s*(.*)$/.exec(line));
  if (trailers.some((match) => match === null)) return { subject, trailers: [] };
  return {
    subject,
    trailers: trailers.map((match) => ({ key: match?.[1] ?? "", value: (match?.[2] ?? "").trimEnd() })),
  };
}

export function trailerValues(parsed: ParsedMessage, key: (typeof TRAILERS)[keyof typeof TRAILERS]): readonly string[] {
  return parsed.trailers.filter((trailer) => trailer.key.toLowerCase() === key.toLowerCase()).map(({ value }) => value);
}

function distinct<T extends string>(values: readonly T[]): readonly T[] {
  return [...new Set(values)].filter((value) => value !== "");
}
