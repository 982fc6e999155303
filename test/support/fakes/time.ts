import type { Chance, Clock } from "../../../src/ports.ts";

export interface ManualClock extends Clock {
  /** Lets time pass; whoever slept long enough goes on. */
  advance(durationMs: number): Promise<void>;
  /** What somebody does to a machine's clock: no time passes. */
  set(byMs: number): void;
  /** How long each sleeper that is still asleep wanted to sleep. */
  readonly asleepMs: readonly number[];
}

/** A clock that stands still until it is told otherwise. */
export function createManualClock(startMs = 1_800_000_000_000): ManualClock {
  let nowMs = startMs;
  let setByMs = 0;
  const sleepers = new Set<{ readonly durationMs: number; readonly untilMs: number; wake(): void }>();
  return {
    nowMs: () => nowMs + setByMs,
    elapsedMs: () => nowMs - startMs,
    set(byMs) {
      setByMs += byMs;
    },
    sleep: (durationMs, signal) =>
      new Promise((resolve) => {
        const sleeper = {
          durationMs,
          untilMs: nowMs + durationMs,
          wake: () => {
            sleepers.delete(sleeper);
            resolve();
          },
        };
        sleepers.add(sleeper);
        if (signal.aborted) sleeper.wake();
        else signal.addEventListener("abort", sleeper.wake, { once: true });
      }),
    async advance(durationMs) {
      nowMs += durationMs;
      for (const sleeper of [...sleepers]) if (sleeper.untilMs <= nowMs) sleeper.wake();
      await settle();
    },
    get asleepMs() {
      return [...sleepers].map(({ durationMs }) => durationMs);
    },
  };
}

/** Lets everything run that needs no time to pass. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** The same dice for the same seed: tokens that differ, and always the same fraction. */
export function createFixedChance(seed = "seed", fraction = 0.5): Chance {
  let count = 0;
  return {
    fraction: () => fraction,
    token() {
      count += 1;
      const digits = [...`${seed}-${count}`].map((character) => character.charCodeAt(0).toString(16)).join("");
      return digits.padStart(32, "0").slice(-32);
    },
  };
}
