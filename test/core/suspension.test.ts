import { describe, expect, it } from "vitest";
import { planSuspension, readSuspension, type SuspensionWish, suspensionChanges } from "../../src/core/suspension.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const NOW_MS = 1_000_000_000_000;

function wish(changes: Partial<SuspensionWish> = {}): SuspensionWish {
  return { nowMs: NOW_MS, forMs: 2 * 60 * MINUTE_MS, untilMs: null, reason: "CHG-4211", force: false, ...changes };
}

describe("a suspension", () => {
  it.each<{
    readonly when: string;
    readonly given: SuspensionWish;
    readonly untilMs: number;
    readonly reason?: string;
  }>([
    { when: "it has a length", given: wish(), untilMs: NOW_MS + 7_200_000 },
    { when: "it has an end", given: wish({ forMs: null, untilMs: NOW_MS + DAY_MS }), untilMs: NOW_MS + DAY_MS },
    { when: "it is as short as may be", given: wish({ forMs: MINUTE_MS }), untilMs: NOW_MS + MINUTE_MS },
    { when: "it is as long as may be", given: wish({ forMs: 7 * DAY_MS }), untilMs: NOW_MS + 7 * DAY_MS },
    { when: "a long one is forced", given: wish({ forMs: 30 * DAY_MS, force: true }), untilMs: NOW_MS + 30 * DAY_MS },
    {
      when: "its reason has control characters",
      given: wish({ reason: " one\n\u001b[31mtwo " }),
      untilMs: NOW_MS + 7_200_000,
      reason: "one [31mtwo",
    },
    {
      when: "its reason is very long",
      given: wish({ reason: "x".repeat(900) }),
      untilMs: NOW_MS + 7_200_000,
      reason: "x".repeat(500),
    },
  ])("is planned when $when", ({ given, untilMs, reason = "CHG-4211" }) => {
    expect(planSuspension(given)).toEqual({ kind: "suspend", untilMs, reason });
  });

  it.each<{ readonly when: string; readonly given: SuspensionWish; readonly flag: string; readonly cause: string }>([
    { when: "it has no end", given: wish({ forMs: null }), flag: "for", cause: "missing" },
    {
      when: "it has two ends",
      given: wish({ untilMs: NOW_MS + DAY_MS }),
      flag: "until",
      cause: "given together with --for",
    },
    { when: "it is too short", given: wish({ forMs: 59_999 }), flag: "for", cause: "ends in less than a minute" },
    {
      when: "it ended already",
      given: wish({ forMs: null, untilMs: NOW_MS - 1 }),
      flag: "until",
      cause: "ends in less than a minute",
    },
    {
      when: "it is too long",
      given: wish({ forMs: 7 * DAY_MS + 1 }),
      flag: "for",
      cause: "longer than 7 days, and likely to be forgotten",
    },
    {
      when: "it is longer than a year",
      given: wish({ forMs: 366 * DAY_MS, force: true }),
      flag: "for",
      cause: "longer than a year",
    },
    { when: "it has no reason", given: wish({ reason: null }), flag: "reason", cause: "missing" },
    { when: "its reason says nothing", given: wish({ reason: " \n " }), flag: "reason", cause: "missing" },
  ])("is refused when $when", ({ given, flag, cause }) => {
    expect(planSuspension(given)).toMatchObject({ kind: "refused", flag, cause });
  });

  it("is read back as it was written, and is none without an end or a reason", () => {
    const suspension = { until: "2026-01-15T14:00:00Z", reason: "CHG-4211" };
    const annotations = suspensionChanges(suspension) as Record<string, string>;
    expect(readSuspension(annotations)).toEqual(suspension);
    for (const name of Object.keys(annotations)) {
      const { [name]: _, ...rest } = annotations;
      expect(readSuspension(rest)).toBeNull();
    }
    expect(readSuspension(undefined)).toBeNull();
  });
});
