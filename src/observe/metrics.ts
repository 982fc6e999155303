import { collectDefaultMetrics, type Registry } from "prom-client";
import type { ErrorCode } from "../core/catalogue.ts";
import { correctionsInARow } from "../core/fight.ts";
import { type Fact, MEMBER_STATES, type PassReport, type Stance, type Telemetry } from "../core/telemetry.ts";
import type { Clock } from "../ports.ts";
import { createInstruments, type Instruments } from "./instruments.ts";
import { AGENT_ROLES, AGENT_STATES, METRICS } from "./metric-table.ts";
import type { Route } from "./server.ts";

/** One request to the git server, as its adapter reports it. */
export interface GitRequestReport {
  readonly operation: (typeof METRICS)["git_bytes_total"]["labels"]["operation"][number];
  readonly bytes: number;
  readonly durationMs: number;
  readonly error: ErrorCode | null;
}

/** One request to the API server, as its adapter reports it. */
export interface KubeRequestReport {
  readonly verb: (typeof METRICS)["kube_request_duration_seconds"]["labels"]["verb"][number];
  readonly durationMs: number;
  readonly error: ErrorCode | null;
}

/** What became of a delivery to the webhook. */
export type DeliveryOutcome = (typeof METRICS)["webhook_deliveries_total"]["labels"]["outcome"][number];

export interface Metrics extends Telemetry {
  gitRequested(report: GitRequestReport): void;
  kubeRequested(report: KubeRequestReport): void;
  delivered(outcome: DeliveryOutcome): void;
  /** Asked for the age of the watches with each scrape. */
  watch(silenceMs: () => number): void;
  readonly route: Route;
}

export interface MetricsSettings {
  /** Where the metrics are registered; one of its own for each agent. */
  readonly registry: Registry;
  readonly version: string;
  readonly clock: Clock;
}

/** Turns what an agent and its adapters tell into Prometheus metrics, served as `/metrics`. */
export function createMetrics({ registry, version, clock }: MetricsSettings): Metrics {
  const instruments = createInstruments(registry);
  instruments.set("build_info", 1, { version });
  collectProcessMetrics(registry);
  let last: PassReport | null = null;
  let stance: Stance = UNKNOWN_STANCE;
  let silenceMs = (): number => 0;
  showState(instruments, null);
  showStance(instruments, stance);
  return {
    happened: (fact) => countFact(instruments, fact),
    passed(report) {
      last = report;
      stance = { ...stance, ...report.stance };
      countPass(instruments, report, clock.nowMs());
      showState(instruments, report);
      showStance(instruments, stance);
    },
    gitRequested({ operation, bytes, durationMs, error }) {
      instruments.observe("git_request_duration_seconds", durationMs, { operation });
      instruments.count("git_bytes_total", { operation }, bytes);
      if (error === null) return;
      const code = oneOf(METRICS.git_request_errors_total.labels.code, error);
      instruments.count("git_request_errors_total", { code });
    },
    kubeRequested({ verb, durationMs, error }) {
      instruments.observe("kube_request_duration_seconds", durationMs, { verb });
      if (error === null) return;
      const code = oneOf(METRICS.kube_request_errors_total.labels.code, error);
      instruments.count("kube_request_errors_total", { code });
    },
    delivered: (outcome) => instruments.count("webhook_deliveries_total", { outcome }),
    watch(asked) {
      silenceMs = asked;
    },
    route: {
      method: "GET",
      path: "/metrics",
      bodyMaxBytes: 0,
      async respond() {
        instruments.set("watch_age_seconds", silenceMs() / 1000, {});
        showAges(instruments, stance, clock.nowMs());
        showFights(instruments, last, clock.elapsedMs());
        return { status: 200, contentType: registry.contentType, body: await registry.metrics() };
      },
    },
  };
}

const UNKNOWN_STANCE: Stance = {
  role: "unknown",
  localLeader: false,
  suspendedUntilMs: null,
  problem: null,
  heldAtSeconds: 0,
  lacksSinceSeconds: null,
  members: { holds: 0, behind: 0, late: 0, failed: 0, excluded: 0 },
};

/** So rarely that an idle agent does not notice: the histogram of the event loop's delay would wake it 100 times a second. */
const EVENT_LOOP_PROBE_MS = 60_000;
/** What that histogram says is of no use then; `nodejs_eventloop_lag_seconds` is measured with each scrape. */
const EVENT_LOOP_HISTOGRAM = ["min", "max", "mean", "stddev", "p50", "p90", "p99"] as const;

