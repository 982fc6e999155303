import type { LiveObject } from "../core/model.ts";
import { readSuspension, type Suspension } from "../core/suspension.ts";
import { formatDuration } from "./render/instant.ts";
import { plainText } from "./render/problem.ts";

/** What still stands of a suspension; null where there is none, or where it ended by itself. */
export function suspensionInForce(
  { metadata }: LiveObject,
  nowMs: number,
): (Suspension & { readonly restMs: number }) | null {
  const suspension = readSuspension(metadata.annotations);
  if (suspension === null) return null;
  const restMs = Date.parse(suspension.until) - nowMs;
  return restMs > 0 ? { ...suspension, restMs } : null;
}

/** `until 2026-01-15T14:00:00Z, which is in 2h: why` */
export function describeSuspension({ until, reason, restMs }: Suspension & { readonly restMs: number }): string {
  return `until ${plainText(until)}, which is in ${formatDuration(restMs)}: ${plainText(reason)}`;
}
