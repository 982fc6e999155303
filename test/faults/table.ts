import { FAULT_KINDS } from "./fault-kinds.ts";
import type { Verdict } from "./matrix.ts";
import { SIDES } from "./request-name.ts";
import { hasPassed } from "./trial.ts";

/** How many cells passed, by request and fault, over all steps and roles: `12`, or `11/12` where one did not. */
export function formatTable(verdicts: readonly Verdict[]): readonly string[] {
  const rows = SIDES.flatMap((side) => {
    const mine = verdicts.filter(({ cell }) => cell.asked.side === side);
    const names = [...new Set(mine.map(({ cell }) => cell.asked.name))].toSorted();
    return names.map((name) => {
      const row = mine.filter(({ cell }) => cell.asked.name === name);
      return [side, name, ...FAULT_KINDS.map((fault) => countCells(row.filter(({ cell }) => cell.fault === fault)))];
    });
  });
  return align([["side", "request", ...FAULT_KINDS.map(({ name }) => name)], ...rows], 2);
}

function countCells(verdicts: readonly Verdict[]): string {
  const passed = verdicts.filter(hasPassed).length;
  return passed === verdicts.length ? String(passed) : `${passed}/${verdicts.length}`;
}

/** Words to the left, numbers to the right. */
export function align(rows: readonly (readonly string[])[], words: number): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((text, column) => (column < words ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0)))
      .join("  "),
  );
}

/** How often each code was said, and why nothing was said how often. */
export function formatVoices(verdicts: readonly Verdict[]): readonly string[] {
  const voices = verdicts.flatMap(({ codes, silence }) =>
    codes.length > 0 ? codes : silence === null ? [] : [`nothing (${silence})`],
  );
  const counts = new Map<string, number>();
  for (const voice of voices) counts.set(voice, (counts.get(voice) ?? 0) + 1);
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([voice, count]) => `${String(count).padStart(6)}  ${voice}`);
}
