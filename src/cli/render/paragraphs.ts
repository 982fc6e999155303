import type { Stream } from "../shell.ts";
import { wrap } from "./table.ts";

const WIDTH_MIN = 20;

/** Sentences, one paragraph each, wrapped where the terminal ends. The text must be plain already. */
export function renderParagraphs(paragraphs: readonly string[], { columns }: Stream): string {
  return paragraphs.map((text) => `${wrap(text, Math.max(WIDTH_MIN, columns)).join("\n")}\n`).join("");
}
