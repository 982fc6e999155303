import { FederationError } from "../errors.ts";
import type { Shell } from "./shell.ts";

/** Why nothing could be read, and since when. */
export interface WatchFailure {
  readonly error: FederationError;
  readonly sinceMs: number;
}

export interface WatchWork<Reading> {
  readonly read: () => Promise<Reading>;
  /** Called after every attempt, with what was read last and why that is not of this moment; null where it is. */
  readonly show: (reading: Reading, failure: WatchFailure | null) => void;
  readonly intervalMs: number;
}

/** A server that is away is asked less and less often, though at least so often. */
const FAILED_INTERVAL_MAX_MS = 30_000;

/**
 * Reads and shows again and again until Ctrl-C, and returns what was read last; null where that was nothing. Once
 * something could be read no failure ends it: whoever watches does so because things fail.
 * @throws FederationError of the first attempt
 */
export async function watch<Reading>(
  { nowMs, sleep, signal }: Pick<Shell, "nowMs" | "sleep" | "signal">,
  { read, show, intervalMs }: WatchWork<Reading>,
): Promise<Reading | null> {
  let last: Reading | null = null;
  let failure = null as WatchFailure | null;
  let waitMs = intervalMs;
  while (!signal.aborted) {
    try {
      last = await read();
      failure = null;
      waitMs = intervalMs;
    } catch (error) {
      if (signal.aborted) break;
      if (last === null || !(error instanceof FederationError)) throw error;
      failure = { error, sinceMs: failure?.sinceMs ?? nowMs() };
      waitMs = Math.max(intervalMs, Math.min(2 * waitMs, FAILED_INTERVAL_MAX_MS));
    }
    show(last, failure);
    await sleep(waitMs);
  }
  return last;
}
