import { type Figure, ratioOf, type Summary } from "./figure.ts";

const HEADINGS = ["what", "median", "p95", "n", "floor", "ratio", "goal", ""] as const;

/** The figures as people read them. */
export function formatTable(figures: readonly Figure[]): string {
  const rows = [HEADINGS, ...figures.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  return rows.map(line).join("\n");
}

/** The same for a README: the rows of the design, and what else was measured for those who ask. */
export function formatMarkdown(figures: readonly Figure[], beyond: readonly Figure[]): string {
  if (beyond.length === 0) return markdownTable(figures);
  const more = `<details><summary>Many agents, and commands on a long history</summary>`;
  return `${markdownTable(figures)}\n\n${more}\n\n${markdownTable(beyond)}\n\n</details>`;
}

function markdownTable(figures: readonly Figure[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = HEADINGS.map((_, column) => (isNumber(column) ? "--:" : "---"));
  return [HEADINGS, rule, ...figures.map(cellsOf)].map(line).join("\n");
}

/**
 * A document with other text in the section of that name, which HTML comments enclose.
 * @throws Error where it has no such section
 */
export function fillSection(document: string, name: string, text: string): string {
  const [start, end] = [`<!-- ${name} -->\n`, `\n<!-- /${name} -->`];
  const [from, to] = [document.indexOf(start), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`there is no section ${start.trim()} to be filled`);
  return document.slice(0, from + start.length) + text + document.slice(to);
}

function isNumber(column: number): boolean {
  return column >= 1 && column <= 5;
}

function cellsOf(figure: Figure): readonly string[] {
  const { what, unit, measured, floor, goal, met } = figure;
  const ratio = ratioOf(figure);
  return [
    what,
    `${round(measured.median)} ${unit}`,
    round(measured.p95),
    String(measured.n),
    floor === null ? "" : round(floor.median),
    ratio === null || !Number.isFinite(ratio) ? "" : ratio.toFixed(2),
    goal,
    met === null ? "" : met ? "met" : "missed",
  ];
}

/** Three digits are more than such figures are worth. */
function round(value: Summary["median"]): string {
  return value >= 10 || Number.isInteger(value) ? String(Math.round(value)) : value.toPrecision(2);
}
