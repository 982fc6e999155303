import { createDice, type Dice } from "./dice.ts";
import { type Death, type Moment, momentName, momentsIn, parseTime, planKills, playKill } from "./kills.ts";
import { type Run, runProgram } from "./program.ts";
import { recordSteps, stepsNamedIn } from "./record.ts";
import { STEPS } from "./steps.ts";
import { align } from "./table.ts";
import { playTrials, tallyOf } from "./trial.ts";

/**
 * `npm run crash`: kills agents right before and right after their requests, and at random, starts them again at once,
 * and looks each time whether the federation comes to where it was meant to come.
 */

const USAGE = "npm run crash -- [--kills N] [--seed S] [--only WORDS] [--seconds S] [--stages N] [--logs]";
/** A few kills take a few steps: to learn what a step asks takes as long as some kills. */
const KILLS_PER_STEP = 10;

async function main(run: Run): Promise<boolean> {
  const { options, teller } = run;
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 31);
  teller.say(`seed ${seed}`);
  const moments = await choose(run, createDice(seed));
  const trials = moments.map((moment) => ({
    name: momentName(moment),
    step: moment.step,
    play: (stage: Parameters<typeof playKill>[0]) => playKill(stage, moment),
  }));
  const startMs = performance.now();
  const deaths = await playTrials(run, "crash", trials);
  const seconds = (performance.now() - startMs) / 1000 / Math.max(1, deaths.length);
  for (const line of [...formatHistogram(deaths), ""]) teller.say(line);
  const { passed, unmet, isGreen } = tallyOf(deaths);
  teller.say(
    `seed ${seed}: ${deaths.length - unmet} kills, ${passed} times converged, ${unmet} not met, in ${teller.duration()}, ` +
      `${seconds.toFixed(1)} s a kill`,
  );
  return isGreen;
}

/** The kills that were asked for, by name or by number. */
async function choose(run: Run, dice: Dice): Promise<readonly Moment[]> {
  const { only, kills } = run.options;
  const time = parseTime(only);
  if (time !== null) return [time];
  if (only === "") {
    const steps = dice.shuffle(STEPS).slice(0, Math.ceil(kills / KILLS_PER_STEP));
    return planKills(await recordSteps(run, steps), kills, dice);
  }
  const recorded = await recordSteps(run, stepsNamedIn(only));
  return momentsIn(recorded).filter((moment) => momentName(moment).includes(only));
}

/** How many kills hit where, by step and by what was asked just then. */
function formatHistogram(deaths: readonly Death[]): readonly string[] {
  const rows = new Map<string, { before: number; after: number; time: number }>();
  for (const { moment } of deaths) {
    const [at, when] =
      moment.kind === "time" ? (["at random", "time"] as const) : ([moment.asked.name, moment.when] as const);
    const role = moment.kind === "time" ? moment.role : moment.asked.role;
    const key = [moment.step.name, role, at].join("\t");
    const row = rows.get(key) ?? { before: 0, after: 0, time: 0 };
    row[when] += 1;
    rows.set(key, row);
  }
  const lines = [...rows]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, { before, after, time }]) => [...key.split("\t"), ...[before, after, time].map(String)]);
  return align([["step", "agent", "request", "before", "after", "at random"], ...lines], 3);
}

process.exitCode = await runProgram(process.argv.slice(2), USAGE, main);
