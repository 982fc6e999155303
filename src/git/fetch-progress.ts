/** As git tells it: `remote: Counting objects:  63% (6300/10000)`. */
const PROGRESS = /^(?:remote: )?([A-Z][a-z]+ing (?:objects|deltas)): +(\d{1,3}%)?.*/;

/** Tells how far git has come, from a piece of what it writes to standard error. Only its own words are passed on. */
export function tellProgress(stderr: string, tell: (text: string) => void): void {
  const [, what, percent] =
    stderr
      .split(/[\r\n]/)
      .flatMap((line) => [PROGRESS.exec(line) ?? []])
      .findLast(({ length }) => length > 0) ?? [];
  if (what !== undefined) tell(`${what.toLowerCase()} ${percent ?? ""}`.trim());
}

/** What git said beside that. */
export function withoutProgress(stderr: string): string {
  const lines = stderr.split(/[\r\n]+/);
  return lines.filter((line) => !PROGRESS.test(line)).join("\n");
}
