import { parseDuration } from "../config.ts";
import { type Given, wrongFlag } from "./given.ts";

const DAY_MS = 86_400_000;
const RFC_3339 = /^\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:[Zz]|[+-]\d{2}:\d{2}))?$/;

/** A time that a flag gives, in Unix seconds: so long ago (`7d`, `24h`), a day, or RFC 3339. @throws FederationError AG4002 */
export function readMoment(given: Given, flag: string, nowMs: number): number | null {
  const text = given.text(flag);
  if (text === null) return null;
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  const agoMs = days === undefined ? parseDuration(text) : Number(days) * DAY_MS;
  if (agoMs !== null) return Math.floor((nowMs - agoMs) / 1000);
  const atMs = RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(atMs)) {
    throw wrongFlag(flag, text, "no time", "Say how long ago (7d, 24h), a day (2026-01-15) or a time with its zone.");
  }
  return Math.floor(atMs / 1000);
}
