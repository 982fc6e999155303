import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { histories } from "./histories.ts";
import { LIES } from "./lies.ts";
import { playHistory } from "./play.ts";

const HISTORIES_MAX = 1000;

/** A checker that notices nothing proves nothing: with a guard taken out, the one that stands behind it has to notice. */
describe("the checkers notice a federation", () => {
  it.each(LIES)(
    "without $without",
    async ({ noticedBy, tampering }) => {
      const property = fc.asyncProperty(histories(), async (history) => {
        const { violations } = await playHistory(history, tampering);
        if (violations.some((one) => one.startsWith(noticedBy))) throw new Error("noticed");
      });
      const result = await fc.check(property, { numRuns: HISTORIES_MAX, endOnFailure: true, seed: 1 });
      if (process.env["AMKO_GITOPS_TEST_VERBOSE"]) console.log(noticedBy, result.numRuns);
      expect(result.failed, `not noticed in ${HISTORIES_MAX} histories`).toBe(true);
    },
    HISTORIES_MAX * 1000,
  );
});
