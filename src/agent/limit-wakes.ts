import { fullBucket, type Rate, takeToken } from "../core/token-bucket.ts";
import type { Clock } from "../ports.ts";

/** So many nudges are followed at once, as a burst of edits brings them. */
const FOLLOWED: Rate = { atOnceMax: 60, everyMs: 100 };

/**
 * A nudge is a write of the AMKOCluster, and every write of it wakes the agent, which then asks git. Whoever may write
 * it, or two programs that fight over it, must not make this agent flood the git server. No wake-up is lost: what comes
 * too early is followed, once, as soon as it may be.
 */
export function limitWakes(wake: () => void, clock: Clock, signal: AbortSignal): () => void {
  let bucket = fullBucket(FOLLOWED, clock.elapsedMs());
  let waiting = false;
  const later = async (waitMs: number): Promise<void> => {
    waiting = true;
    await clock.sleep(waitMs, signal);
    waiting = false;
    if (!signal.aborted) follow();
  };
  const follow = (): void => {
    const taken = takeToken(bucket, FOLLOWED, clock.elapsedMs());
    bucket = taken.bucket;
    if (taken.waitMs === 0) wake();
    else if (!waiting) void later(taken.waitMs);
  };
  return follow;
}
