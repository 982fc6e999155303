import type { Figure } from "./figure.ts";

/** How much of everything is done. */
export interface Scale {
  /** Samples of what takes moments. */
  readonly samples: number;
  readonly followers: readonly number[];
  /** Changes after which memory is looked at again. */
  readonly changes: number;
  readonly commits: number;
  readonly clusters: number;
  /** Agents at once on this machine. */
  readonly agents: number;
  readonly polls: number;
}

export const FULL: Scale = {
  samples: 20,
  followers: [1, 5, 10, 20],
  changes: 1_000,
  commits: 10_000,
  clusters: 1_000,
  agents: 200,
  polls: 60,
};

/** Two or three minutes, to see whether something went wrong. */
export const QUICK: Scale = {
  samples: 3,
  followers: [1, 5],
  changes: 20,
  commits: 300,
  clusters: 30,
  agents: 20,
  polls: 3,
};

/** A part of the benchmark that can be run alone. */
export interface Row {
  readonly name: string;
  readonly explanation: string;
  /** Whether the design has a row for it. */
  readonly isInDesign: boolean;
  /** What it needs of the clusters: with `embedded` it cannot run on real API servers. */
  readonly on: "any" | "embedded";
  run(scale: Scale, say: (line: string) => void): Promise<readonly Figure[]>;
}
