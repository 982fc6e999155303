import type { Aftermath, Job } from "./crew.ts";
import { FAULT_KINDS } from "./fault-kinds.ts";
import { type Cell, cellName, cellsOf, playCell, recordStep, type Verdict } from "./matrix.ts";
import { sliceOf } from "./options.ts";
import { type Run, runProgram } from "./program.ts";
import type { Asked, Stage } from "./stage.ts";
import { STEPS, type Step } from "./steps.ts";
import { formatTable, formatVoices, hasPassed } from "./table.ts";
import { formatDuration } from "./teller.ts";

/**
 * `npm run faults`: plays the scenario once to learn every request that the agents make, and then once for every
 * request and every fault, with that one fault at that one request.
 */

const USAGE = `npm run faults -- [--only WORDS] [--slice I/N] [--seconds S] [--stages N] [--logs]`;
/** A request that was not made, since something else had happened before: it is tried so often. */
const ATTEMPTS_MAX = 3;

async function main(run: Run): Promise<boolean> {
  const { options, crew, teller, signal } = run;
  const startMs = performance.now();
  const recorded = await record(run);
  const matrix = STEPS.flatMap((step) => cellsOf(step, recorded.get(step) ?? []));
  const chosen = sliceOf(
    matrix.filter((cell) => cellName(cell).includes(options.only)),
    options.slice,
  );
  teller.say(`${describe(matrix)}; ${chosen.length} of them are played`);
  const verdicts: Verdict[] = [];
  const wrong = () => verdicts.filter((verdict) => !hasPassed(verdict)).length;
  await crew.playAll(
    chosen.map((cell) =>
      jobOf(cell, run, 1, (verdict) => {
        verdicts.push(verdict);
        teller.progress(verdicts.length, chosen.length, wrong());
      }),
    ),
    signal,
  );
  for (const line of [...formatTable(verdicts), "", "said:", ...formatVoices(verdicts), ""]) teller.say(line);
  const left = chosen.length - verdicts.length;
  if (left > 0) teller.say(`${left} cells were left out: the time was over`);
  const passed = verdicts.length - wrong();
  const duration = formatDuration(performance.now() - startMs);
  teller.say(`${describe(matrix)}, ${verdicts.length} played, ${passed} passed, ${wrong()} failed, in ${duration}`);
  return chosen.length > 0 && wrong() === 0;
}

function describe(matrix: readonly Cell[]): string {
  return `${matrix.length / FAULT_KINDS.length} requests x ${FAULT_KINDS.length} faults = ${matrix.length} cells`;
}

/** The steps that `--only` asks for, without any fault. */
async function record({ options, crew }: Run): Promise<ReadonlyMap<Step, readonly Asked[]>> {
  const recorded = new Map<Step, readonly Asked[]>();
  const named = STEPS.filter(({ name }) => options.only.startsWith(`${name} `));
  const jobs = (named.length > 0 ? named : STEPS).map(
    (step): Job<readonly Asked[]> => ({
      step,
      fresh: false,
      play: (stage) => recordStep(stage, step),
      done(asked) {
        recorded.set(step, asked);
        return { usable: true, more: [] };
      },
    }),
  );
  await crew.playAll(jobs, new AbortController().signal);
  return recorded;
}

interface Attempt {
  readonly verdict: Verdict;
  readonly logs: string;
}

function jobOf(cell: Cell, run: Run, attempt: number, judged: (verdict: Verdict) => void): Job<Attempt> {
  return {
    step: cell.step,
    fresh: attempt > 1,
    async play(stage: Stage) {
      const verdict = await playCell(stage, cell);
      return { verdict, logs: verdict.wrongs.length > 0 && run.options.logs ? await stage.world.logs() : "" };
    },
    done({ verdict, logs }): Aftermath<Attempt> {
      const { met, wrongs } = verdict;
      const usable = wrongs.length === 0;
      if (usable && !met && attempt < ATTEMPTS_MAX) {
        return { usable, more: [jobOf(cell, run, attempt + 1, judged)] };
      }
      judged(verdict);
      if (!hasPassed(verdict)) tellFailure(run, verdict, logs);
      return { usable, more: [] };
    },
  };
}

function tellFailure({ teller }: Run, { cell, met, wrongs }: Verdict, logs: string): void {
  const name = cellName(cell);
  teller.say(`FAILED ${name}`);
  for (const wrong of met ? wrongs : [...wrongs, "the request was not made this time"]) teller.say(`  ${wrong}`);
  teller.say(`  again: npm run faults -- --logs --only '${name}'`);
  if (logs !== "") teller.say(logs);
}

process.exitCode = await runProgram(process.argv.slice(2), USAGE, main);