function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_PROBE_MS });
  for (const figure of EVENT_LOOP_HISTOGRAM) registry.removeSingleMetric(`nodejs_eventloop_lag_${figure}_seconds`);
}

/** The value where the table has it; what it does not foresee counts as the unexpected. */
function oneOf<Code extends string>(codes: readonly Code[], code: string): Code | "AG9001" {
  return codes.find((one) => one === code) ?? "AG9001";
}

function countFact(instruments: Instruments, fact: Fact): void {
  switch (fact.fact) {
    case "exported":
      instruments.count("exports_total", { kind: fact.kind, action: fact.action });
      break;
    case "proposed":
      instruments.count("proposals_total", { topic: fact.topic });
      break;
    case "applied":
      instruments.count("applies_total", { kind: fact.kind, action: fact.action });
      break;
    case "corrected":
      instruments.count("drift_corrections_total", { kind: fact.kind });
      break;
    case "rescued":
      instruments.count("rescues_total", { kind: fact.kind, place: fact.place });
      break;
    case "acknowledged":
      instruments.count("acknowledgements_total", {});
      break;
    case "office":
      instruments.count("office_changes_total", { change: fact.change });
      break;
    default:
      fact satisfies never;
  }
}

/** The branch, or a ref below the prefix, was elsewhere than it had been read. */
const RACES: ReadonlySet<string> = new Set(["AG2003", "AG2011"] satisfies ErrorCode[]);

function countPass(
  instruments: Instruments,
  { wakes, durationMs, state, stance, error }: PassReport,
  nowMs: number,
): void {
  instruments.observe("reconcile_duration_seconds", durationMs, { outcome: stance === null ? "rested" : state });
  for (const reason of wakes) instruments.count("wakes_total", { reason });
  if (error === null) {
    instruments.set("last_successful_reconcile_timestamp_seconds", nowMs / 1000, {});
    return;
  }
  instruments.count("reconcile_errors_total", { code: error });
  if (RACES.has(error)) instruments.count("push_races_total", {});
}

function showState(instruments: Instruments, report: PassReport | null): void {
  const state = report?.state ?? "starting";
  for (const one of AGENT_STATES) instruments.set("state", one === state ? 1 : 0, { state: one });
  instruments.set("in_office", report?.inOffice === true ? 1 : 0, {});
  instruments.set("head_revision_timestamp_seconds", report?.headAtSeconds ?? 0, {});
  if (report === null) return;
  const { cluster, viewProblems } = report;
  instruments.replace("cluster_info", cluster === null ? [] : [[{ cluster }, 1]]);
  const counted = Map.groupBy(viewProblems, ({ code, severity }) => `${code} ${severity}`);
  instruments.replace(
    "view_problems",
    [...counted.values()].flatMap((alike) => {
      const [first] = alike;
      return first === undefined ? [] : [[{ code: first.code, severity: first.severity }, alike.length] as const];
    }),
  );
}

function showStance(instruments: Instruments, { role, localLeader, problem, heldAtSeconds, members }: Stance): void {
  for (const one of AGENT_ROLES) instruments.set("role", one === role ? 1 : 0, { role: one });
  instruments.set("local_leader", localLeader ? 1 : 0, {});
  instruments.replace("problem", problem === null ? [] : [[{ code: problem }, 1]]);
  instruments.set("applied_revision_timestamp_seconds", heldAtSeconds, {});
  for (const state of MEMBER_STATES) instruments.set("members", members[state], { state });
}

/** What changes by itself, as time passes. */
function showAges(instruments: Instruments, { suspendedUntilMs, lacksSinceSeconds }: Stance, nowMs: number): void {
  instruments.set("suspended", suspendedUntilMs !== null && suspendedUntilMs > nowMs ? 1 : 0, {});
  const behindSeconds = lacksSinceSeconds === null ? 0 : Math.max(0, nowMs / 1000 - lacksSinceSeconds);
  instruments.set("behind_seconds", behindSeconds, {});
}

/** They are over when nobody has fought for a while. */
function showFights(instruments: Instruments, last: PassReport | null, elapsedMs: number): void {
  for (const kind of METRICS.fight_rounds.labels.kind) {
    instruments.set("fight_rounds", correctionsInARow(last?.corrections[kind], elapsedMs), { kind });
  }
}
