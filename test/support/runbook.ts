import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { PROJECT } from "./process.ts";

const RUNBOOK = await readFile(join(PROJECT, "deploy/RUNBOOK.md"), "utf8");

/** What stands in the runbook under a code or an alert, in whatever case; "" where there is no such heading. */
export function sectionOf(anchor: string): string {
  const sections = RUNBOOK.split(/^### /m);
  return sections.find((text) => text.toLowerCase().startsWith(`${anchor.toLowerCase()}\n`)) ?? "";
}

/** The one command in a section of the runbook that holds the words. */
export function commandIn(anchor: string, words: string): string {
  const code = [...sectionOf(anchor).matchAll(/```sh\n([\s\S]*?)```|`([^`\n]+)`/g)];
  const commands = code.flatMap(([, fenced, inline]) =>
    (fenced ?? inline ?? "")
      .replaceAll(/ \\\n\s*/g, " ")
      .split("\n")
      .map((command) => command.trim()),
  );
  const found = commands.filter((command) => command.includes(words));
  expect(found, `commands of the runbook under ${anchor} with ${words}`).toHaveLength(1);
  return found[0] ?? "";
}
