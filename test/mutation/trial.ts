import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { playShift } from "../simulation/crew.ts";
import { makePatchedCopy } from "../support/patched-copy.ts";
import type { Mutant } from "./mutants.ts";

/** Who noticed a mutant first; null where nobody did. */
export type Verdict = "its own tests" | "the core's tests" | "the simulation" | null;

/** A copy of the project to try one mutant after the other in. */
export interface Bench extends AsyncDisposable {
  judge(mutant: Mutant): Promise<Verdict>;
}

/** A mutant that makes something go round in a circle is noticed too. */
const TESTS_MAX_MS = 60_000;
const SIMULATION_MAX_MS = 120_000;

export async function openBench(tests: readonly string[], histories: number): Promise<Bench> {
  const copy = await makePatchedCopy();
  if (!(await passes(copy.path, tests))) throw new Error("the tests fail also where nothing was changed");

  async function judgeCopy({ file }: Mutant): Promise<Verdict> {
    const own = file.replace(/^src\/(.*)\.ts$/, "test/$1.test.ts");
    if (!(await passes(copy.path, [own]))) return "its own tests";
    if (
      !(await passes(
        copy.path,
        tests.filter((test) => test !== own),
      ))
    )
      return "the core's tests";
    return (await survivesHistories(copy.path, histories)) ? null : "the simulation";
  }

  return {
    async judge(mutant) {
      const path = join(copy.path, mutant.file);
      const original = await readFile(path, "utf8");
      await writeFile(path, mutant.text);
      try {
        return await judgeCopy(mutant);
      } finally {
        await writeFile(path, original);
      }
    },
    [Symbol.asyncDispose]: () => copy[Symbol.asyncDispose](),
  };
}

async function passes(folder: string, tests: readonly string[]): Promise<boolean> {
  const vitest = join(folder, "node_modules/vitest/vitest.mjs");
  const args = [vitest, "run", "--config", "test/vitest.config.ts", "--bail=1", "--reporter=dot", ...tests];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    stdio: "ignore",
    timeout: TESTS_MAX_MS,
    killSignal: "SIGKILL",
  });
  const { promise, resolve } = Promise.withResolvers<boolean>();
  child.on("exit", (code) => resolve(code === 0));
  return promise;
}

async function survivesHistories(folder: string, histories: number): Promise<boolean> {
  const signal = AbortSignal.timeout(SIMULATION_MAX_MS);
  let failed = false;
  const told = ({ failure }: { readonly failure: unknown }): boolean => {
    failed = failure !== null;
    return !failed;
  };
  try {
    await playShift({ folder, workers: 1, firstSeed: 1, histories, shrinks: false, lie: null, signal, told });
  } catch {
    // The process died of it.
    return false;
  }
  return !failed && !signal.aborted;
}
