import { SUSPEND_REASON_ANNOTATION, SUSPENDED_UNTIL_ANNOTATION } from "./model.ts";
import type { AnnotationChanges } from "./patch.ts";

/** As the AMKOCluster's annotations say it; `until` is text that may be no time at all. */
export interface Suspension {
  readonly until: string;
  readonly reason: string;
}

/** A suspension always ends and always has a reason; annotations without both of them are none. */
export function readSuspension(annotations: Readonly<Record<string, string>> = {}): Suspension | null {
  const until = annotations[SUSPENDED_UNTIL_ANNOTATION];
  const reason = annotations[SUSPEND_REASON_ANNOTATION]?.trim() ?? "";
  return until === undefined || reason === "" ? null : { until, reason };
}

/** The annotations of a suspension; null takes them off. */
export function suspensionChanges(suspension: Suspension | null): AnnotationChanges {
  return {
    [SUSPENDED_UNTIL_ANNOTATION]: suspension?.until ?? null,
    [SUSPEND_REASON_ANNOTATION]: suspension?.reason ?? null,
  };
}

export interface SuspensionWish {
  readonly nowMs: number;
  /** Null where it was not given, as with `untilMs`. */
  readonly forMs: number | null;
  readonly untilMs: number | null;
  readonly reason: string | null;
  /** Longer than is wise. */
  readonly force: boolean;
}

export type SuspensionPlan =
  | { readonly kind: "suspend"; readonly untilMs: number; readonly reason: string }
  | {
      readonly kind: "refused";
      readonly flag: "for" | "until" | "reason";
      readonly cause: string;
      readonly remedy: string;
    };

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Shorter ones end before anybody has done anything. */
const LENGTH_MIN_MS = MINUTE_MS;
/** Longer ones are forgotten: whoever needs more says so, or suspends again. */
const LENGTH_MAX_MS = 7 * DAY_MS;
/** Also with force: what never ends is no suspension. */
const LENGTH_FORCED_MAX_MS = 365 * DAY_MS;
const REASON_MAX_CHARACTERS = 500;

/** Decides until when an agent may be suspended, and what is written as the reason. */
export function planSuspension({ nowMs, forMs, untilMs, reason, force }: SuspensionWish): SuspensionPlan {
  if (forMs !== null && untilMs !== null) return refused("until", "given together with --for", "Give one of the two.");
  const flag = untilMs === null ? "for" : "until";
  const lengthMs = untilMs === null ? forMs : untilMs - nowMs;
  if (lengthMs === null) return refused("for", "missing", "A suspension always ends: give --for 2h, or --until.");
  if (lengthMs < LENGTH_MIN_MS) return refused(flag, "ends in less than a minute", "Choose a later end.");
  if (lengthMs > LENGTH_FORCED_MAX_MS) return refused(flag, "longer than a year", "Choose an earlier end.");
  if (lengthMs > LENGTH_MAX_MS && !force) {
    const remedy = "Choose an earlier end and suspend again when it is near, or add --force.";
    return refused(flag, "longer than 7 days, and likely to be forgotten", remedy);
  }
  const text = oneLine(reason ?? "");
  if (text === "") return refused("reason", "missing", "Say in one sentence why: whoever finds it suspended reads it.");
  return { kind: "suspend", untilMs: nowMs + lengthMs, reason: text };
}

function refused(flag: "for" | "until" | "reason", cause: string, remedy: string): SuspensionPlan {
  return { kind: "refused", flag, cause, remedy };
}

function oneLine(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return [...plain].slice(0, REASON_MAX_CHARACTERS).join("");
}
