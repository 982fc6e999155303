export interface Dice {
  /** A whole number from 0 to `below` - 1. */
  number(below: number): number;
  /** One of them, as often as its share says. */
  pick<T extends { readonly share: number }>(choices: readonly T[]): T;
}

/** The same seed always throws the same: a soak run can be repeated. */
export function createDice(seed: number): Dice {
  let state = seed >>> 0;
  /** Numerical Recipes' linear congruential generator; its upper bits are good enough to vary a workload. */
  const fraction = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const number = (below: number): number => Math.floor(fraction() * below);
  return {
    number,
    pick(choices) {
      let left = number(choices.reduce((sum, { share }) => sum + share, 0));
      for (const choice of choices) {
        left -= choice.share;
        if (left < 0) return choice;
      }
      throw new RangeError("there is nothing to choose from");
    },
  };
}
