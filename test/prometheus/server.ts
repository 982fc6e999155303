import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { findPort } from "../kube/port.ts";
import { readRules } from "../support/monitoring.ts";
import { startProcess } from "../support/process.ts";
import { waitUntil } from "../support/world.ts";

/** A running Prometheus that scrapes each second, with the rules that are shipped, none of which waits. */
export interface Prometheus {
  /** What is scraped from now on, by its address. */
  scrape(targets: readonly string[]): Promise<void>;
  /** The labels of each series that a query finds. @throws Error when it cannot be evaluated */
  query(expr: string): Promise<readonly Labels[]>;
  /** The alerts that fire. */
  firing(): Promise<readonly Labels[]>;
  /** What went wrong with rules. */
  complaints(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export type Labels = Readonly<Record<string, string>>;

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data: {
    readonly result: readonly { readonly metric: Labels }[];
    readonly alerts: readonly { readonly state: string; readonly labels: Labels }[];
    readonly groups: readonly { readonly rules: readonly { readonly name: string; readonly lastError?: string }[] }[];
  };
}

export async function startPrometheus(program: string, folder: string): Promise<Prometheus> {
  await mkdir(folder, { recursive: true });
  const [rules, targets, config] = ["rules.yaml", "targets.json", "prometheus.yaml"].map((name) => join(folder, name));
  await writeFile(rules ?? "", stringify(await impatientRules()));
  await writeFile(targets ?? "", "[]");
  await writeFile(
    config ?? "",
    stringify({
      global: { scrape_interval: "1s", evaluation_interval: "1s" },
      rule_files: [rules],
      scrape_configs: [{ job_name: "amko-gitops", file_sd_configs: [{ files: [targets], refresh_interval: "1s" }] }],
    }),
  );
  const address = `127.0.0.1:${await findPort()}`;
  const server = startProcess(
    [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, "data")}`, `--web.listen-address=${address}`],
    { program },
  );
  const ask = async (path: string, form?: Readonly<Record<string, string>>): Promise<Answer> => {
    const init = form === undefined ? {} : { method: "POST", body: new URLSearchParams(form) };
    return (await (await fetch(`http://${address}${path}`, init)).json()) as Answer;
  };
  await waitUntil("Prometheus is ready", () =>
    fetch(`http://${address}/-/ready`).then(
      ({ ok }) => ok,
      () => server.stderr(),
    ),
  );
  return {
    scrape: (addresses) => writeFile(targets ?? "", JSON.stringify([{ targets: addresses }])),
    async query(expr) {
      const { status, error, data } = await ask("/api/v1/query", { query: expr });
      if (status !== "success") throw new Error(`${error}: ${expr}`);
      return data.result.map(({ metric }) => metric);
    },
    async firing() {
      const { data } = await ask("/api/v1/alerts");
      return data.alerts.filter(({ state }) => state === "firing").map(({ labels }) => labels);
    },
    async complaints() {
      const { data } = await ask("/api/v1/rules");
      const all = data.groups.flatMap((group) => group.rules);
      return all.flatMap(({ name, lastError = "" }) => (lastError === "" ? [] : [`${name}: ${lastError}`]));
    },
    stop: async () => void (await server.stop()),
  };
}

/** Nobody waits for a quarter of an hour; that they wait is for promtool to see. */
async function impatientRules(): Promise<object> {
  const { groups } = await readRules();
  return {
    groups: groups.map((group) => ({ ...group, rules: group.rules.map(({ for: _, ...rule }) => rule) })),
  };
}
