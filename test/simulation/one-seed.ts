import fc from "fast-check";
import type { History } from "./acts.ts";
import { histories } from "./histories.ts";
import { type Outcome, playHistory } from "./play.ts";
import type { Tampering } from "./simulate.ts";

/** What one seed's history came to. */
export interface Verdict {
  readonly seed: number;
  readonly steps: number;
  readonly passes: number;
  /** What the history contained. */
  readonly noted: readonly string[];
  /** Null where every invariant held. */
  readonly failure: Failure | null;
}

export interface Failure {
  /** As it was found. */
  readonly violations: readonly string[];
  /** The shortest history that still breaks an invariant, with what it breaks and how that came. */
  readonly shortest: {
    readonly history: History;
    readonly violations: readonly string[];
    readonly story: readonly string[];
  };
}

/** Every history takes some 20 ms of real time; one that does not end is a failure like any other. */
const HISTORY_MAX_MS = 20_000;
const SHRINKING_MAX_MS = 120_000;

/** Plays the one history that the seed stands for; a failing one is made as short as it goes, if asked to. */
export async function playSeed(seed: number, tampering: Tampering, shrinks: boolean): Promise<Verdict> {
  let found = { steps: 0, passes: 0, noted: [] as readonly string[], violations: [] as readonly string[] };
  let isFound = false;
  const property = fc.asyncProperty(histories(), async (history) => {
    const { violations, passes, noted } = await playInTime(history, tampering);
    if (!isFound) found = { steps: history.steps.length, passes, noted: [...noted], violations };
    isFound = true;
    if (violations.length > 0) throw new Error(violations[0]);
  });
  const limits = { endOnFailure: !shrinks, interruptAfterTimeLimit: SHRINKING_MAX_MS };
  const { counterexample } = await fc.check(property, { seed, numRuns: 1, unbiased: true, ...limits });
  const { violations, ...rest } = found;
  if (counterexample === null) return { seed, ...rest, failure: null };
  const [history] = counterexample;
  const { violations: broken, story } = await playInTime(history, tampering);
  return { seed, ...rest, failure: { violations, shortest: { history, violations: broken, story } } };
}

/** What throws out of a pass breaks an invariant too: a pass never throws. */
async function playInTime(history: History, tampering: Tampering): Promise<Outcome> {
  const broken = (violation: string): Outcome => ({
    violations: [violation],
    story: [],
    noted: new Set(),
    rounds: 0,
    passes: 0,
  });
  const { promise: late, resolve } = Promise.withResolvers<Outcome>();
  const timer = setTimeout(() => resolve(broken("an end: a history did not come to its end")), HISTORY_MAX_MS);
  const played = playHistory(history, tampering).catch((error: unknown) =>
    broken(`no crash: ${error instanceof Error ? error.stack : String(error)}`),
  );
  return Promise.race([played, late]).finally(() => clearTimeout(timer));
}
