/** What was measured, in the unit that its figure names. */
export interface Summary {
  readonly median: number;
  readonly p95: number;
  /** How many samples. */
  readonly n: number;
}

export type Unit = "ms" | "s" | "MiB" | "bytes" | "requests" | "% of a core";

/** One line of the table. */
export interface Figure {
  readonly what: string;
  readonly unit: Unit;
  readonly measured: Summary;
  /** The same work without us, in the same run; null where there is no such thing. */
  readonly floor: Summary | null;
  /** What is asked for, in words. */
  readonly goal: string;
  /** Null where the goal is no number. */
  readonly met: boolean | null;
}

/** Of few samples the 95th percentile is the worst one: the smallest that no less than 95 of 100 reach. @throws RangeError without a sample */
export function summarize(samples: readonly number[]): Summary {
  if (samples.length === 0) throw new RangeError("nothing was measured");
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const half = (sorted.length - 1) / 2;
  const median = (at(Math.floor(half)) + at(Math.ceil(half))) / 2;
  return { median, p95: at(Math.ceil(sorted.length * 0.95) - 1), n: sorted.length };
}

/** How many times the floor the median is; null without a floor. */
export function ratioOf({ measured, floor }: Figure): number | null {
  return floor === null ? null : measured.median / floor.median;
}
