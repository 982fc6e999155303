import { describeEffect } from "../../core/describe-effect.ts";
import type { StoryEntry } from "../../core/story.ts";
import type { LeaderTerm } from "../../core/terms.ts";
import { paint, type Stream, type Style } from "../shell.ts";
import { formatDuration, formatInstant } from "./instant.ts";
import { plainText } from "./problem.ts";
import { type Cell, renderTable, wrap } from "./table.ts";

const INDENT = "    ";
const WIDTH_MIN = 30;
const REASON_MAX_LINES = 6;

/** One revision: where and when, who, what it did, why, and who holds it. */
export function renderEntry(entry: StoryEntry, heldBy: readonly string[], stream: Stream): string {
  const { commit, author, told, from, effects, brought } = entry;
  const who = from === null ? plainText(author) : `${plainText(author)}, for ${plainText(from)}`;
  const head = `${paint(stream, "yellow", commit.slice(0, 8))}  ${formatInstant(entry.atSeconds * 1000)}  ${who}`;
  const tools = told.tools.length === 0 ? "" : ` (with ${told.tools.map(plainText).join(", ")})`;
  const lines = [
    ...block(`${plainText(told.subject)}${tools}`, "bold", stream),
    ...effects.flatMap(describeEffect).flatMap((text) => block(plainText(text), null, stream, leading(text))),
    ...(told.reason === "" ? [] : quoted(told.reason, stream)),
    ...brought.flatMap((one) => [
      ...block(
        `brought ${one.commit.slice(0, 8)} by ${plainText(one.author)}: ${plainText(one.told.subject)}`,
        "dim",
        stream,
      ),
      ...(one.told.reason === "" ? [] : quoted(one.told.reason, stream)),
    ]),
    ...told.supersedes.flatMap((one) => block(`overrides ${plainText(one).slice(0, 8)}`, "dim", stream)),
    ...(heldBy.length === 0 ? [] : block(`held now by ${named(heldBy)}`, "green", stream)),
  ];
  return `${head}\n${lines.map((line) => `${INDENT}${line}\n`).join("")}`;
}

/** Who led when and why, newest first, as a table. */
export function renderTerms(terms: readonly LeaderTerm[], nowMs: number, stream: Stream): string {
  const rows = terms.map(({ state, clusters, began, ended }): readonly Cell[] => {
    const endMs = ended === null ? nowMs : ended.atSeconds * 1000;
    return [
      { text: leaderName(state, clusters), style: state === "leader" ? (ended === null ? "green" : "bold") : "red" },
      formatInstant(began.atSeconds * 1000),
      ended === null
        ? `${formatDuration(endMs - began.atSeconds * 1000)}, still`
        : formatDuration(endMs - began.atSeconds * 1000),
      began.commit.slice(0, 8),
      plainText(began.author),
      plainText(began.reason === "" ? began.subject : began.reason),
    ];
  });
  return renderTable(["LEADER", "SINCE", "FOR", "REVISION", "AUTHOR", "WHY"], rows, stream);
}

function leaderName(state: LeaderTerm["state"], clusters: readonly string[]): string {
  switch (state) {
    case "leader":
      return plainText(clusters[0] ?? "");
    case "invalid":
      return `${plainText(clusters[0] ?? "")} (invalid)`;
    case "conflict":
      return `conflict: ${clusters.map(plainText).join(" and ")}`;
    case "leaderless":
      return "nobody";
    case "unknown":
      return "unknown";
    default:
      return state satisfies never;
  }
}

const NAMED_MAX = 6;

function named(clusters: readonly string[]): string {
  const first = clusters.slice(0, NAMED_MAX).map(plainText).join(", ");
  return clusters.length > NAMED_MAX ? `${first} and ${clusters.length - NAMED_MAX} more` : first;
}

function block(text: string, style: Style | null, stream: Stream, indent = ""): readonly string[] {
  const room = Math.max(WIDTH_MIN, stream.columns - INDENT.length - indent.length);
  return wrap(text.trimStart(), room).map((line) => `${indent}${paint(stream, style, line)}`);
}

function quoted(reason: string, stream: Stream): readonly string[] {
  const lines = reason.split("\n").flatMap((line) => block(plainText(line), null, stream, "| "));
  return lines.length <= REASON_MAX_LINES ? lines : [...lines.slice(0, REASON_MAX_LINES), "| …"];
}

function leading(text: string): string {
  return text.slice(0, text.length - text.trimStart().length);
}
