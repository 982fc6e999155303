import { FAULT_KINDS, type FaultKind } from "./fault-kinds.ts";
import type { Outcome } from "./outcome.ts";
import { NO_TROUBLE, playStep } from "./play.ts";
import { whySilent } from "./silence.ts";
import type { Asked, Stage, Trouble } from "./stage.ts";
import type { Step } from "./steps.ts";

/** One request of the scenario with one fault. */
export interface Cell {
  readonly step: Step;
  readonly asked: Asked;
  readonly fault: FaultKind;
}

/** `edit leader git POST git-receive-pack main #1 lost`: what `--only` finds it by. */
export function cellName({ step, asked, fault }: Cell): string {
  return `${requestName(step, asked)} ${fault.name}`;
}

export function requestName({ name: step }: Step, { role, side, name, nth }: Asked): string {
  return `${step} ${role} ${side} ${name} #${nth}`;
}

/** How often a step is played to learn what is asked: a poll that came by chance is not asked each time. */
const RECORDINGS = 2;

/**
 * Every request that a step makes whenever it is played, of those that it is about, in order.
 * @throws Error where the step goes wrong without any fault
 */
export async function recordStep(stage: Stage, step: Step): Promise<readonly Asked[]> {
  let always: readonly Asked[] | null = null;
  for (let recording = 1; recording <= RECORDINGS; recording += 1) {
    const asked: Asked[] = [];
    const arrived: Trouble["arrived"] = async (one) => {
      if (step.roles.includes(one.role)) asked.push(one);
      return null;
    };
    const { wrongs } = await playStep(stage, step, { ...NO_TROUBLE, arrived });
    if (wrongs.length > 0) throw new Error(`${step.name} goes wrong without any fault: ${wrongs.join("; ")}`);
    const names = new Set(asked.map((one) => requestName(step, one)));
    always = always === null ? asked : always.filter((one) => names.has(requestName(step, one)));
  }
  return always ?? [];
}

export function cellsOf(step: Step, recorded: readonly Asked[]): readonly Cell[] {
  return recorded.flatMap((asked) => FAULT_KINDS.map((fault) => ({ step, asked, fault })));
}

/** What became of a cell. */
export interface Verdict {
  readonly cell: Cell;
  /** False when the request was not made this time. */
  readonly met: boolean;
  /** What should not be; nothing where it passed. */
  readonly wrongs: readonly string[];
  /** What the agent that met the fault said. */
  readonly codes: readonly string[];
  /** Why it may say nothing; null where it has to speak. */
  readonly silence: string | null;
}

/** Plays the cell's step with that one fault at that one request. */
export async function playCell(stage: Stage, cell: Cell): Promise<Verdict> {
  const { step, asked, fault } = cell;
  const wanted = requestName(step, asked);
  const silence = whySilent(cell);
  let met = false;
  const arrived: Trouble["arrived"] = async (one) => {
    if (met || requestName(step, one) !== wanted) return null;
    met = true;
    return fault.at(one);
  };
  const heard = () => (met && silence === null ? asked : null);
  const alternatives = (outcome: Outcome) => (hidesDeletion(cell) ? [undone(outcome)] : []);
  const { wrongs, codes } = await playStep(stage, step, { ...NO_TROUBLE, arrived, heard, alternatives });
  return { cell, met, wrongs, codes: [...new Set(codes[asked.role])], silence };
}

/**
 * A list that is not found says that the CRD is not there, and what goes with its CRD was deleted by nobody: the object
 * may come back, and then whoever wanted it deleted has to say so again.
 */
function hidesDeletion({ step, asked: { name }, fault }: Cell): boolean {
  return step.name === "delete" && fault.name === "404" && /^GET (gslbconfigs|globaldeploymentpolicies)$/.test(name);
}

function undone(outcome: Outcome): Outcome {
  return { ...outcome, policy: {}, commits: { people: 0, agents: 0 } };
}
