/** One line of Prometheus' text format that is a sample. */
export interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/** A metric as a scrape shows it, with all its series. */
export interface ExposedMetric {
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** Reads Prometheus' text format as an agent writes it: each metric after its HELP and TYPE. */
export function readExposition(text: string): ReadonlyMap<string, ExposedMetric> {
  const metrics = new Map<string, ExposedMetric>();
  for (const block of text.trim().split(/\n\n|\n(?=# HELP )/)) {
    const [, name = "", help = ""] = /^# HELP (\S+) (.*)$/m.exec(block) ?? [];
    const [, type = ""] = /^# TYPE \S+ (\S+)$/m.exec(block) ?? [];
    const samples = block
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map(readSample);
    metrics.set(name, { type, help, samples });
  }
  return metrics;
}

function readSample(line: string): Sample {
  const [, name = "", labels = "", value = ""] = /^([a-z_0-9]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)];
  return { name, labels: new Map(pairs.map(([, label = "", text = ""]) => [label, text])), value: Number(value) };
}

/** The value of a series, written as in a scrape: `amko_gitops_state{state="held"}`; null where there is none. */
export function seriesValue(text: string, series: string): number | null {
  const line = text.split("\n").find((one) => one.startsWith(`${series} `));
  return line === undefined ? null : Number(line.slice(series.length + 1));
}
