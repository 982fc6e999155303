import { temporaryFolder } from "../support/git.ts";
import { fillCompileCache } from "./compile-cache.ts";
import { type Crew, createCrew } from "./crew.ts";
import { type RunOptions, readOptions, WrongUsage } from "./options.ts";
import { createTeller, type Teller } from "./teller.ts";

/** What a program is given to run with. */
export interface Run {
  readonly options: RunOptions;
  readonly crew: Crew;
  readonly teller: Teller;
  /** Aborts when the time is over, or somebody interrupts. */
  readonly signal: AbortSignal;
}

/** Runs a program to its end. Its exit code: 0 where all was well, 1 where it was not, 2 for wrong usage. */
export async function runProgram(
  args: readonly string[],
  usage: string,
  main: (run: Run) => Promise<boolean>,
): Promise<number> {
  let options: RunOptions;
  try {
    options = readOptions(args);
  } catch (error) {
    if (!(error instanceof WrongUsage)) throw error;
    process.stderr.write(`${error.message}\n${usage}\n`);
    return 2;
  }
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => interrupted.abort());
  const limits = options.seconds === null ? [] : [AbortSignal.timeout(options.seconds * 1000)];
  const signal = AbortSignal.any([interrupted.signal, ...limits]);
  const teller = createTeller(process.stdout, () => performance.now());
  const crew = createCrew(options.stages);
  await using cache = await temporaryFolder();
  await fillCompileCache(cache.path);
  let isWell = false;
  try {
    isWell = await main({ options, crew, teller, signal });
  } finally {
    for (const finding of await crew.stop()) {
      teller.say(`at the end: ${finding}`);
      isWell = false;
    }
  }
  return isWell && !interrupted.signal.aborted ? 0 : 1;
}
