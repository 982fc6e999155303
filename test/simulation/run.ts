import { execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import { inspect, promisify } from "node:util";
import { makePatchedCopy } from "../support/patched-copy.ts";
import { PROJECT } from "../support/process.ts";
import { playShift } from "./crew.ts";
import { LIES } from "./lies.ts";
import type { Failure, Verdict } from "./one-seed.ts";
import { readOptions, type SimulateOptions, WrongUsage } from "./options.ts";
import { PLANTED_BUGS } from "./planted.ts";

/**
 * `npm run simulate`: plays random histories to the agents' production code, as `properties.test.ts` does, for as long
 * as is said, on as many cores. A seed stands for one history. Or plants bugs, to see which checker notices them, and how soon.
 */

const USAGE = `npm run simulate -- [--seed S] [--histories N] [--minutes M] [--workers W] [--planted NAME|all]
  --seed alone replays one history; --planted plays from seed 1, or from --seed, on`;

const PROGRESS_EVERY_MS = 60_000;
/** Fresh seeds begin below this, so that they stay whole numbers however many follow. */
const FIRST_SEED_MAX = 0x3fffffff;
/** Within so many histories a planted bug has to be noticed. */
const PLANTED_HISTORIES_MAX = 1000;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(options: SimulateOptions, signal: AbortSignal): Promise<boolean> {
  if (options.planted.length === 0) return explore(options, signal);
  let allNoticed = true;
  for (const name of options.planted) {
    if (signal.aborted) return false;
    allNoticed = (await plant(name, options, signal)) && allNoticed;
  }
  return allNoticed;
}

/** Plays histories until one fails, and tells of that one what there is to tell. */
async function explore({ seed, histories, workers }: SimulateOptions, signal: AbortSignal): Promise<boolean> {
  const firstSeed = seed ?? randomInt(FIRST_SEED_MAX);
  const tally = createTally();
  let failed: Verdict | null = null;
  let nextProgressMs = PROGRESS_EVERY_MS;
  await playShift({
    folder: PROJECT,
    workers: Math.min(workers, histories ?? workers),
    firstSeed,
    histories,
    shrinks: true,
    lie: null,
    signal,
    told(verdict) {
      tally.add(verdict);
      if (verdict.failure !== null) failed = verdict;
      if (tally.elapsedMs() > nextProgressMs) {
        nextProgressMs += PROGRESS_EVERY_MS;
        say(tally.text());
      }
      return verdict.failure === null;
    },
  });
  say(`${tally.text()}, from seed ${firstSeed} on`);
  say(tally.contents());
  const { failure, seed: failing } = (failed as Verdict | null) ?? { failure: null, seed: 0 };
  if (failure !== null) await tellFailure(failing, failure);
  return failure === null;
}

async function tellFailure(seed: number, { violations, shortest }: Failure): Promise<void> {
  const { stdout } = await promisify(execFile)("git", ["rev-parse", "HEAD"], { cwd: PROJECT });
  say(`\nseed ${seed} of commit ${stdout.trim()} breaks`);
  for (const violation of violations) say(`  ${violation}`);
  say(`npm run simulate -- --seed ${seed}\n\nthe shortest history that breaks something breaks`);
  for (const violation of shortest.violations) say(`  ${violation}`);
  say(`\n${shortest.story.join("\n")}\n`);
  say(inspect(shortest.history, { depth: null, breakLength: 120 }));
}

/** Whether a planted bug was noticed; tells by whom, and after how many histories. */
async function plant(name: string, { seed, workers }: SimulateOptions, signal: AbortSignal): Promise<boolean> {
  await using copy = await makePatchedCopy();
  const patches = PLANTED_BUGS.find((bug) => bug.name === name)?.patches ?? [];
  for (const patch of patches) await copy.apply(patch);
  const firstSeed = seed ?? 1;
  let first: Verdict | null = null;
  await playShift({
    folder: copy.path,
    workers,
    firstSeed,
    histories: PLANTED_HISTORIES_MAX,
    shrinks: false,
    lie: LIES.some((lie) => lie.name === name) ? name : null,
    signal,
    told(verdict) {
      if (verdict.failure !== null && (first === null || verdict.seed < first.seed)) first = verdict;
      return first === null;
    },
  });
  const found = first as Verdict | null;
  if (found === null) say(`${name}: NOT noticed in ${PLANTED_HISTORIES_MAX} histories`);
  else say(`${name}: noticed after ${found.seed - firstSeed + 1} histories: ${found.failure?.violations[0]}`);
  return found !== null;
}

/** Counts what was played. */
function createTally() {
  const startMs = performance.now();
  const noted = new Map<string, number>();
  let histories = 0;
  let steps = 0;
  let passes = 0;
  const elapsedMs = (): number => performance.now() - startMs;
  return {
    elapsedMs,
    add(verdict: Verdict): void {
      histories += 1;
      steps += verdict.steps;
      passes += verdict.passes;
      for (const what of verdict.noted) noted.set(what, (noted.get(what) ?? 0) + 1);
    },
    text: () =>
      `${histories} histories, ${steps} steps and ${passes} passes in ${(elapsedMs() / 60_000).toFixed(1)} minutes`,
    /** In how many of the histories what happened. */
    contents: () =>
      [...noted]
        .toSorted(([, a], [, b]) => b - a)
        .map(([what, count]) => `${what} ${((100 * count) / histories).toFixed(1)} %`)
        .join(", "),
  };
}

const interrupted = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => interrupted.abort());

try {
  const options = readOptions(process.argv.slice(2));
  const limits = options.minutes === null ? [] : [AbortSignal.timeout(options.minutes * 60_000)];
  const isWell = await main(options, AbortSignal.any([interrupted.signal, ...limits]));
  process.exitCode = isWell ? 0 : 1;
} catch (error) {
  if (!(error instanceof WrongUsage)) throw error;
  process.stderr.write(`${error.message}\n${USAGE}\n`);
  process.exitCode = 2;
}
