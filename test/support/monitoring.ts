import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { PROJECT } from "./process.ts";

/** What `deploy/monitoring` ships for Prometheus and Grafana. */

export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Rules {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

export interface Alert extends Rule {
  readonly alert: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const FOLDER = join(PROJECT, "deploy/monitoring");
export const RULES_FILE = join(FOLDER, "rules.yaml");

export async function readRules(): Promise<Rules> {
  return parse(await readFile(RULES_FILE, "utf8")) as Rules;
}

export async function readAlerts(): Promise<readonly Alert[]> {
  const { groups } = await readRules();
  return groups.flatMap(({ rules }) => rules).filter((rule): rule is Alert => rule.alert !== undefined);
}

/** One query of the dashboard, and the panel or the variable that shows it. */
export interface DashboardQuery {
  readonly where: string;
  readonly expr: string;
}

export interface Panel {
  readonly title: string;
  readonly type: string;
  readonly datasource?: object;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
}

export async function readDashboard(): Promise<Dashboard> {
  return JSON.parse(await readFile(join(FOLDER, "dashboard.json"), "utf8")) as Dashboard;
}

/** What Grafana fills in, as one of the values that it may fill in. */
const VARIABLES: Readonly<Record<string, string>> = { $cluster: ".*", $__rate_interval: "5m", $__range: "6h" };

export async function readDashboardQueries(): Promise<readonly DashboardQuery[]> {
  const { panels } = await readDashboard();
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      where: title,
      expr: expr.replaceAll(/\$\w+/g, (name) => VARIABLES[name] ?? name),
    })),
  );
}
