import { FAULT_KINDS, type FaultKind } from "./fault-kinds.ts";
import type { Outcome } from "./outcome.ts";
import { NO_TROUBLE, playStep } from "./play.ts";
import { requestName } from "./record.ts";
import { whySilent } from "./silence.ts";
import type { Asked, Stage, Trouble } from "./stage.ts";
import type { Step } from "./steps.ts";
import type { Ending } from "./trial.ts";

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

export function cellsOf(step: Step, recorded: readonly Asked[]): readonly Cell[] {
  return recorded.flatMap((asked) => FAULT_KINDS.map((fault) => ({ step, asked, fault })));
}

/** What became of a cell. */
export interface Verdict extends Ending {
  readonly cell: Cell;
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
  const alternatives = (outcome: Outcome) => (met && hidesDeletion(cell) ? [undone(outcome)] : []);
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
