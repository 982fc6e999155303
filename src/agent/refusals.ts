import type { Context, Memory, RefusedRef } from "./context.ts";

/** How long a ref that the git server refused rests before it is tried again. */
const REFUSED_REST_MS = 30_000;

/** Remembers that the server refused one of our refs. */
export function noteRefusal({ clock }: Context, memory: Memory, ref: RefusedRef): Memory {
  return { ...memory, refusedAtMs: { ...memory.refusedAtMs, [ref]: clock.elapsedMs() } };
}

/** Forgets at a resync, and once before it after a while, which refs were refused: then they are tried again. */
export function forgetRefusals(context: Context, memory: Memory, isResync: boolean): Memory {
  if (!isResync && refusedRestMs(context, memory) !== 0) return memory;
  return { ...memory, refusedAtMs: {}, unreleased: null, refusedAgain: !isResync };
}

/** Where git takes what it is given again, the next refusal is a first one. */
export function settleRefusals(memory: Memory): Memory {
  return Object.keys(memory.refusedAtMs).length > 0 ? memory : { ...memory, refusedAgain: false };
}

/**
 * How long until refused refs are tried again; null where none was refused, or where that is left to the resync. A
 * refusal may be a passing fault; an agent that may only read must not knock all the time.
 */
export function refusedRestMs({ clock }: Context, { refusedAtMs, refusedAgain }: Memory): number | null {
  const times = Object.values(refusedAtMs);
  if (times.length === 0 || refusedAgain) return null;
  return Math.max(0, Math.min(...times) + REFUSED_REST_MS - clock.elapsedMs());
}
