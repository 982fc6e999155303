import type { Job } from "./crew.ts";
import type { Run } from "./program.ts";
import type { Stage } from "./stage.ts";
import type { Step } from "./steps.ts";

/** What came of a step with trouble in it. */
export interface Ending {
  /** False when the request that it is about was not made this time. */
  readonly met: boolean;
  /** What should not be; nothing where all was well. */
  readonly wrongs: readonly string[];
}

/** A step with trouble in it, by a name under which it can be played again. */
export interface Trial<Result extends Ending> {
  readonly name: string;
  readonly step: Step;
  play(stage: Stage): Promise<Result>;
}

/** The trouble came, and nothing was wrong afterwards. */
export function hasPassed({ met, wrongs }: Ending): boolean {
  return met && wrongs.length === 0;
}

/** What came of all of them. */
export interface Tally {
  readonly passed: number;
  /** Whose request was not made again, however often it was looked for: a poll that came by chance is no part of a step. */
  readonly unmet: number;
  /** Nothing was wrong anywhere, and next to all requests were made again. */
  readonly isGreen: boolean;
}

const UNMET_SHARE_MAX = 0.01;

export function tallyOf(endings: readonly Ending[]): Tally {
  const passed = endings.filter(hasPassed).length;
  const unmet = endings.filter(({ met, wrongs }) => !met && wrongs.length === 0).length;
  const isGreen =
    passed > 0 && passed + unmet === endings.length && unmet <= Math.ceil(endings.length * UNMET_SHARE_MAX);
  return { passed, unmet, isGreen };
}

/** A request that is not made again is looked for so often, on a stage where nothing has happened yet. */
const ATTEMPTS_MAX = 4;

/** Plays trials and tells of those that fail, with the command that plays each again. */
export async function playTrials<Result extends Ending>(
  { crew, teller, options, signal }: Run,
  program: string,
  trials: readonly Trial<Result>[],
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let failed = 0;

  function judge(name: string, result: Result, logs: string): void {
    results.push(result);
    if (!hasPassed(result)) {
      failed += Number(result.wrongs.length > 0);
      teller.say(result.wrongs.length > 0 ? `FAILED ${name}` : `the request was not made again: ${name}`);
      for (const wrong of result.wrongs) teller.say(`  ${wrong}`);
      teller.say(`  again: npm run ${program} -- --logs --only '${name}'`);
      if (logs !== "") teller.say(logs);
    }
    teller.progress(results.length, trials.length, failed);
  }

  const jobOf = (trial: Trial<Result>, attempt: number): Job<readonly [Result, logs: string]> => ({
    step: trial.step,
    fresh: attempt > 1,
    async play(stage) {
      const result = await trial.play(stage);
      return [result, options.logs && !hasPassed(result) ? await stage.world.logs() : ""];
    },
    done([result, logs]) {
      const usable = result.wrongs.length === 0;
      if (usable && !result.met && attempt < ATTEMPTS_MAX) return { usable, more: [jobOf(trial, attempt + 1)] };
      judge(trial.name, result, logs);
      return { usable, more: [] };
    },
  });

  await crew.playAll(
    trials.map((trial) => jobOf(trial, 1)),
    signal,
  );
  if (results.length < trials.length) teller.say(`${trials.length - results.length} are left out: the time was over`);
  return results;
}
