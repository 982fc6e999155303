import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { LIES } from "./lies.ts";
import { PLANTED_BUGS } from "./planted.ts";

/** Wrong usage; the program ends with 2. */
export class WrongUsage extends Error {}

export interface SimulateOptions {
  /** The first seed; null leaves it to chance. */
  readonly seed: number | null;
  /** Null sets no limit. */
  readonly histories: number | null;
  readonly minutes: number | null;
  readonly workers: number;
  /** Names of {@link PLANTED_BUGS} and {@link LIES}; empty plants none. */
  readonly planted: readonly string[];
}

const OPTIONS = {
  seed: { type: "string" },
  histories: { type: "string" },
  minutes: { type: "string" },
  workers: { type: "string" },
  planted: { type: "string" },
} as const;

const WORKERS_MAX = 64;
const MINUTES_MAX = 7 * 24 * 60;
/** What is explored when nothing is said. */
const HISTORIES = 1000;

/**
 * A seed alone is replayed; otherwise as many histories are explored, or for as long, as is said.
 * @throws WrongUsage
 */
export function readOptions(args: readonly string[]): SimulateOptions {
  const values = parse(args);
  const number = (name: keyof typeof OPTIONS, least: number, most: number): number | null => {
    const text = values[name];
    if (text === undefined) return null;
    const value = Number(text);
    if (text.trim() !== "" && value >= least && value <= most && (name === "minutes" || Number.isInteger(value))) {
      return value;
    }
    throw new WrongUsage(`--${name} ${text} is not from ${least} to ${most}`);
  };
  const seed = number("seed", 0, 0x7fffffff);
  const minutes = number("minutes", 0, MINUTES_MAX);
  const otherwise = minutes !== null ? null : seed !== null ? 1 : HISTORIES;
  return {
    seed,
    histories: number("histories", 1, Number.MAX_SAFE_INTEGER) ?? otherwise,
    minutes,
    workers: number("workers", 1, WORKERS_MAX) ?? Math.min(WORKERS_MAX, availableParallelism()),
    planted: values.planted === undefined ? [] : namesOf(values.planted),
  };
}

function parse(args: readonly string[]): { readonly [Name in keyof typeof OPTIONS]?: string } {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    throw new WrongUsage(error instanceof Error ? error.message : String(error));
  }
}

function namesOf(wanted: string): readonly string[] {
  const known = [...PLANTED_BUGS, ...LIES].map(({ name }) => name);
  if (wanted === "all") return known;
  if (known.includes(wanted)) return [wanted];
  throw new WrongUsage(`--planted ${wanted} is none of all, ${known.join(", ")}`);
}
