import { paint, type Stream, type Style } from "../shell.ts";

/** A cell's text, and a style for terminals. */
export type Cell = string | { readonly text: string; readonly style: Style };

const GAP = 2;
/** The last column keeps at least this, however narrow the terminal. */
const LAST_COLUMN_MIN = 20;

/** Columns as kubectl prints them. On a terminal the last one is wrapped where it would not fit. */
export function renderTable(header: readonly string[], rows: readonly (readonly Cell[])[], stream: Stream): string {
  const last = header.length - 1;
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => [...textOf(row[column] ?? "")].length)),
  );
  const used = widths.slice(0, last).reduce((sum, width) => sum + width + GAP, 0);
  const room = Math.max(LAST_COLUMN_MIN, stream.columns - used);
  const lineOf = (cells: readonly Cell[], style: Style | null): string => {
    const start = header
      .slice(0, last)
      .map((_, column) => padded(cells[column] ?? "", widths[column] ?? 0, style, stream));
    const wrapped = wrap(textOf(cells[last] ?? ""), room);
    const ending = cells[last] ?? "";
    const ownStyle = typeof ending === "string" ? style : ending.style;
    return wrapped
      .map((line, index) =>
        `${index === 0 ? start.join("") : " ".repeat(used)}${paint(stream, ownStyle, line)}`.trimEnd(),
      )
      .join("\n");
  };
  return `${[lineOf(header, "bold"), ...rows.map((row) => lineOf(row, null))].join("\n")}\n`;
}

/** Words of a text on lines of at most `width` characters; a longer word stands alone. */
export function wrap(text: string, width: number): readonly string[] {
  if (text.length <= width) return [text];
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function padded(cell: Cell, width: number, style: Style | null, stream: Stream): string {
  const text = textOf(cell);
  const padding = " ".repeat(Math.max(0, width - [...text].length) + GAP);
  return `${paint(stream, typeof cell === "string" ? style : cell.style, text)}${padding}`;
}

function textOf(cell: Cell): string {
  return typeof cell === "string" ? cell : cell.text;
}
