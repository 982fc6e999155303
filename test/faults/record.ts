import type { Job } from "./crew.ts";
import { NO_TROUBLE, playStep } from "./play.ts";
import type { Run } from "./program.ts";
import type { Asked, Stage, Trouble } from "./stage.ts";
import { STEPS, type Step } from "./steps.ts";

/** What a step asks for, and how long it takes. */
export interface Recorded {
  /** Every request that it makes whenever it is played, of those that it is about, in order. */
  readonly asked: readonly Asked[];
  readonly durationMs: number;
}

/** `edit leader git POST git-receive-pack main #1` */
export function requestName({ name: step }: Step, { role, side, name, nth }: Asked): string {
  return `${step} ${role} ${side} ${name} #${nth}`;
}

/** The steps that words to look for begin with; all where they begin with none. */
export function stepsNamedIn(words: string): readonly Step[] {
  const named = STEPS.filter(({ name }) => words.startsWith(`${name} `));
  return named.length > 0 ? named : STEPS;
}

/** Plays the steps without any fault. @throws Error where one goes wrong by itself */
export async function recordSteps({ crew }: Run, steps: readonly Step[]): Promise<ReadonlyMap<Step, Recorded>> {
  const recorded = new Map<Step, Recorded>();
  const jobs = steps.map(
    (step): Job<Recorded> => ({
      step,
      fresh: false,
      play: (stage) => recordStep(stage, step),
      done(result) {
        recorded.set(step, result);
        return { usable: true, more: [] };
      },
    }),
  );
  await crew.playAll(jobs, new AbortController().signal);
  return new Map(steps.flatMap((step) => [[step, recorded.get(step) ?? NOTHING] as const]));
}

const NOTHING: Recorded = { asked: [], durationMs: 0 };
/** How often a step is played to learn what is asked: a poll that came by chance is not asked each time. */
const RECORDINGS = 6;

async function recordStep(stage: Stage, step: Step): Promise<Recorded> {
  let always: readonly Asked[] | null = null;
  let durationMs = 0;
  for (let recording = 1; recording <= RECORDINGS; recording += 1) {
    const asked: Asked[] = [];
    const arrived: Trouble["arrived"] = async (one) => {
      if (step.roles.includes(one.role)) asked.push(one);
      return null;
    };
    let beganMs = 0;
    const began = () => {
      beganMs = performance.now();
    };
    const { wrongs } = await playStep(stage, step, { ...NO_TROUBLE, began, arrived });
    if (wrongs.length > 0) throw new Error(`${step.name} goes wrong without any fault: ${wrongs.join("; ")}`);
    durationMs = performance.now() - beganMs;
    const names = new Set(asked.map((one) => requestName(step, one)));
    always = always === null ? asked : always.filter((one) => names.has(requestName(step, one)));
  }
  return { asked: always ?? [], durationMs };
}
