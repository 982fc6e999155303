import { describe, expect, it } from "vitest";
import { type Memory, NO_MEMORY, type Result } from "../../src/agent/context.ts";
import { type Loop, startLoop } from "../../src/agent/loop.ts";
import type { ErrorCode } from "../../src/core/catalogue.ts";
import type { Wake } from "../../src/core/telemetry.ts";
import { FederationError } from "../../src/errors.ts";
import { createFixedChance, createManualClock, type ManualClock, settle } from "../support/fakes/time.ts";

/** The reasons of each pass, and what the next ones answer. */
interface Harness {
  readonly loop: Loop;
  readonly clock: ManualClock;
  readonly passes: readonly (readonly Wake[])[];
  readonly memories: readonly Memory[];
  readonly results: readonly Result[];
  /** Ends the pass that is under way. */
  answer(result?: Partial<Result>): Promise<void>;
  wake(...reasons: Wake[]): Promise<void>;
  stop(): Promise<void>;
  isRunning(): boolean;
}

const DONE: Result = { memory: NO_MEMORY, againAfterMs: null, error: null, state: "in-sync", stance: {} };

const failed = (code: ErrorCode, retryAfterMs: number | null = null): Partial<Result> => ({
  error: new FederationError(code, "on purpose", { retryAfterMs }),
  state: "failed",
});

async function start(fraction = 1): Promise<Harness> {
  const clock = createManualClock();
  const stopping = new AbortController();
  const passes: (readonly Wake[])[] = [];
  const memories: Memory[] = [];
  const results: Result[] = [];
  let open: ((result: Result) => void) | null = null;
  const loop = startLoop(
    {
      clock,
      chance: createFixedChance("loop", fraction),
      log: () => undefined,
      pass(memory, wake) {
        if (open !== null) throw new Error("two passes at a time");
        passes.push([...wake].toSorted());
        memories.push(memory);
        return new Promise((resolve) => {
          open = resolve;
        });
      },
      ended: (result) => void results.push(result),
    },
    stopping.signal,
  );
  await settle();
  return {
    loop,
    clock,
    passes,
    memories,
    results,
    isRunning: () => open !== null,
    async answer(result = {}) {
      const resolve = open;
      if (resolve === null) throw new Error("no pass is under way");
      open = null;
      resolve({ ...DONE, ...result });
      await settle();
    },
    async wake(...reasons) {
      for (const reason of reasons) loop.wake(reason);
      await settle();
    },
    async stop() {
      stopping.abort();
      open?.(DONE);
      await loop.stopped;
    },
  };
}

describe("the loop", () => {
  it("starts with a pass, and rests when it is done", async () => {
    const harness = await start();
    expect(harness.passes).toEqual([["start"]]);
    await harness.answer();
    expect(harness.isRunning()).toBe(false);
    await harness.stop();
  });

  it("runs one pass at a time, and makes one of all wake-ups that come meanwhile", async () => {
    const harness = await start();
    await harness.wake("cluster", "cluster", "poll", "hook");
    expect(harness.passes).toHaveLength(1);
    await harness.answer();
    expect(harness.passes).toEqual([["start"], ["cluster", "hook", "poll"]]);
    await harness.answer();
    expect(harness.isRunning()).toBe(false);
    await harness.stop();
  });

  it.each<Wake>(["poll", "resync", "cluster", "hook"])("is woken from its rest by: %s", async (reason) => {
    const harness = await start();
    await harness.answer();
    await harness.wake(reason);
    expect(harness.passes.at(-1)).toEqual([reason]);
    await harness.stop();
  });

  it("hands each pass what the one before remembered", async () => {
    const harness = await start();
    const memory = { ...NO_MEMORY, told: "something" };
    await harness.answer({ memory });
    await harness.wake("poll");
    expect(harness.memories).toEqual([NO_MEMORY, memory]);
    await harness.stop();
  });

  it("looks again when the pass asked for it, also at once", async () => {
    const harness = await start();
    await harness.answer({ againAfterMs: 5_000 });
    await harness.clock.advance(4_999);
    expect(harness.passes).toHaveLength(1);
    await harness.clock.advance(1);
    expect(harness.passes.at(-1)).toEqual(["retry"]);
    await harness.answer({ againAfterMs: 0 });
    await harness.clock.advance(0);
    expect(harness.passes).toHaveLength(3);
    await harness.stop();
  });

  it("looks again after a quarter of an hour although nothing woke it", async () => {
    const harness = await start();
    await harness.answer({ againAfterMs: 24 * 3_600_000 });
    await harness.clock.advance(15 * 60_000);
    expect(harness.passes).toEqual([["start"], ["retry"]]);
    await harness.stop();
  });

  it("tells the result of each pass", async () => {
    const harness = await start();
    await harness.answer({ state: "held" });
    expect(harness.results).toMatchObject([{ state: "held" }]);
    await harness.stop();
  });
});

