import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { CATALOGUE } from "../../src/core/catalogue.ts";
import type { KubernetesObject } from "../../src/core/model.ts";
import { METRIC_PREFIX, METRICS, type MetricDescription } from "../../src/observe/metric-table.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { FULL_VALUES } from "../support/chart-values.ts";
import { temporaryFolder } from "../support/git.ts";
import { createHelm, type Helm, renderChart } from "../support/helm.ts";
import { renderKustomize } from "../support/kustomize.ts";
import { type Panel, readAlerts, readDashboard, readDashboardQueries, readRules } from "../support/monitoring.ts";
import { PROJECT } from "../support/process.ts";
import { type Matcher, type Query, readQuery } from "../support/promql.ts";

/** What Prometheus and Grafana are given asks only for what an agent tells. `npm run test:rules` plays the alerts. */

const RULES = await readRules();
const ALERTS = await readAlerts();

/** What a scrape adds, or README.md asks for, and what a join brings. */
const TARGET_LABELS = ["job", "instance", "pod", "federation", "cluster"];
const RECORDED = RULES.groups.flatMap(({ rules }) => rules).flatMap(({ record }) => record ?? []);

/** Each name that can be asked for, with the values of its labels; null where any may stand. */
const SERIES = await readSeries();

const QUERIES = [
  ...RULES.groups.flatMap(({ rules }) =>
    rules.map(({ alert, record, expr }) => ({ where: alert ?? record ?? "", expr })),
  ),
  ...ALERTS.flatMap(({ alert, annotations }) =>
    Object.values(annotations).flatMap((text) =>
      [...text.matchAll(/printf "([^"]+)"/g)].map(([, expr = ""]) => ({ where: `${alert}, a text of its`, expr })),
    ),
  ),
  ...(await readDashboardQueries()),
];

describe.each(QUERIES)("the query of $where", ({ expr }) => {
  const query = readQuery(expr);

  it("asks for something", () => expect(query.selectors).not.toEqual([]));

  it("names only metrics that there are", () => {
    expect(query.selectors.map(({ metric }) => metric).filter((metric) => !SERIES.has(metric))).toEqual([]);
  });

  it("names only labels that they have, and values that these take", () => {
    const wrong = query.selectors.flatMap(({ metric, matchers }) =>
      matchers.filter((matcher) => !canMatch(SERIES.get(metric), matcher)),
    );
    expect(wrong).toEqual([]);
  });

  it("groups and joins by labels that they have", () => {
    expect(query.labels.filter((label) => !hasLabel(query, label))).toEqual([]);
  });
});

it("a query that names what there is not is found out", () => {
  const { selectors, labels } = readQuery(
    `sum by (colour) (rate(amko_gitops_states{state=~"held|helt",nobody="x"}[5m])) * on (job) group_left amko_gitops_problem{code!="AG1"}`,
  );
  expect(labels).toEqual(["colour", "job"]);
  expect(selectors.map(({ metric }) => metric)).toEqual(["amko_gitops_states", "amko_gitops_problem"]);
  const state = SERIES.get("amko_gitops_state");
  expect(selectors[0]?.matchers.map((matcher) => canMatch(state, matcher))).toEqual([false, false]);
  expect(canMatch(SERIES.get("amko_gitops_problem"), selectors[1]?.matchers[0] as Matcher)).toBe(false);
});

describe("the alerts", () => {
  it.each(ALERTS)("$alert says how bad it is, what to do, and where that stands", ({ alert, labels, annotations }) => {
    expect(alert).toMatch(/^AmkoGitops[A-Z]\w+$/);
    expect(["critical", "warning", "info"]).toContain(labels["severity"]);
    expect(Object.keys(annotations).toSorted()).toEqual(["description", "runbook_url", "summary"]);
    expect(annotations["description"]).toMatch(/\.$/);
    expect(annotations["runbook_url"]).toMatch(new RegExp(`/deploy/RUNBOOK\\.md#${alert.toLowerCase()}$`));
  });

  it.each(ALERTS)("$alert has only labels in its texts that its series have", ({ expr, annotations }) => {
    const query = readQuery(expr);
    const used = Object.values(annotations).flatMap((text) =>
      [...text.matchAll(/\$labels\.(\w+)/g)].map(([, label = ""]) => label),
    );
    expect(used.filter((label) => !hasLabel(query, label))).toEqual([]);
  });

  it("are all played, each with a story in which it fires and one in which it does not", async () => {
    const { tests } = parse(await readFile(join(PROJECT, "test/prometheus/rules.yaml"), "utf8")) as Stories;
    const told = (alert: string, fires: boolean) => tests.some((story) => plays(story, alert, fires));
    const missing = ALERTS.filter(({ alert }) => !told(alert, true) || !told(alert, false)).map(({ alert }) => alert);
    expect(missing).toEqual([]);
  });

  it("leave no problem out but those that another alert tells, or that wait for a review", () => {
    const codes = (operator: string) =>
      new Set(
        ALERTS.flatMap(({ expr }) => readQuery(expr).selectors)
          .filter(({ metric }) => metric === "amko_gitops_problem")
          .flatMap(({ matchers }) => matchers.filter((one) => one.label === "code" && one.operator === operator))
          .flatMap(({ value }) => value.split("|")),
      );
    const told = codes("=~");
    // LeaderNotInOffice, SuspendedLong and Fight tell these by other metrics; AG5016 is a pull request.
    expect([...codes("!~")].filter((code) => !told.has(code))).toEqual(["AG5011", "AG5015", "AG5016", "AG5019"]);
  });

  it("are the same in the chart, with the address of the runbook that it is given, and in the PrometheusRule", async () => {
    const home = await temporaryFolder();
    afterAll(() => home[Symbol.asyncDispose]());
    const runbook = FULL_VALUES.monitoring.rules.runbookUrl;
    const ours = /https:\S+RUNBOOK\.md/g;
    const charted = ruleIn(await renderChart(await createHelm(home.path), FULL_VALUES));
    const kustomized = ruleIn(await renderKustomize("monitoring"));
    expect(kustomized.spec, "run deploy/monitoring/copy-rules.sh").toEqual(RULES);
    expect(charted.spec, "run deploy/monitoring/copy-rules.sh").toEqual(
      JSON.parse(JSON.stringify(RULES).replaceAll(ours, runbook)),
    );
  });
});

