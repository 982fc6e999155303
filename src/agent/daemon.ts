import type { AmkoKind } from "../core/model.ts";
import { NO_TELEMETRY, type Wake } from "../core/telemetry.ts";
import type { Members } from "../ports.ts";
import type { PassParts, Result } from "./context.ts";
import { limitWakes } from "./limit-wakes.ts";
import { startLoop } from "./loop.ts";
import { createMemberChecks, NO_MEMBER_CHECKS } from "./member-checks.ts";
import { reportPass } from "./pass-report.ts";
import { reconcile } from "./reconcile.ts";
import { startSchedule } from "./schedule.ts";

/** What the probes are told. */
export interface DaemonHealth {
  readonly live: boolean;
  readonly ready: boolean;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface Daemon {
  health(): DaemonHealth;
  /** Reads the branch at once, as a poll does; what comes while a pass runs becomes one. */
  fetchNow(): void;
  /** Milliseconds since the quietest watch last showed a sign of life. */
  watchSilenceMs(): number;
  /** Ends watches, schedules and the running pass; settles when nothing is left. */
  stop(): Promise<void>;
}

/** A pass is bounded by the time limits of its requests. One that lasts longer than this hangs for good. */
const PASS_MAX_MS = 10 * 60_000;
/** A watch that has done nothing for this long, not even in vain, hangs for good. No server makes it wait as long. */
const WATCH_STALLED_MAX_MS = 15 * 60_000;

/** Runs the agent: watches, schedules and the loop that they wake. */
export function startDaemon(
  context: Omit<PassParts, "members">,
  schedules: { readonly poll: string; readonly resync: string },
  /** The other clusters; null where their credentials are not to be used. */
  members: Members | null = null,
): Daemon {
  const { cluster, clock, chance, log, telemetry = NO_TELEMETRY } = context;
  const stopping = new AbortController();
  let last: Result | null = null;
  let passSinceMs: number | null = null;
  const checks =
    members === null
      ? NO_MEMBER_CHECKS
      : createMemberChecks({ members, clock, log, changed: () => loop.wake("cluster") }, stopping.signal);
  const loop = startLoop(
    {
      clock,
      chance,
      log,
      async pass(memory, wake, signal) {
        const startedAtMs = clock.elapsedMs();
        passSinceMs = startedAtMs;
        const result = await reconcile({ ...context, members: checks }, memory, wake, signal);
        passSinceMs = null;
        telemetry.passed(reportPass(result, context.settings, wake, clock.elapsedMs() - startedAtMs));
        return result;
      },
      ended(result) {
        if (result.state !== last?.state) log("info", "state", { state: result.state });
        last = result;
      },
    },
    stopping.signal,
  );
  const wake = (reason: Wake) => (): void => loop.wake(reason);
  // Nudges come as writes of the AMKOCluster.
  const nudged = limitWakes(wake("cluster"), clock, stopping.signal);
  const changed = (kind: AmkoKind): void => (kind === "AMKOCluster" ? nudged() : loop.wake("cluster"));
  const watch = cluster.watch(changed, stopping.signal);
  const polled = (): void => {
    checks.refresh();
    loop.wake("poll");
  };
  const poll = startSchedule("poll", schedules.poll, polled, log);
  const resync = startSchedule("resync", schedules.resync, wake("resync"), log);
  return {
    health() {
      const hanging = passSinceMs !== null && clock.elapsedMs() - passSinceMs > PASS_MAX_MS;
      const stalled = watch.stalledMs() > WATCH_STALLED_MAX_MS;
      const error = last?.error ?? null;
      const detail = {
        state: last?.state ?? "starting",
        ...(error === null ? {} : { code: error.code, cause: error.message }),
      };
      // Without git the cluster is as it should be as far as anybody knows: ready. Without its API server it is not.
      return { live: !hanging && !stalled, ready: last !== null && last.state !== "failed", detail };
    },
    fetchNow: wake("hook"),
    watchSilenceMs: watch.silenceMs,
    async stop() {
      poll.stop();
      resync.stop();
      stopping.abort();
      await Promise.all([loop.stopped, watch.stopped, checks.settled()]);
      log("info", "stopped");
    },
  };
}
