/** So many may pass at once; after that one more with each interval. */
export interface Rate {
  readonly atOnceMax: number;
  readonly everyMs: number;
}

/** What was left when it was counted last. */
export interface Bucket {
  readonly tokens: number;
  readonly countedAtMs: number;
}

export function fullBucket({ atOnceMax }: Rate, nowMs: number): Bucket {
  return { tokens: atOnceMax, countedAtMs: nowMs };
}

/** Takes a token, or says how long it takes until there is one again; 0 means that one was taken. */
export function takeToken(
  { tokens, countedAtMs }: Bucket,
  { atOnceMax, everyMs }: Rate,
  nowMs: number,
): { readonly bucket: Bucket; readonly waitMs: number } {
  // A clock that is set back starts the count anew, and takes nothing away.
  const sinceMs = Math.min(countedAtMs, nowMs);
  const earned = Math.floor((nowMs - sinceMs) / everyMs);
  const left = Math.min(atOnceMax, tokens + earned);
  const countedTo = sinceMs + earned * everyMs;
  if (left > 0) return { bucket: { tokens: left - 1, countedAtMs: countedTo }, waitMs: 0 };
  return { bucket: { tokens: 0, countedAtMs: countedTo }, waitMs: countedTo + everyMs - nowMs };
}
