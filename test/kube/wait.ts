import { setTimeout as sleep } from "node:timers/promises";

const LOOK_EVERY_MS = 50;
/** Three API servers that start at once on two cores, beside other work, take some twenty seconds. */
const WAIT_MAX_MS = 90_000;

/**
 * Looks until it is so; a look that fails is one that found it otherwise. False when it takes too long or when there
 * is no more reason to wait.
 */
export async function becomes(isSo: () => Promise<boolean>, goOn: () => boolean = () => true): Promise<boolean> {
  const endMs = performance.now() + WAIT_MAX_MS;
  while (goOn() && performance.now() < endMs) {
    if (await isSo().catch(() => false)) return true;
    await sleep(LOOK_EVERY_MS);
  }
  return false;
}
