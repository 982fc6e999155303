import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { problem } from "../../src/core/catalogue.ts";
import type { PassReport, Stance } from "../../src/core/telemetry.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { createManualClock } from "../support/fakes/time.ts";
import { seriesValue } from "../support/metrics.ts";

const START_MS = 1_800_000_000_000;

const STANCE: Stance = {
  role: "follower",
  localLeader: false,
  suspendedUntilMs: null,
  problem: null,
  heldAtSeconds: 1_799_999_000,
  lacksSinceSeconds: null,
  members: { holds: 0, behind: 0, late: 0, failed: 0, excluded: 0 },
};

function report(changes: Partial<PassReport> = {}): PassReport {
  return {
    wakes: new Set(["poll"]),
    durationMs: 200,
    state: "in-sync",
    error: null,
    stance: STANCE,
    cluster: "cluster2",
    viewProblems: [],
    headAtSeconds: 1_799_999_000,
    inOffice: false,
    corrections: {},
    ...changes,
  };
}

function metrics() {
  const clock = createManualClock(START_MS);
  const made = createMetrics({ registry: new Registry(), version: "1.2.3", clock });
  const scrape = async (): Promise<string> => {
    const { body } = await made.route.respond({ method: "GET", headers: {}, body: Buffer.alloc(0) });
    return body;
  };
  const read = async (series: string): Promise<number | null> => seriesValue(await scrape(), `amko_gitops_${series}`);
  return { ...made, clock, scrape, read };
}

describe("before the first pass", () => {
  it("an agent is starting, and its role is not known", async () => {
    const { read } = metrics();
    expect(await read('state{state="starting"}')).toBe(1);
    expect(await read('role{role="unknown"}')).toBe(1);
    expect(await read('build_info{version="1.2.3"}')).toBe(1);
    expect(await read("last_successful_reconcile_timestamp_seconds")).toBe(0);
  });

  it("what can be counted stands at 0, so that a first event is an increase", async () => {
    const { read } = metrics();
    for (const series of [
      'exports_total{kind="GSLBConfig",action="entomb"}',
      'git_request_errors_total{code="AG2001"}',
      'kube_request_errors_total{code="AG3001"}',
      'reconcile_duration_seconds_count{outcome="failed"}',
      'webhook_deliveries_total{outcome="refused"}',
      "push_races_total",
    ]) {
      expect([series, await read(series)]).toEqual([series, 0]);
    }
  });
});

