import { setTimeout as sleep } from "node:timers/promises";
import type { Dice } from "./dice.ts";
import { NO_TROUBLE, playStep } from "./play.ts";
import { type Recorded, requestName } from "./record.ts";
import type { Asked, Role, Stage, Trouble } from "./stage.ts";
import { type Step, stepNamed } from "./steps.ts";
import type { Ending } from "./trial.ts";

/** When an agent is killed. */
export type Moment =
  /** Right before its server hears of a request, or right after the server did it and before the agent hears of it. */
  | { readonly kind: "request"; readonly step: Step; readonly asked: Asked; readonly when: "before" | "after" }
  /** So long after the step began, whatever it does then. */
  | { readonly kind: "time"; readonly step: Step; readonly role: Role; readonly afterMs: number };

/** `edit leader git POST git-receive-pack main #1 after`, `edit leader at 317 ms`: what `--only` finds it by. */
export function momentName(moment: Moment): string {
  return moment.kind === "request"
    ? `${requestName(moment.step, moment.asked)} ${moment.when}`
    : `${moment.step.name} ${moment.role} at ${moment.afterMs} ms`;
}

/** The moment of that name, where the name says all of it. */
export function parseTime(name: string): Moment | null {
  const [, step = "", role, afterMs] = /^(\S+) (leader|follower) at (\d+) ms$/.exec(name) ?? [];
  if (afterMs === undefined) return null;
  return { kind: "time", step: stepNamed(step), role: role as Role, afterMs: Number(afterMs) };
}

/** One kill of so many comes at random; the others come at a request. */
const RANDOM_EVERY = 3;

/**
 * So many moments: requests that write something first, each before and after, then those that read; every third one at
 * random instead.
 */
export function planKills(recorded: ReadonlyMap<Step, Recorded>, kills: number, dice: Dice): readonly Moment[] {
  const requests = momentsIn(recorded);
  const writes = dice.shuffle(requests.filter(isWrite));
  const reads = dice.shuffle(requests.filter((moment) => !isWrite(moment)));
  const ordered = [...writes, ...reads];
  const steps = [...recorded];
  return Array.from({ length: kills }, (_, index): Moment => {
    const place = index - Math.floor((index + 1) / RANDOM_EVERY);
    const found = index % RANDOM_EVERY === RANDOM_EVERY - 1 ? undefined : ordered[place % ordered.length];
    if (found !== undefined) return found;
    const [step, { durationMs }] = dice.pick(steps);
    const role = dice.pick(step.roles);
    return { kind: "time", step, role, afterMs: Math.round(dice.fraction() * durationMs) };
  });
}

/** Every request before and after. */
export function momentsIn(recorded: ReadonlyMap<Step, Recorded>): readonly Moment[] {
  return [...recorded].flatMap(([step, { asked }]) => asked.flatMap((one) => momentsAt(step, one)));
}

/** A watch has no end after which anything could come. */
function momentsAt(step: Step, asked: Asked): readonly Moment[] {
  const times = asked.name.startsWith("WATCH") ? (["before"] as const) : (["before", "after"] as const);
  return times.map((when) => ({ kind: "request", step, asked, when }));
}

function isWrite(moment: Moment): boolean {
  if (moment.kind === "time") return false;
  const { name } = moment.asked;
  return !/^(?:GET|WATCH) |git-upload-pack|\(dry run\)$/.test(name);
}

/** What became of a kill. */
export interface Death extends Ending {
  readonly moment: Moment;
}

/** Plays the moment's step, kills the agent just then, starts it again at once, and looks what comes of it. */
export async function playKill(stage: Stage, moment: Moment): Promise<Death> {
  const cast = { leader: stage.leads(), follower: stage.follows() };
  let death: Promise<void> | null = null;
  let told = false;
  const die = (role: Role, afterMs = 0): Promise<void> => {
    death ??= (async () => {
      await sleep(afterMs);
      await stage.kill(cast[role]);
      stage.start(cast[role]);
    })();
    return death;
  };
  const over = async (): Promise<boolean> => {
    if (death === null) return false;
    await death;
    const news = !told;
    told = true;
    return news;
  };
  const { wrongs } = await playStep(stage, moment.step, { ...NO_TROUBLE, ...troubleAt(moment, die), over });
  return { moment, met: death !== null, wrongs };
}

/** How it comes to the kill. */
function troubleAt(moment: Moment, die: (role: Role, afterMs?: number) => Promise<void>): Partial<Trouble> {
  if (moment.kind === "time") return { began: () => void die(moment.role, moment.afterMs) };
  const { step, asked, when } = moment;
  const wanted = requestName(step, asked);
  let met = false;
  return {
    async arrived(one) {
      if (met || requestName(step, one) !== wanted) return null;
      met = true;
      if (when === "after") return { kind: "lost-answer" };
      await die(one.role);
      return { kind: "refuse" };
    },
    async answered(one) {
      if (met && when === "after" && requestName(step, one) === wanted) await die(one.role);
    },
  };
}
