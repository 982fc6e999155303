import { FAULT_KINDS } from "./fault-kinds.ts";
import { type Cell, cellName, cellsOf, playCell } from "./matrix.ts";
import { sliceOf } from "./options.ts";
import { type Run, runProgram } from "./program.ts";
import { recordSteps, stepsNamedIn } from "./record.ts";
import { formatTable, formatVoices } from "./table.ts";
import { playTrials, tallyOf } from "./trial.ts";

/**
 * `npm run faults`: plays a scenario to learn every request that the agents make, and then once for every request and
 * every fault, with that one fault at that one request.
 */

const USAGE = "npm run faults -- [--only WORDS] [--slice I/N] [--seconds S] [--stages N] [--logs]";

async function main(run: Run): Promise<boolean> {
  const { options, teller } = run;
  const steps = sliceOf(stepsNamedIn(options.only), options.slice);
  const recorded = await recordSteps(run, steps.all);
  const matrix = [...recorded].flatMap(([step, { asked }]) => cellsOf(step, asked));
  const chosen = steps.within(matrix.filter((cell) => cellName(cell).includes(options.only)));
  teller.say(`${describe(matrix)}; ${chosen.length} of them are to be played`);
  const trials = chosen.map((cell) => ({
    name: cellName(cell),
    step: cell.step,
    play: (stage: Parameters<typeof playCell>[0]) => playCell(stage, cell),
  }));
  const verdicts = await playTrials(run, "faults", trials);
  for (const line of [...formatTable(verdicts), "", "said:", ...formatVoices(verdicts), ""]) teller.say(line);
  const { passed, unmet, isGreen } = tallyOf(verdicts);
  const left = verdicts.length === matrix.length ? "" : `${verdicts.length} played, `;
  teller.say(`${describe(matrix)}, ${left}${passed} passed, ${unmet} not met, in ${teller.duration()}`);
  return isGreen;
}

function describe(matrix: readonly Cell[]): string {
  return `${matrix.length / FAULT_KINDS.length} requests x ${FAULT_KINDS.length} faults = ${matrix.length} cells`;
}

process.exitCode = await runProgram(process.argv.slice(2), USAGE, main);
