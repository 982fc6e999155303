import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { CATALOGUE } from "../../src/core/catalogue.ts";
import { METRIC_PREFIX, METRICS, type MetricDescription } from "../../src/observe/metric-table.ts";

const README = await readFile(new URL("../../deploy/monitoring/README.md", import.meta.url), "utf8");
const ALL: readonly (readonly [string, MetricDescription])[] = Object.entries(METRICS);

function describeLabels(labels: MetricDescription["labels"]): string {
  const described = Object.entries(labels).map(([label, values]) => {
    const known = typeof values === "string" ? values : values.map((value) => `\`${value}\``).join(", ");
    return known === "" ? `\`${label}\`` : `\`${label}\`: ${known}`;
  });
  return described.join("; ");
}

it("stands in deploy/monitoring/README.md as it is", () => {
  const rows = ALL.map(
    ([name, { type, labels, help }]) =>
      `| \`${METRIC_PREFIX}${name}\` | ${type} | ${describeLabels(labels)} | ${help} |`,
  );
  const table = ["| name | type | labels | meaning |", "|---|---|---|---|", ...rows].join("\n");
  expect(/<!-- metrics -->\n([\s\S]*?)\n<!-- \/metrics -->/.exec(README)?.[1]).toBe(table);
});

it.each(ALL)("%s is named as Prometheus wants it", (name, { type, help }) => {
  expect(name).toMatch(/^[a-z]+(_[a-z]+)*$/);
  expect(name.endsWith("_total")).toBe(type === "counter");
  if (type === "histogram") expect(name).toMatch(/_seconds$/);
  if (name.includes("timestamp")) expect(name).toMatch(/_timestamp_seconds$/);
  expect(help).toMatch(/^\S.*\.$/);
});

it.each(ALL)("%s has codes of the catalogue only", (_name, { labels }) => {
  const { code } = labels;
  for (const one of Array.isArray(code) ? (code as readonly string[]) : [])
    expect(Object.keys(CATALOGUE)).toContain(one);
});
