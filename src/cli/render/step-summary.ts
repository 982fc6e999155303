import { describeEffect } from "../../core/describe-effect.ts";
import { FEDERATED_KINDS, type Problem } from "../../core/model.ts";
import { topologyOf } from "../../core/topology.ts";
import { isValid, type Validation } from "../validation.ts";
import { plainText } from "./problem.ts";
import { kindOutput } from "./validation.ts";

const PROBLEMS_MAX = 50;

/** The verdict as Markdown, for the page of a pull request's checks. */
export function renderStepSummary(found: Validation): string {
  const { view, problems, effects } = found;
  const parts = [
    `## Federation: ${isValid(found) ? "valid" : "invalid"}`,
    problemTable(problems),
    effects === null ? "" : ["### What the change does", effectList(effects)].join("\n\n"),
    ["### Afterwards", table(["Cluster", "Role", "Left out because"], topologyOf(view).map(rowOf))].join("\n\n"),
    table(
      ["Kind", "State", "Name"],
      FEDERATED_KINDS.map((kind) => {
        const { state, name } = kindOutput(view.kinds[kind]);
        return [kind, state, name ?? ""];
      }),
    ),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function rowOf({ cluster, role, reason }: ReturnType<typeof topologyOf>[number]): readonly string[] {
  return [cluster, role, reason ?? ""];
}

function problemTable(problems: readonly Problem[]): string {
  if (problems.length === 0) return "";
  const rows = problems
    .slice(0, PROBLEMS_MAX)
    .map(({ code, severity, message, remedy, path, line }) => [
      `${severity} ${code}`,
      path === null ? "" : `${path}${line === null ? "" : `:${line}`}`,
      message,
      remedy,
    ]);
  const rest = problems.length - rows.length;
  return `${table(["Problem", "Where", "Cause", "What to do"], rows)}${rest === 0 ? "" : `\n\nand ${rest} more`}`;
}

function effectList(effects: NonNullable<Validation["effects"]>): string {
  const lines = effects.flatMap((effect) =>
    describeEffect(effect).map((line) =>
      line.startsWith("  ") ? `  - ${escaped(line.trim())}` : `- ${escaped(line)}`,
    ),
  );
  return lines.length === 0 ? "Nothing that the clusters act upon." : lines.join("\n");
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lineOf = (cells: readonly string[]): string => `| ${cells.map(escaped).join(" | ")} |`;
  return [lineOf(header), `|${" --- |".repeat(header.length)}`, ...rows.map(lineOf)].join("\n");
}

/** What others wrote stands as text: no markup, no HTML, no links. */
function escaped(text: string): string {
  return plainText(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replace(/[\\`*_[\]{}#|!~]/g, "\\$&")
    .replace(/@(?=\w)/g, "@&#8203;")
    .replace(/:\/\//g, ":&#8203;//");
}
