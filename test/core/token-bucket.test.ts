import { expect, it } from "vitest";
import { type Bucket, fullBucket, type Rate, takeToken } from "../../src/core/token-bucket.ts";

const RATE: Rate = { atOnceMax: 3, everyMs: 1_000 };

/** How long each of these had to wait, taken in turn from a bucket that is full at the first of them. */
function waits(...timesMs: readonly number[]): readonly number[] {
  let bucket: Bucket = fullBucket(RATE, timesMs[0] ?? 0);
  return timesMs.map((nowMs) => {
    const taken = takeToken(bucket, RATE, nowMs);
    bucket = taken.bucket;
    return taken.waitMs;
  });
}

it.each([
  ["as many as may pass at once pass", [0, 0, 0], [0, 0, 0]],
  ["one more waits until the interval is over", [0, 0, 0, 0, 400], [0, 0, 0, 1_000, 600]],
  ["one passes with each interval", [0, 0, 0, 1_000, 1_000, 2_000], [0, 0, 0, 0, 1_000, 0]],
  ["a part of an interval is not lost", [0, 0, 0, 1_500, 2_000], [0, 0, 0, 0, 0]],
  ["a long rest fills it, and no more than that", [0, 0, 0, 99_000, 99_000, 99_000, 99_000], [0, 0, 0, 0, 0, 0, 1_000]],
  ["a clock that is set back takes nothing away", [9_000, 9_000, 1_000, 1_000, 2_000], [0, 0, 0, 1_000, 0]],
])("%s", (_what, timesMs, expected) => {
  expect(waits(...timesMs)).toEqual(expected);
});
