import { expect, it } from "vitest";
import { limitWakes } from "../../src/agent/limit-wakes.ts";
import { createManualClock } from "../support/fakes/time.ts";

const BURST = 60;
const EVERY_MS = 100;

function limited(signal = new AbortController().signal) {
  const clock = createManualClock();
  let wakes = 0;
  const nudge = limitWakes(
    () => {
      wakes += 1;
    },
    clock,
    signal,
  );
  const times = (count: number): void => {
    for (let nudged = 0; nudged < count; nudged += 1) nudge();
  };
  return { clock, times, wakes: () => wakes };
}

it("follows a burst of nudges at once", () => {
  const { times, wakes } = limited();
  times(BURST);
  expect(wakes()).toBe(BURST);
});

it("follows a storm once per interval, and loses no wake-up", async () => {
  const { clock, times, wakes } = limited();
  times(BURST + 1_000);
  expect(wakes()).toBe(BURST);
  await clock.advance(EVERY_MS);
  expect(wakes()).toBe(BURST + 1);
  times(1_000);
  await clock.advance(EVERY_MS);
  expect(wakes()).toBe(BURST + 2);
});

it("is as patient as before after a quiet time", async () => {
  const { clock, times, wakes } = limited();
  times(BURST);
  await clock.advance(BURST * EVERY_MS);
  times(BURST);
  expect(wakes()).toBe(2 * BURST);
});

it("wakes nobody after the end", async () => {
  const stop = new AbortController();
  const { clock, times, wakes } = limited(stop.signal);
  times(BURST + 1);
  stop.abort();
  await clock.advance(EVERY_MS);
  expect(wakes()).toBe(BURST);
});

it("goes on as before where the clock is set back", async () => {
  const { clock, times, wakes } = limited();
  await clock.advance(-3_600_000);
  times(BURST);
  expect(wakes()).toBe(BURST);
});
