import type { Chance } from "../ports.ts";

export interface BackoffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * How long to wait after `failures` in a row (from 1): doubling up to the maximum, and a random half of that, so that
 * clients that failed together do not come back together.
 */
export function backoffMs(failures: number, { firstMs, maxMs }: BackoffLimits, chance: Chance): number {
  const fullMs = Math.min(maxMs, firstMs * 2 ** (failures - 1));
  return fullMs / 2 + (fullMs / 2) * chance.fraction();
}
