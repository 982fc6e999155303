import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { METRIC_PREFIX, METRICS, type MetricDescription } from "./metric-table.ts";

type MetricName = keyof typeof METRICS;
type NameOf<Type extends MetricDescription["type"]> = {
  [Name in MetricName]: (typeof METRICS)[Name]["type"] extends Type ? Name : never;
}[MetricName];
type LabelsOf<Name extends MetricName> = Series & {
  readonly [Label in keyof (typeof METRICS)[Name]["labels"]]: ValueOf<(typeof METRICS)[Name]["labels"][Label]>;
};
type Series = Readonly<Record<string, string>>;
type ValueOf<Values> = Values extends readonly (infer Value)[] ? Value : string;

/** The metrics of the table, to be moved. Only labels and values that the table has compile. */
export interface Instruments {
  set<Name extends NameOf<"gauge">>(name: Name, value: number, labels: LabelsOf<Name>): void;
  /** Puts these series in the place of all that the gauge had. */
  replace<Name extends NameOf<"gauge">>(name: Name, series: readonly (readonly [LabelsOf<Name>, number])[]): void;
  count<Name extends NameOf<"counter">>(name: Name, labels: LabelsOf<Name>, by?: number): void;
  observe<Name extends NameOf<"histogram">>(name: Name, durationMs: number, labels: LabelsOf<Name>): void;
}

/** From what is quick on a local network to the default time limits. */
const DURATION_BUCKETS_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 30];

/** Registers every metric of the table; those whose labels' values are all known begin at 0. */
export function createInstruments(registry: Registry): Instruments {
  const gauges = new Map<string, Gauge>();
  const counters = new Map<string, Counter>();
  const histograms = new Map<string, Histogram>();
  for (const [name, description] of Object.entries<MetricDescription>(METRICS)) {
    const { help, labels } = description;
    const settings = { name: `${METRIC_PREFIX}${name}`, help, labelNames: Object.keys(labels), registers: [registry] };
    switch (description.type) {
      case "gauge":
        gauges.set(
          name,
          begin(new Gauge(settings), labels, (gauge, series) => gauge.set(series, 0)),
        );
        break;
      case "counter":
        counters.set(
          name,
          begin(new Counter(settings), labels, (counter, series) => counter.inc(series, 0)),
        );
        break;
      case "histogram": {
        const histogram = new Histogram({ ...settings, buckets: DURATION_BUCKETS_SECONDS });
        histograms.set(
          name,
          begin(histogram, labels, (one, series) => one.zero(series)),
        );
        break;
      }
      default:
        description.type satisfies never;
    }
  }
  return {
    set: (name, value, labels) => gauges.get(name)?.set(labels, value),
    replace(name, series) {
      const gauge = gauges.get(name);
      gauge?.reset();
      for (const [labels, value] of series) gauge?.set(labels, value);
    },
    count: (name, labels, by = 1) => counters.get(name)?.inc(labels, by),
    // A clock that is set back must not make a duration negative.
    observe: (name, durationMs, labels) => histograms.get(name)?.observe(labels, Math.max(0, durationMs) / 1000),
  };
}

/** A counter that appears with its first event has no increase that Prometheus could see. */
function begin<Metric>(
  metric: Metric,
  labels: MetricDescription["labels"],
  zero: (metric: Metric, series: Series) => void,
): Metric {
  for (const series of everySeries(labels)) zero(metric, series);
  return metric;
}

/** None where a label's values are not known. */
function everySeries(labels: MetricDescription["labels"]): readonly Series[] {
  let all: readonly Series[] = [{}];
  for (const [label, values] of Object.entries(labels)) {
    const known = typeof values === "string" ? [] : values;
    all = all.flatMap((series) => known.map((value) => ({ ...series, [label]: value })));
  }
  return all;
}
