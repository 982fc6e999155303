import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { EXAMPLES } from "./examples.ts";
import { histories } from "./histories.ts";
import { type Outcome, playHistory } from "./play.ts";

/**
 * Random histories, played with the agents' production code to a federation in memory. After each write of an agent
 * every invariant of checkers.ts is judged; at the end everything heals, and play.ts looks for convergence, for rest
 * and for how long it took. `AMKO_GITOPS_TEST_RUNS` says how many histories each test plays, `AMKO_GITOPS_TEST_SEED`
 * which ones (always the same where it is not given: exploring is a run of its own); a failure prints its seed and the shortest story that shows it, which then becomes one of EXAMPLES.
 */
const RUNS = Number(process.env["AMKO_GITOPS_TEST_RUNS"] ?? 500);
const SEED = Number(process.env["AMKO_GITOPS_TEST_SEED"] ?? 1);
const RUN_MAX_MS = 1000;

/** How often a history has to contain what makes it worth playing. */
const COVERAGE: Readonly<Record<string, number>> = {
  promotion: 0.2,
  "lost answer": 0.1,
  "crash after a write": 0.1,
  rescue: 0.2,
  restore: 0.1,
  "git tombstone": 0.05,
  delete: 0.05,
  rebuild: 0.03,
};

describe("whatever people do, and whatever fails,", () => {
  test.each<[string, number | null]>([
    ["with promotions that wait for as long as it takes", null],
    ["with promotions that wait for a minute", 60_000],
  ])(
    "every invariant holds and the federation comes to rest, %s",
    async (_, handoverTimeoutMs) => {
      const counted = new Map<string, number>();
      let played = 0;
      await fc.assert(
        fc.asyncProperty(histories({ handoverTimeoutMs }), async (history) => {
          const outcome = await playHistory(history);
          played += 1;
          for (const what of outcome.noted) counted.set(what, (counted.get(what) ?? 0) + 1);
          if (outcome.violations.length > 0) throw new Error(tell(outcome));
        }),
        { numRuns: RUNS, seed: SEED },
      );
      const shares = Object.keys(COVERAGE).map((what) => [what, (counted.get(what) ?? 0) / played] as const);
      if (RUNS >= 200)
        for (const [what, share] of shares) expect.soft(share, what).toBeGreaterThan(COVERAGE[what] ?? 1);
    },
    RUNS * RUN_MAX_MS,
  );
});

describe("histories that once went wrong:", () => {
  it.each(EXAMPLES)("$name", async ({ history }) => {
    const outcome = await playHistory(history);
    expect(outcome.violations, tell(outcome)).toEqual([]);
  });
});

function tell({ violations, story }: Outcome): string {
  return [...violations, "", ...story].join("\n");
}
