/** Chance that can be repeated: the same seed gives the same throws. */
export interface Dice {
  /** From 0 up to, and without, 1. */
  fraction(): number;
  /** @throws RangeError when there is nothing */
  pick<T>(all: readonly T[]): T;
  shuffle<T>(all: readonly T[]): readonly T[];
}

/** Mulberry32: small, quick, and even enough to choose moments. */
export function createDice(seed: number): Dice {
  let state = seed >>> 0;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    fraction,
    pick(all) {
      const [one] = all.slice(Math.floor(fraction() * all.length));
      if (one === undefined) throw new RangeError("there is nothing to pick from");
      return one;
    },
    shuffle: (all) =>
      all
        .map((one) => [fraction(), one] as const)
        .toSorted(([a], [b]) => a - b)
        .map(([, one]) => one),
  };
}
