import type { Clock } from "../ports.ts";

/** So many nudges are followed at once, as a burst of edits brings them; after that one per interval. */
const FOLLOWED_AT_ONCE_MAX = 60;
const FOLLOWED_EVERY_MS = 100;

/**
 * A nudge is a write of the AMKOCluster, and every write of it wakes the agent, which then asks git. Whoever may write
 * it, or two programs that fight over it, must not make this agent flood the git server. No wake-up is lost: what comes
 * too early is followed, once, as soon as it may be.
 */
export function limitWakes(wake: () => void, clock: Clock, signal: AbortSignal): () => void {
  let tokens = FOLLOWED_AT_ONCE_MAX;
  let countedAtMs = clock.nowMs();
  let waiting = false;
  const refill = (): void => {
    const earned = Math.floor((clock.nowMs() - countedAtMs) / FOLLOWED_EVERY_MS);
    tokens = Math.min(FOLLOWED_AT_ONCE_MAX, tokens + earned);
    countedAtMs += earned * FOLLOWED_EVERY_MS;
  };
  const later = async (): Promise<void> => {
    waiting = true;
    await clock.sleep(FOLLOWED_EVERY_MS, signal);
    waiting = false;
    if (!signal.aborted) follow();
  };
  const follow = (): void => {
    refill();
    if (tokens > 0) {
      tokens -= 1;
      wake();
    } else if (!waiting) void later();
  };
  return follow;
}
