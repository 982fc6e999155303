import type { Problem } from "../../core/model.ts";
import { paint, type Stream } from "../shell.ts";

/** `path:line: error AG1012: cause`, and the remedy below it. */
export function renderProblem({ code, severity, message, remedy, path, line }: Problem, stream: Stream): string {
  const place = path === null ? "" : `${plainText(path)}${line === null ? "" : `:${line}`}: `;
  const word = paint(stream, severity === "error" ? "red" : "yellow", severity);
  return `${paint(stream, "bold", place)}${word} ${code}: ${plainText(message)}\n  ${paint(stream, "dim", remedy)}\n`;
}

/** What others wrote is shown as text: no control characters, nothing that moves a cursor or turns the writing round. */
export function plainText(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").replace(/[\p{Cf}\p{Cs}\p{Co}]/gu, "");
}
