import { createTask, schedule, validateDetailed } from "node-cron";
import type { Log } from "../ports.ts";

const JITTER_SHARE = 0.2;
const JITTER_MAX_MS = 30_000;

/** Why a cron expression (with seconds) cannot be used; null when it can. */
export function cronProblem(expression: string): string | null {
  if (expression.trim().split(/\s+/).length !== 6) return "it needs six fields, the first being seconds";
  const { valid, errors } = validateDetailed(expression);
  return valid ? null : errors.map(({ message }) => message).join("; ");
}

/**
 * Calls `due` as a cron expression says, each time a little later than that (up to a fifth of the interval), so that
 * a thousand clusters with the same expression do not ask the git server in the same second.
 */
export function startSchedule(name: string, expression: string, due: () => void, log: Log): { stop(): void } {
  const quiet = (): void => undefined;
  const warn = (message: string | Error): void => log("debug", "schedule", { schedule: name, cause: String(message) });
  const task = schedule(expression, due, {
    name,
    noOverlap: true,
    maxRandomDelay: Math.floor(Math.min(intervalMs(expression) * JITTER_SHARE, JITTER_MAX_MS)),
    suppressMissedWarning: true,
    logger: { info: quiet, debug: quiet, warn, error: warn },
  });
  return { stop: () => void task.destroy() };
}

function intervalMs(expression: string): number {
  const probe = createTask(expression, () => undefined);
  const [first, second] = probe.getNextRuns(2);
  void probe.destroy();
  return first === undefined || second === undefined ? 0 : second.getTime() - first.getTime();
}
