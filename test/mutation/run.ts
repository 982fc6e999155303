import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { PROJECT } from "../support/process.ts";
import { type Mutant, mutantsOf } from "./mutants.ts";
import { HARMLESS } from "./survivors.ts";
import { openBench, type Verdict } from "./trial.ts";

/**
 * `npm run mutate`: changes one place after the other of the code that decides, each in a copy, and looks whether the
 * core's tests or some hundred simulated histories notice. Fails where one is not noticed that `survivors.ts` does not
 * explain, or where it explains one that is noticed.
 */

const MUTATED: readonly string[] = ["merge", "view", "plan", "handover", "role"];
const HISTORIES = 300;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    workers: { type: "string", default: String(availableParallelism()) },
    histories: { type: "string", default: String(HISTORIES) },
  },
});
const sources = MUTATED.map((name) => `src/core/${name}.ts`);
const tests = MUTATED.map((name) => `test/core/${name}.test.ts`);
const mutants = (await Promise.all(sources.map(readMutants))).flat().filter(({ name }) => name.includes(values.only));
const verdicts = new Map<Mutant, Verdict>();
const waiting = [...mutants];
say(`${mutants.length} mutants`);
await Promise.all(Array.from({ length: Math.min(Number(values.workers), mutants.length) }, work));
process.exitCode = report() ? 0 : 1;

async function readMutants(file: string): Promise<readonly Mutant[]> {
  return mutantsOf(file, await readFile(join(PROJECT, file), "utf8"));
}

async function work(): Promise<void> {
  await using bench = await openBench(tests, Number(values.histories));
  for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
    const verdict = await bench.judge(mutant);
    verdicts.set(mutant, verdict);
    if (verdict === null && HARMLESS[mutant.name] === undefined)
      say(`NOT noticed, line ${mutant.line}: ${mutant.name}`);
  }
}

/** The table; whether everything is as it should be. */
function report(): boolean {
  const columns = ["its own tests", "the core's tests", "the simulation", null] as const;
  say("\n| file | mutants | its own tests | the core's tests | the simulation | nobody |\n|---|---|---|---|---|---|");
  for (const file of sources) {
    const found = [...verdicts].filter(([mutant]) => mutant.file === file).map(([, verdict]) => verdict);
    const counts = columns.map((column) => found.filter((verdict) => verdict === column).length);
    say(`| ${[file, found.length, ...counts].join(" | ")} |`);
  }
  const survived = new Set([...verdicts].filter(([, verdict]) => verdict === null).map(([{ name }]) => name));
  const unexplained = [...survived].filter((name) => HARMLESS[name] === undefined);
  const stale = Object.keys(HARMLESS).filter((name) => name.includes(values.only) && !survived.has(name));
  say(
    `\n${survived.size} of ${verdicts.size} noticed by nobody, ${survived.size - unexplained.length} of them explained`,
  );
  for (const name of unexplained) say(`unexplained: ${name}`);
  for (const name of stale) say(`explained, and noticed or not there: ${name}`);
  return unexplained.length === 0 && stale.length === 0;
}
