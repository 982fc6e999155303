import { WAKES, type Wake } from "../core/telemetry.ts";
import type { FederationError } from "../errors.ts";
import type { Chance, Clock, Log } from "../ports.ts";
import { type Memory, NO_MEMORY, type Result } from "./context.ts";

const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 60_000;
/** Conflicts are tried again at once, this often in a row; then somebody else is as busy as we are. */
const IMMEDIATE_RETRIES_MAX = 5;
/** The longest rest: even a wake-up that was lost comes back. */
const REST_MAX_MS = 15 * 60_000;

export interface LoopParts {
  /** One pass; it never throws. */
  pass(memory: Memory, wake: ReadonlySet<Wake>, signal: AbortSignal): Promise<Result>;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
  /** Told after each pass. */
  ended(result: Result): void;
}

export interface Loop {
  /** Asks for a pass. Wake-ups that come while one runs, or while the loop backs off, become one. */
  wake(reason: Wake): void;
  /** Settles after the last pass, once the signal aborted. */
  readonly stopped: Promise<void>;
}

/** How long to wait, and which wake-ups end it early. */
interface Rest {
  readonly forMs: number;
  readonly endedBy: ReadonlySet<Wake>;
}

const EVERY_WAKE: ReadonlySet<Wake> = new Set(WAKES);
/** After an error a busy cluster must not turn the loop hot, but recovery must not wait longer than one poll. */
const WAKES_FROM_BACKOFF: ReadonlySet<Wake> = new Set(["poll", "resync"]);

/** Runs one pass at a time, for ever: when woken, when a pass asked for it, and with backoff after an error. */
export function startLoop(parts: LoopParts, signal: AbortSignal): Loop {
  const pending = new Set<Wake>(["start"]);
  let ring = (_reason: Wake): void => undefined;

  async function rest({ forMs, endedBy }: Rest): Promise<void> {
    if ([...pending].some((reason) => endedBy.has(reason))) return;
    const woken = new AbortController();
    const stop = (): void => woken.abort();
    ring = (reason) => (endedBy.has(reason) ? stop() : undefined);
    signal.addEventListener("abort", stop, { once: true });
    await parts.clock.sleep(forMs, woken.signal);
    signal.removeEventListener("abort", stop);
    ring = () => undefined;
    if (!woken.signal.aborted) pending.add("retry");
  }

  async function run(): Promise<void> {
    let memory = NO_MEMORY;
    let failures = 0;
    while (!signal.aborted) {
      const reasons = new Set(pending);
      pending.clear();
      const result = await parts.pass(memory, reasons, signal);
      if (signal.aborted) return;
      memory = result.memory;
      failures = result.error === null ? 0 : failures + 1;
      const next = result.error === null ? restAfter(result) : backOff(result.error, failures, parts);
      parts.ended(result);
      await rest(next);
    }
  }

  return {
    wake(reason) {
      pending.add(reason);
      ring(reason);
    },
    stopped: run(),
  };
}

function restAfter({ againAfterMs }: Result): Rest {
  return { forMs: Math.min(againAfterMs ?? REST_MAX_MS, REST_MAX_MS), endedBy: EVERY_WAKE };
}

/** Doubles from half a second to a minute, with jitter; never shorter than the server asked for. */
function backOff(error: FederationError, failures: number, { chance, log }: LoopParts): Rest {
  const { code, message, remedy } = error;
  if (error.retry === "now" && failures <= IMMEDIATE_RETRIES_MAX) {
    log("debug", "trying again at once", { code, cause: message });
    return { forMs: 0, endedBy: EVERY_WAKE };
  }
  const slowed = error.retry === "now" ? failures - IMMEDIATE_RETRIES_MAX : failures;
  const fullMs = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(slowed - 1, 10));
  const forMs = Math.max(error.retryAfterMs ?? 0, Math.round(fullMs * (0.5 + chance.fraction() / 2)));
  log("warn", "pass failed", { code, cause: message, remedy, failures, againAfterMs: forMs });
  return { forMs, endedBy: error.retryAfterMs === null ? WAKES_FROM_BACKOFF : new Set() };
}
