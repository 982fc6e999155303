import type { CheckItem } from "../../core/check-item.ts";
import { paint, type Stream, type Style } from "../shell.ts";
import { plainText } from "./problem.ts";
import { wrap } from "./table.ts";

const STYLES = {
  ok: "green",
  warning: "yellow",
  failed: "red",
  skipped: "dim",
} as const satisfies Record<CheckItem["result"], Style>;

const WORD_WIDTH = 9;
const WIDTH_MIN = 20;
/** Narrower than this, names and messages do not fit side by side. */
const COLUMNS_WIDE = 90;

/** One line for each thing that was looked at, and what to do below those that are not well. */
export function renderCheck(items: readonly CheckItem[], stream: Stream): string {
  const nameWidth = Math.max(...items.map(({ name }) => name.length)) + 2;
  const isWide = stream.columns >= COLUMNS_WIDE;
  const indent = WORD_WIDTH + (isWide ? nameWidth : 0);
  const width = Math.max(WIDTH_MIN, stream.columns - indent);
  const further = `\n${" ".repeat(indent)}`;
  const lines = items.map(({ name, result, message, code, remedy }) => {
    const word = paint(stream, STYLES[result], result.padEnd(WORD_WIDTH));
    const told = wrap(plainText(code === null ? message : `${code} ${message}`), width).join(further);
    const advice = remedy === null ? [] : wrap(plainText(remedy), width);
    const below = advice.map((line) => `${further}${paint(stream, "dim", line)}`).join("");
    return `${word}${isWide ? name.padEnd(nameWidth) : `${name}${further}`}${told}${below}\n`;
  });
  const count = (result: CheckItem["result"]): number => items.filter((item) => item.result === result).length;
  const summary = `${count("ok")} ok, ${count("warning")} warnings, ${count("failed")} failed, ${count("skipped")} skipped`;
  return `${lines.join("")}\n${paint(stream, "bold", summary)}\n`;
}