describe("the chart", () => {
  let home: Awaited<ReturnType<typeof temporaryFolder>>;
  let helm: Helm;
  beforeAll(async () => {
    home = await temporaryFolder();
    helm = await createHelm(home.path);
  });
  afterAll(() => home[Symbol.asyncDispose]());

  it("installs no alerts unless it is told to", async () => {
    const kinds = (await renderChart(helm)).map(({ kind }) => kind);
    expect(kinds).not.toContain("PrometheusRule");
  });

  it("scrapes as kustomize does", async () => {
    const monitoring = { serviceMonitor: { enabled: true } };
    const of = (objects: readonly KubernetesObject[]) => objects.find(({ kind }) => kind === "ServiceMonitor")?.spec;
    const charted = of(await renderChart(helm, { monitoring }));
    expect(charted).toEqual(of(await renderKustomize("monitoring")));
    expect(charted).toBeDefined();
  });
});

describe("the dashboard", () => {
  it("has panels with a title each, of the data source that is chosen, that do not overlap", async () => {
    const { panels } = await readDashboard();
    const titles = panels.map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
    for (const { type, datasource } of panels) {
      if (type !== "row") expect(datasource).toEqual({ type: "prometheus", uid: `\${datasource}` });
    }
    const overlapping = panels.flatMap((panel, index) =>
      panels.slice(index + 1).filter((other) => overlap(panel.gridPos, other.gridPos)),
    );
    expect(overlapping.map(({ title }) => title)).toEqual([]);
    expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24);
  });

  it("shows every metric that an agent tells", async () => {
    const shown = new Set(
      (await readDashboardQueries()).flatMap(({ expr }) => readQuery(expr).selectors.map(({ metric }) => metric)),
    );
    const names = Object.keys(METRICS).map((name) => `${METRIC_PREFIX}${name}`);
    const hidden = names.filter((name) => !shown.has(name) && !shown.has(`${name}_bucket`));
    expect(hidden).toEqual([]);
  });
});

type Values = Readonly<Record<string, readonly string[] | null>>;

async function readSeries(): Promise<ReadonlyMap<string, Values>> {
  const series = new Map<string, Values>();
  const target = Object.fromEntries(TARGET_LABELS.map((label) => [label, null]));
  // With what every Node process tells.
  const registry = new Registry();
  createMetrics({
    registry,
    version: "1.0.0",
    clock: { nowMs: () => 0, elapsedMs: () => 0, sleep: async () => undefined },
  });
  for (const { name } of registry.getMetricsAsArray()) series.set(name, target);
  for (const [name, { type, labels }] of Object.entries<MetricDescription>(METRICS)) {
    const own = Object.entries(labels).map(([label, values]) => [label, valuesOf(label, values)] as const);
    const known = { ...target, ...Object.fromEntries(own) };
    const full = `${METRIC_PREFIX}${name}`;
    if (type !== "histogram") series.set(full, known);
    else {
      series.delete(full);
      for (const suffix of ["_bucket", "_sum", "_count"]) series.set(`${full}${suffix}`, { ...known, le: null });
    }
  }
  for (const name of RECORDED) series.set(name, target);
  return series;
}

function valuesOf(label: string, values: readonly string[] | string): readonly string[] | null {
  if (typeof values !== "string") return values;
  return label === "code" ? Object.keys(CATALOGUE) : null;
}

function canMatch(values: Values | undefined, { label, operator, value }: Matcher): boolean {
  const known = values?.[label];
  if (known === undefined) return false;
  if (known === null) return true;
  const wanted = operator.endsWith("~") ? value.split("|") : [value];
  return wanted.every((one) => known.includes(one));
}

function hasLabel({ selectors }: Query, label: string): boolean {
  return selectors.some(({ metric }) => Object.hasOwn(SERIES.get(metric) ?? {}, label));
}

interface Stories {
  readonly tests: readonly {
    readonly name: string;
    readonly promql_expr_test?: readonly { readonly expr: string; readonly exp_samples: readonly unknown[] }[];
    readonly alert_rule_test?: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[];
  }[];
}

function plays(story: Stories["tests"][number], alert: string, fires: boolean): boolean {
  if (!story.name.startsWith(`${alert} ${fires ? "fires" : "is silent"}`)) return false;
  const outcomes = [
    ...(story.promql_expr_test ?? []).flatMap(({ expr, exp_samples }) =>
      expr.includes(`alertname="${alert}"`) ? [exp_samples.length > 0] : [],
    ),
    ...(story.alert_rule_test ?? []).flatMap(({ alertname, exp_alerts }) =>
      alertname === alert ? [exp_alerts.length > 0] : [],
    ),
  ];
  return outcomes.length > 0 && outcomes.some((one) => one) === fires;
}

function ruleIn(objects: readonly KubernetesObject[]): KubernetesObject {
  const [rule, ...more] = objects.filter(({ kind }) => kind === "PrometheusRule");
  if (rule === undefined || more.length > 0) throw new Error("there is not exactly one PrometheusRule");
  return rule;
}

function overlap(a: Panel["gridPos"], b: Panel["gridPos"]): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}
