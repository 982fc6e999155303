/** How often an object was put back lately. */
export interface Corrections {
  readonly count: number;
  readonly lastMs: number;
}

/** So many corrections in a row are made at once: people make mistakes twice. */
const AT_ONCE_MAX = 3;
/** An object that nobody touched for this long is at peace again. */
const PEACE_MS = 10 * 60_000;
const WAIT_FIRST_MS = 5_000;
const WAIT_MAX_MS = 5 * 60_000;

/**
 * How long to wait before an object is put back once more: nothing the first times, then twice as long each time.
 * Two controllers that fight over an object must not burn both clusters; whoever wins, people are told.
 */
export function correctionWaitMs(corrections: Corrections | undefined, nowMs: number): number {
  if (corrections === undefined || nowMs - corrections.lastMs >= PEACE_MS) return 0;
  const beyond = corrections.count - AT_ONCE_MAX;
  if (beyond < 0) return 0;
  return Math.max(0, corrections.lastMs + Math.min(WAIT_MAX_MS, WAIT_FIRST_MS * 2 ** Math.min(beyond, 16)) - nowMs);
}

export function countCorrection(corrections: Corrections | undefined, nowMs: number): Corrections {
  return { count: correctionsInARow(corrections, nowMs) + 1, lastMs: nowMs };
}

/** How often the object was put back without peace in between. */
export function correctionsInARow(corrections: Corrections | undefined, nowMs: number): number {
  return corrections === undefined || nowMs - corrections.lastMs >= PEACE_MS ? 0 : corrections.count;
}
