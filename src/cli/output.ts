import type { Given } from "./given.ts";
import type { Shell } from "./shell.ts";
import { type OptionDescription, option } from "./verb.ts";

/** `-o`, as kubectl spells it. */
export const OUTPUT_OPTION: OptionDescription = option("output", "format", "text", "text or json", {
  short: "o",
  choices: ["text", "json"],
});

/** Data for scripts where they ask for it, and text for people otherwise. The shapes of the data are documented and stay. */
export function printResult(given: Given, shell: Shell, data: unknown, text: () => string): void {
  const format = given.oneOf("output", ["text", "json"]);
  shell.stdout.write(format === "json" ? `${JSON.stringify(data, null, 2)}\n` : text());
}
