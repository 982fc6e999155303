import { parseArgs } from "node:util";

/** Wrong usage; the program ends with 2. */
export class WrongUsage extends Error {}

/** `--slice 7/60`: every 60th, beginning with the 7th; a number beyond that begins anew, so that any counter will do. */
export interface Slice {
  readonly index: number;
  readonly of: number;
}

/** What both programs can be told. */
export interface RunOptions {
  /** Words that the name of what is played holds; empty for all. */
  readonly only: string;
  readonly slice: Slice;
  /** After this many seconds nothing more is begun; null sets no limit. */
  readonly seconds: number | null;
  /** How many federations are used at once. */
  readonly stages: number;
  /** Prints the agents' logs where something fails. */
  readonly logs: boolean;
  readonly kills: number;
  /** Null leaves it to chance. */
  readonly seed: number | null;
}

const STAGES = 3;
const STAGES_MAX = 16;
const KILLS = 500;

const OPTIONS = {
  only: { type: "string", default: "" },
  slice: { type: "string", default: "0/1" },
  seconds: { type: "string" },
  stages: { type: "string", default: String(STAGES) },
  logs: { type: "boolean", default: false },
  kills: { type: "string", default: String(KILLS) },
  seed: { type: "string" },
} as const;

/** @throws WrongUsage */
export function readOptions(args: readonly string[]): RunOptions {
  const { values } = parse(args);
  const { only, slice, seconds, stages, logs, kills, seed } = values;
  return {
    only,
    slice: readSlice(slice),
    seconds: seconds === undefined ? null : readNumber("--seconds", seconds, 1),
    stages: Math.min(STAGES_MAX, readNumber("--stages", stages, 1)),
    logs,
    kills: readNumber("--kills", kills, 1),
    seed: seed === undefined ? null : readNumber("--seed", seed, 0),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS });
  } catch (error) {
    throw new WrongUsage(error instanceof Error ? error.message : String(error));
  }
}

function readNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) throw new WrongUsage(`${name} ${text} is no number from ${least}`);
  return value;
}

function readSlice(text: string): Slice {
  const [, index = "", of = ""] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (Number(of) < 1) throw new WrongUsage(`--slice ${text} is not like 7/60`);
  return { index: Number(index) % Number(of), of: Number(of) };
}

/** A slice of what is played: it holds a few steps, so that no more has to be learnt than is used. */
export interface Sliced<Step> {
  readonly all: readonly Step[];
  /** What the slice holds of what those steps hold. */
  within<T>(parts: readonly T[]): readonly T[];
}

/** The slices take turns with the steps, and then with what the steps hold. */
export function sliceOf<Step>(steps: readonly Step[], { index, of }: Slice): Sliced<Step> {
  if (of < steps.length) return { all: steps, within: (parts) => parts.filter((_, place) => place % of === index) };
  const turns = Math.ceil((of - (index % steps.length)) / steps.length);
  const turn = Math.floor(index / steps.length);
  return {
    all: steps.filter((_, place) => place === index % steps.length),
    within: (parts) => parts.filter((_, place) => place % turns === turn),
  };
}
