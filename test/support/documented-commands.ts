import type { OptionDescription } from "../../src/cli/verb.ts";
import { VERBS } from "../../src/cli/verbs.ts";

/** A call of `amko-gitops` that a document tells people to make. */
export interface DocumentedCommand {
  readonly line: string;
  readonly words: readonly string[];
}

const CODE = /```[a-z]*\n([\s\S]*?)```|`([^`\n]+)`/g;
const CALL = /(?:^|npx |-- )amko-gitops (?<rest>.+)$/;
/** A placeholder is one word, and so is what stands in quotes; a pipe or a comment ends the call. */
const WORD = /(?:<[^>]+>|\{\{[^}]+\}\}|"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'<|&;>#()])+|[|&;>#()]/g;

/** Every call in the code of a Markdown text, fenced or not; nothing of what it pipes into. */
export function findCommands(markdown: string): readonly DocumentedCommand[] {
  const codes = [...markdown.matchAll(CODE)].map(([, fenced, inline]) => fenced ?? inline ?? "");
  return codes.flatMap((code) => code.replaceAll(/\\\n\s*/g, " ").split("\n")).flatMap(readCommand);
}

function readCommand(line: string): readonly DocumentedCommand[] {
  const rest = CALL.exec(line.trim())?.groups?.["rest"];
  if (rest === undefined) return [];
  const words: string[] = [];
  for (const [word] of rest.matchAll(WORD)) {
    if (/^[|&;>#()]$/.test(word)) break;
    words.push(word);
  }
  return [{ line: line.trim(), words }];
}

/** Why the program would not understand it; null where it does. A verb alone is the verb's name, and no call. */
export async function misunderstood({ words }: DocumentedCommand): Promise<string | null> {
  const [name = "", ...rest] = words;
  const entry = VERBS.find((verb) => verb.name === name);
  if (entry === undefined) return `there is no verb ${name}`;
  if (rest.length === 0) return null;
  const verb = await entry.load();
  const known = new Map<string, OptionDescription>(
    verb.options.flatMap((one) => [
      [`--${one.flag}`, one],
      ...(one.short === undefined ? [] : ([[`-${one.short}`, one]] as const)),
    ]),
  );
  const given: string[] = [];
  for (let at = 0; at < rest.length; at += 1) {
    const word = rest[at] ?? "";
    if (!word.startsWith("-") || word === "--help") {
      if (word !== "--help" && word !== "…") given.push(word);
      continue;
    }
    const option = known.get(word);
    if (option === undefined) return `${name} has no ${word}`;
    if (option.placeholder === null) continue;
    at += 1;
    if (rest[at] === undefined || rest[at]?.startsWith("-")) return `${word} of ${name} has no value`;
  }
  const required = verb.arguments.filter((argument) => argument.required).length;
  if (given.length > verb.arguments.length) return `${name} takes no ${given[verb.arguments.length]}`;
  return given.length < required ? `${name} lacks an argument` : null;
}
