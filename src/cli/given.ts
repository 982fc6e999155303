import { type DurationRange, isWithinPrefix, parseDuration, parseFolder } from "../config.ts";
import type { ClusterName } from "../core/model.ts";
import { parseClusterName } from "../core/names.ts";
import { FederationError } from "../errors.ts";

/** What the command line gave to a verb, by flag without dashes (`git-timeout`); the environment and defaults included. */
export interface Given {
  /** A positional argument, from 0; null where it was left out. */
  argument(index: number): string | null;
  /** A flag's value; null where neither given nor with a default. Empty text counts as not given. */
  text(flag: string): string | null;
  /** Every value of a flag that may be repeated; values separated by commas count as several. */
  texts(flag: string): readonly string[];
  isSet(flag: string): boolean;
  /** @throws FederationError AG4002 where it is missing */
  required(flag: string, remedy: string): string;
  /** @throws FederationError AG4002 for anything that is none of the choices */
  oneOf<Choice extends string>(flag: string, choices: readonly [Choice, ...Choice[]]): Choice;
  /** In milliseconds; null where it was not given. A range of null takes any. @throws FederationError AG4002 */
  duration(flag: string, range: DurationRange | null): number | null;
  /** @throws FederationError AG4002 for text that no context can have */
  cluster(flag: string): ClusterName | null;
  /** Where the federation is, as the agent reads the same flags. @throws FederationError AG4002 */
  place(): Place;
}

/** Which branch is tracked, in which folder of it the federation is, and below what the agents' own branches are. */
export interface Place {
  readonly branch: string;
  /** Empty for the root. */
  readonly path: string;
  readonly refPrefix: string;
}

/** How long a person may let one request take: more than an agent, which has a liveness probe. */
export const REQUEST_DURATIONS: DurationRange = { minMs: 1, maxMs: 60 * 60_000, remedy: "Use from 1ms to 1h." };

/** What commander parsed, by flag. */
export type GivenOptions = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

export function createGiven(args: readonly (string | undefined)[], options: GivenOptions): Given {
  const text = (flag: string): string | null => {
    const value = options[flag];
    return typeof value === "string" && value !== "" ? value : null;
  };
  return {
    argument: (index) => args[index] ?? null,
    text,
    texts(flag) {
      const value = options[flag];
      const values = typeof value === "string" ? [value] : Array.isArray(value) ? (value as readonly string[]) : [];
      return values
        .flatMap((one) => one.split(","))
        .map((one) => one.trim())
        .filter((one) => one !== "");
    },
    isSet: (flag) => options[flag] === true,
    required(flag, remedy) {
      const value = text(flag);
      if (value === null) throw wrongFlag(flag, null, "missing", remedy);
      return value;
    },
    oneOf(flag, choices) {
      const value = text(flag) ?? choices[0];
      const choice = choices.find((one) => one === value);
      if (choice === undefined) throw wrongFlag(flag, value, "no such choice", `Use ${listed(choices)}.`);
      return choice;
    },
    duration(flag, range) {
      const value = text(flag);
      if (value === null) return null;
      const parsed = parseDuration(value);
      if (parsed === null)
        throw wrongFlag(flag, value, "no duration", "Write a number and ms, s, m or h: 30s, 5m, 2h.");
      if (range !== null && parsed < range.minMs) throw wrongFlag(flag, value, "too short", range.remedy);
      if (range !== null && parsed > range.maxMs) throw wrongFlag(flag, value, "too long", range.remedy);
      return parsed;
    },
    cluster(flag) {
      const value = text(flag);
      if (value === null) return null;
      const parsed = parseClusterName(value);
      if (parsed === null)
        throw wrongFlag(flag, value, "no usable context name", "Give the name as clusterContext has it.");
      return parsed;
    },
    place() {
      const [branch, refPrefix, folder] = [text("branch") ?? "main", text("ref-prefix") ?? "amko", text("path") ?? ""];
      const path = parseFolder(folder);
      if (path === null)
        throw wrongFlag("path", folder, "leaves the repository", "Give a folder inside the repository.");
      if (isWithinPrefix(branch, refPrefix))
        throw wrongFlag(
          "branch",
          branch,
          `not apart from --ref-prefix "${refPrefix}"`,
          "Give them as the agents have.",
        );
      return { branch, path, refPrefix };
    },
  };
}

/** A flag that cannot be used: what it was, why, and what to do. */
export function wrongFlag(flag: string, value: string | null, cause: string, remedy: string): FederationError {
  return new FederationError("AG4002", `--${flag}${value === null ? "" : ` "${value}"`}: ${cause}`, { remedy });
}

function listed(choices: readonly string[]): string {
  return choices.length < 2 ? (choices[0] ?? "") : `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
}
