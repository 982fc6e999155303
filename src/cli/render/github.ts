import type { Problem } from "../../core/model.ts";
import { plainText } from "./problem.ts";

/** One line that GitHub shows at the file and line of the change: `::error file=…,line=…,title=AG1012::cause`. */
export function renderAnnotation({ code, severity, message, remedy, path, line }: Problem): string {
  const properties = [
    ...(path === null ? [] : [`file=${property(plainText(path))}`]),
    ...(path === null || line === null ? [] : [`line=${line}`]),
    `title=${property(code)}`,
  ];
  return `::${severity} ${properties.join(",")}::${data(`${plainText(message)}\n${plainText(remedy)}`)}\n`;
}

/** In text that others wrote, what GitHub's runner would take for a command of its older syntax is taken apart. */
export function withoutCommands(text: string): string {
  return text.replaceAll("##[", "## [").replace(/^(\s*)::/gm, "$1: :");
}

function data(text: string): string {
  return text.replaceAll("##[", "## [").replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
