import fc from "fast-check";
import { expect, it } from "vitest";
import { type AmkoKind, KINDS } from "../../src/core/model.ts";
import { createWatch } from "../../src/kubernetes/watch.ts";
import { createFixedChance, settle } from "../support/fakes/time.ts";
import { ManualClock } from "./support.ts";
import { type Collection, createWatchServer, type Refusal, type WatchEnd } from "./watch-server.ts";

/** Random lives of an API server, in simulated time; the agent is woken for every change, whatever became of its watch. */
const RUNS = Number(process.env["AMKO_GITOPS_TEST_RUNS"] ?? 500);
const SEED = Number(process.env["AMKO_GITOPS_TEST_SEED"] ?? 1);
const RUN_MAX_MS = 1_000;

type Happening =
  | { readonly do: "change"; readonly how: "write" | "delete" }
  | { readonly do: "change before the watch" }
  | { readonly do: "forget versions" }
  | { readonly do: "refuse"; readonly what: "list" | "watch"; readonly how: Refusal; readonly times: number }
  | { readonly do: "end"; readonly how: WatchEnd }
  | { readonly do: "time"; readonly ms: number };

const KIND_NAMES = Object.keys(KINDS) as readonly AmkoKind[];
/** The server's bookmarks come more often than a watch may be silent. */
const TICK_MS = 30_000;
/** A dead connection is noticed after a minute and a half, and half a minute is the longest pause between two tries. */
const RECOVERED_MS = 150_000;
/** An end at once lists and watches anew; when the new watch is refused too, that is all until time passes. */
const REQUESTS_AT_ONCE_MAX = 4;

const happenings: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("change"), how: fc.constantFrom("write", "write", "delete") }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("change before the watch", "forget versions") }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("refuse"),
      what: fc.constantFrom("list", "watch"),
      times: fc.integer({ min: 1, max: 6 }),
      how: fc.constantFrom<Refusal>("error", "too many requests", "unknown kind", "unauthorized", "hang", "senseless"),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("end"),
      how: fc.constantFrom<WatchEnd>("closed", "cut in a line", "forgotten", "error", "deaf"),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("time"), ms: fc.constantFrom(100, 1_000, 10_000, 100_000, 700_000) }),
  },
) as fc.Arbitrary<Happening>;

const histories = fc.array(fc.tuple(fc.constantFrom(...KIND_NAMES), happenings), {
  minLength: 1,
  maxLength: 40,
  size: "max",
});

function happen(collection: Collection, happening: Exclude<Happening, { do: "time" }>): void {
  if (happening.do === "change") collection.change(happening.how);
  else if (happening.do === "change before the watch") collection.changeBeforeWatch();
  else if (happening.do === "forget versions") collection.compact();
  else if (happening.do === "refuse") collection.refuse(happening.what, happening.how, happening.times);
  else collection.end(happening.how);
}

it(
  "tells of every change in time, of nothing else, and never hammers the server, whatever the server does",
  async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (history) => {
        const clock = new ManualClock();
        const { api, collection } = createWatchServer(clock);
        const told = new Map(KIND_NAMES.map((kind) => [kind, { times: 0, of: "" }]));
        const toldOf = (kind: AmkoKind) => told.get(kind) ?? { times: 0, of: "" };
        const stop = new AbortController();
        const settings = { clock, chance: createFixedChance(), log: () => undefined };
        const handle = createWatch(api, settings).watch((kind) => {
          told.set(kind, { times: toldOf(kind).times + 1, of: collection(kind).state() });
        }, stop.signal);

        async function pass(ms: number): Promise<void> {
          for (let left = ms; left > 0; left -= TICK_MS) {
            clock.advance(Math.min(left, TICK_MS));
            for (const kind of KIND_NAMES) collection(kind).tick();
            await settle();
          }
        }

        await settle();
        for (const [kind, happening] of history) {
          const before = collection(kind).requests();
          if (happening.do === "time") await pass(happening.ms);
          else {
            happen(collection(kind), happening);
            await settle();
            expect(collection(kind).requests() - before).toBeLessThanOrEqual(REQUESTS_AT_ONCE_MAX);
          }
        }
        for (const kind of KIND_NAMES) collection(kind).heal();
        await pass(RECOVERED_MS);
        for (const kind of KIND_NAMES) {
          expect(toldOf(kind).of, `${kind}: told after its last change`).toBe(collection(kind).state());
          collection(kind).change("write");
          await settle();
          expect(toldOf(kind).of, `${kind}: told at once`).toBe(collection(kind).state());
          expect(toldOf(kind).times, `${kind}: told no more often than it changed`).toBeLessThanOrEqual(
            collection(kind).changes() + 1,
          );
        }
        stop.abort();
        await handle.stopped;
      }),
      { numRuns: RUNS, seed: SEED },
    );
  },
  RUNS * RUN_MAX_MS,
);
