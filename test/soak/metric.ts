/** What is measured again and again, a line for each of those who have it. */
export interface Metric {
  readonly title: string;
  /** Empty for plain numbers. */
  readonly unit: string;
  /** What it may have grown by from the first third of the run to the last; null where it is only shown. */
  readonly growthMax: number | null;
  /** What it must never pass; null without a ceiling. */
  readonly most: number | null;
  /** What is wished for; drawn, and no ground for a verdict. Null without one. */
  readonly goal: number | null;
  readonly lines: readonly Line[];
}

export interface Line {
  readonly label: string;
  readonly points: readonly Point[];
}

export interface Point {
  readonly revisions: number;
  readonly value: number;
}