describe("after an error the loop", () => {
  /** How long it rests after each failure in a row. */
  async function rests(harness: Harness, failures: number, result: Partial<Result>): Promise<readonly number[]> {
    const times: number[] = [];
    for (let count = 0; count < failures; count += 1) {
      await harness.answer(result);
      const restMs = harness.clock.asleepMs[0] ?? Number.NaN;
      times.push(restMs);
      await harness.clock.advance(restMs);
    }
    return times;
  }

  it("waits from half a second on, twice as long each time, a minute at most", async () => {
    const harness = await start(1);
    expect(await rests(harness, 10, failed("AG2001"))).toEqual([
      500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000,
    ]);
    await harness.stop();
  });

  it("waits half as long at least, so that many agents do not come back in the same second", async () => {
    const harness = await start(0);
    expect(await rests(harness, 3, failed("AG2001"))).toEqual([250, 500, 1_000]);
    await harness.stop();
  });

  it("begins anew once a pass has gone well", async () => {
    const harness = await start();
    await rests(harness, 4, failed("AG2001"));
    await harness.answer();
    await harness.wake("poll");
    expect(await rests(harness, 1, failed("AG2001"))).toEqual([500]);
    await harness.stop();
  });

  it("waits as long as a server asked for, whatever wakes it", async () => {
    const harness = await start();
    await harness.answer(failed("AG3009", 30_000));
    await harness.wake("poll", "resync", "cluster", "hook");
    await harness.clock.advance(29_999);
    expect(harness.passes).toHaveLength(1);
    await harness.clock.advance(1);
    expect(harness.passes.at(-1)).toEqual(["cluster", "hook", "poll", "resync", "retry"]);
    await harness.stop();
  });

  it.each<Wake>(["poll", "resync"])("goes on at once with: %s", async (reason) => {
    const harness = await start();
    await rests(harness, 8, failed("AG2001"));
    await harness.answer(failed("AG2001"));
    await harness.wake(reason);
    expect(harness.passes.at(-1)).toContain(reason);
    expect(harness.isRunning()).toBe(true);
    await harness.stop();
  });

  it.each<Wake>(["cluster", "hook"])("does not turn hot, but does not forget either: %s", async (reason) => {
    const harness = await start();
    await harness.answer(failed("AG2001"));
    await harness.wake(reason);
    expect(harness.passes).toHaveLength(1);
    await harness.clock.advance(500);
    expect(harness.passes.at(-1)).toContain(reason);
    await harness.stop();
  });

  it("tries at once what somebody else's write made stale, but only so often in a row", async () => {
    const harness = await start();
    const times = await rests(harness, 6, failed("AG2003"));
    expect(times.slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
    expect(times[5]).toBeGreaterThan(0);
    await harness.stop();
  });
});

describe("a stopped loop", () => {
  it("ends its rest", async () => {
    const harness = await start();
    await harness.answer();
    await harness.stop();
    expect(harness.passes).toHaveLength(1);
  });

  it("ends while it backs off", async () => {
    const harness = await start();
    await harness.answer(failed("AG3009", 3_600_000));
    await harness.stop();
    expect(harness.clock.asleepMs).toEqual([]);
  });

  it("lets the pass that is under way end, and tells nobody of it", async () => {
    const harness = await start();
    await harness.wake("poll");
    await harness.stop();
    expect(harness.passes).toHaveLength(1);
    expect(harness.results).toEqual([]);
  });
});