describe("after a pass", () => {
  it("its state and role are the only ones", async () => {
    const { passed, scrape } = metrics();
    passed(report({ state: "held", stance: { ...STANCE, role: "leader", localLeader: true }, inOffice: true }));
    const text = await scrape();
    expect(text.match(/^amko_gitops_(state|role)\{.*\} 1$/gm)).toEqual([
      'amko_gitops_state{state="held"} 1',
      'amko_gitops_role{role="leader"} 1',
    ]);
    expect(seriesValue(text, "amko_gitops_in_office")).toBe(1);
    expect(seriesValue(text, "amko_gitops_local_leader")).toBe(1);
  });

  it("what the next one does not find out stays as it was", async () => {
    const { passed, read } = metrics();
    passed(report({ stance: { ...STANCE, role: "leader" } }));
    passed(report({ stance: { problem: "AG2001" }, state: "git-away", error: "AG2001" }));
    passed(report({ stance: null }));
    expect(await read('role{role="leader"}')).toBe(1);
    expect(await read('problem{code="AG2001"}')).toBe(1);
    expect(await read("applied_revision_timestamp_seconds")).toBe(1_799_999_000);
  });

  it("a problem that is over is gone, and so are the view's", async () => {
    const { passed, scrape } = metrics();
    const viewProblems = [
      problem("AG1013", "one field", { severity: "warning" }),
      problem("AG1013", "another field", { severity: "warning" }),
      problem("AG1012", "a wrong value"),
    ];
    passed(report({ stance: { ...STANCE, problem: "AG3007" }, viewProblems }));
    const before = await scrape();
    expect(seriesValue(before, 'amko_gitops_problem{code="AG3007"}')).toBe(1);
    expect(seriesValue(before, 'amko_gitops_view_problems{code="AG1013",severity="warning"}')).toBe(2);
    expect(seriesValue(before, 'amko_gitops_view_problems{code="AG1012",severity="error"}')).toBe(1);
    passed(report());
    expect(await scrape()).not.toMatch(/^amko_gitops_(view_problems|problem)\{/m);
  });

  it("its duration counts under how it ended, and a pass that rested by itself", async () => {
    const { passed, read } = metrics();
    passed(report());
    passed(report({ stance: null }));
    passed(report({ stance: null }));
    expect(await read('reconcile_duration_seconds_count{outcome="in-sync"}')).toBe(1);
    expect(await read('reconcile_duration_seconds_count{outcome="rested"}')).toBe(2);
    expect(await read('reconcile_duration_seconds_sum{outcome="rested"}')).toBeCloseTo(0.4);
    expect(await read('wakes_total{reason="poll"}')).toBe(3);
  });

  it("a race counts as one, and as an error", async () => {
    const { passed, read } = metrics();
    passed(report({ error: "AG2003", state: "held", stance: {} }));
    passed(report({ error: "AG3001", state: "failed", stance: {} }));
    expect(await read("push_races_total")).toBe(1);
    expect(await read('reconcile_errors_total{code="AG2003"}')).toBe(1);
    expect(await read('reconcile_errors_total{code="AG3001"}')).toBe(1);
    expect(await read("last_successful_reconcile_timestamp_seconds")).toBe(0);
  });

  it("a clock that was set back in between does no harm", async () => {
    const { passed, read } = metrics();
    passed(report({ durationMs: -3_600_000 }));
    expect(await read('reconcile_duration_seconds_sum{outcome="in-sync"}')).toBe(0);
  });
});

describe("with time", () => {
  it("a cluster that lacks something falls behind, until it holds it", async () => {
    const { passed, read, clock } = metrics();
    passed(report({ stance: { ...STANCE, lacksSinceSeconds: START_MS / 1000 - 60 } }));
    expect(await read("behind_seconds")).toBe(60);
    await clock.advance(30_000);
    expect(await read("behind_seconds")).toBe(90);
    passed(report());
    expect(await read("behind_seconds")).toBe(0);
  });

  it("a commit of the future makes nobody early", async () => {
    const { passed, read } = metrics();
    passed(report({ stance: { ...STANCE, lacksSinceSeconds: START_MS / 1000 + 60 } }));
    expect(await read("behind_seconds")).toBe(0);
  });

  it("a suspension ends, also when no pass tells", async () => {
    const { passed, read, clock } = metrics();
    passed(report({ stance: { ...STANCE, suspendedUntilMs: START_MS + 60_000 } }));
    expect(await read("suspended")).toBe(1);
    await clock.advance(60_000);
    expect(await read("suspended")).toBe(0);
  });

  it("a fight is over after a time of peace", async () => {
    const { passed, read, clock } = metrics();
    passed(report({ corrections: { GSLBConfig: { count: 5, lastMs: 0 } } }));
    expect(await read('fight_rounds{kind="GSLBConfig"}')).toBe(5);
    await clock.advance(10 * 60_000);
    expect(await read('fight_rounds{kind="GSLBConfig"}')).toBe(0);
  });

  it("the watches get older", async () => {
    const { watch, read } = metrics();
    watch(() => 90_000);
    expect(await read("watch_age_seconds")).toBe(90);
  });
});

describe("requests", () => {
  it("count by what they were for, and failures by their cause", async () => {
    const { gitRequested, kubeRequested, read } = metrics();
    gitRequested({ operation: "list", bytes: 300, durationMs: 40, error: null });
    gitRequested({ operation: "list", bytes: 100, durationMs: 60_000, error: "AG2010" });
    kubeRequested({ verb: "patch", durationMs: 20, error: "AG3004" });
    expect(await read('git_request_duration_seconds_count{operation="list"}')).toBe(2);
    expect(await read('git_request_duration_seconds_bucket{le="0.05",operation="list"}')).toBe(1);
    expect(await read('git_bytes_total{operation="list"}')).toBe(400);
    expect(await read('git_request_errors_total{code="AG2010"}')).toBe(1);
    expect(await read('kube_request_duration_seconds_count{verb="patch"}')).toBe(1);
    expect(await read('kube_request_errors_total{code="AG3004"}')).toBe(1);
  });

  it("that fail as nobody foresaw count as the unexpected, and make no series of their own", async () => {
    const { gitRequested, scrape } = metrics();
    gitRequested({ operation: "push", bytes: 0, durationMs: 1, error: "AG5036" });
    const text = await scrape();
    expect(seriesValue(text, 'amko_gitops_git_request_errors_total{code="AG9001"}')).toBe(1);
    expect(text).not.toContain("AG5036");
  });
});

it("tells of the process too, without waking it for that", async () => {
  const { scrape } = metrics();
  const text = await scrape();
  expect(seriesValue(text, "process_resident_memory_bytes")).toBeGreaterThan(0);
  expect(text).toContain("nodejs_eventloop_lag_seconds");
  expect(text).not.toContain("nodejs_eventloop_lag_p99_seconds");
});

it("two agents in one process have metrics of their own", async () => {
  const [one, other] = [metrics(), metrics()];
  one.delivered("accepted");
  expect(await one.read('webhook_deliveries_total{outcome="accepted"}')).toBe(1);
  expect(await other.read('webhook_deliveries_total{outcome="accepted"}')).toBe(0);
});
