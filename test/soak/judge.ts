import type { Line, Metric } from "./metric.ts";

export interface Verdict {
  readonly label: string;
  /** The medians of the first and the last third of the run. */
  readonly first: number;
  readonly last: number;
  readonly highest: number;
  /** Per 1,000 revisions: the median slope between any two points, which a few wild ones do not move. */
  readonly slope: number;
  /** What is wrong, as a sentence; null where nothing is. */
  readonly complaint: string | null;
}

/** The start is left out: caches fill, code gets compiled. */
const WARM_UP_SHARE = 0.1;
/** Every pair of so many points is looked at. */
const SLOPE_POINTS_MAX = 200;

/** Whether each line of the metric is flat. */
export function judge(metric: Metric): readonly Verdict[] {
  return metric.lines.map((line) => judgeLine(metric, line));
}

function judgeLine({ title, unit, growthMax, most }: Metric, { label, points }: Line): Verdict {
  const warm = points.slice(Math.floor(points.length * WARM_UP_SHARE));
  const values = warm.map(({ value }) => value);
  const third = Math.ceil(values.length / 3);
  const first = median(values.slice(0, third));
  const last = median(values.slice(-third));
  const highest = Math.max(...points.map(({ value }) => value));
  const measured = { label, first, last, highest, slope: slopeOf(warm) };
  const say = (value: number): string => `${Number(value.toPrecision(4))}${unit === "" ? "" : ` ${unit}`}`;
  if (growthMax !== null && last - first > growthMax) {
    const complaint = `${title} of ${label} grew from ${say(first)} to ${say(last)}, by more than ${say(growthMax)}.`;
    return { ...measured, complaint };
  }
  if (most !== null && highest > most) {
    return { ...measured, complaint: `${title} of ${label} reached ${say(highest)}; ${say(most)} is the most.` };
  }
  return { ...measured, complaint: null };
}

function slopeOf(points: Line["points"]): number {
  const step = Math.ceil(points.length / SLOPE_POINTS_MAX);
  const some = points.filter((_, index) => index % step === 0);
  const slopes = some.flatMap((from, index) =>
    some.slice(index + 1).map((to) => ((to.value - from.value) * 1_000) / (to.revisions - from.revisions)),
  );
  return median(slopes);
}

/** 0 of nothing. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] = sorted.length % 2 === 1 ? [sorted[middle], sorted[middle]] : sorted.slice(middle - 1);
  return (low + high) / 2;
}
