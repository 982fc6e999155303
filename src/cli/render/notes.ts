import { paint, type Stream } from "../shell.ts";
import { plainText } from "./problem.ts";
import { wrap } from "./table.ts";

const INDENT = "  ";

/** Sentences as a list, wrapped where the terminal ends; nothing where there are none. */
export function renderNotes(title: string, notes: readonly string[], stream: Stream): string {
  if (notes.length === 0) return "";
  const lines = notes.map((note) => {
    const wrapped = wrap(plainText(note), Math.max(20, stream.columns - INDENT.length - 2));
    return `${INDENT}* ${wrapped.join(`\n${INDENT}  `)}\n`;
  });
  return `${paint(stream, "yellow", `${title}:`)}\n${lines.join("")}`;
}
