import type { DiffLine } from "../../core/line-diff.ts";
import { paint, type Stream, type Style } from "../shell.ts";
import { plainText } from "./problem.ts";

const LINE_STYLE = {
  same: { mark: " ", style: null },
  removed: { mark: "-", style: "red" },
  added: { mark: "+", style: "green" },
  gap: { mark: "…", style: "dim" },
} as const satisfies Record<DiffLine["kind"], { readonly mark: string; readonly style: Style | null }>;

/** One line of a comparison with its mark, without an end. */
export function renderDiffLine({ kind, text }: DiffLine, stream: Stream): string {
  const { mark, style } = LINE_STYLE[kind];
  return paint(stream, style, `${mark} ${plainText(text)}`.trimEnd());
}
