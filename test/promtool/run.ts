import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { RULES_FILE, readDashboardQueries } from "../support/monitoring.ts";
import { PROJECT } from "../support/process.ts";
import { findPromtool, MissingPromtool } from "./binary.ts";

/**
 * `npm run test:rules`: what Prometheus itself says of what `deploy/monitoring` ships. The alerts are judged and played,
 * and the dashboard's queries are read as rules, since promtool reads no dashboard.
 */

const TESTS = join(PROJECT, "test/promtool/rules.yaml");

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<boolean> {
  const promtool = await findPromtool(say);
  const folder = await mkdtemp(join(tmpdir(), "dashboard-"));
  try {
    const queries = join(folder, "queries.json");
    await writeFile(queries, JSON.stringify(await queriesAsRules()));
    const results = [
      await call(promtool, ["check", "rules", RULES_FILE]),
      await call(promtool, ["check", "rules", queries]),
      await call(promtool, ["test", "rules", TESTS]),
    ];
    const { tests } = parse(await readFile(TESTS, "utf8")) as { readonly tests: readonly unknown[] };
    const failed = results.filter((well) => !well).length;
    say(`promtool looked at the rules, the dashboard's queries, and ${tests.length} stories of alerts`);
    say(`tests: ${results.length - failed} passed, ${failed} failed`);
    return failed === 0;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function queriesAsRules(): Promise<object> {
  const rules = (await readDashboardQueries()).map(({ expr }, index) => ({ record: `dashboard:query:${index}`, expr }));
  return { groups: [{ name: "dashboard", rules }] };
}

/** True when promtool is content; else what it says is shown. */
function call(promtool: string, args: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(promtool, [...args], (error, stdout, stderr) => {
      if (error !== null) say(`promtool ${args.join(" ")}\n${stdout}${stderr}`);
      resolve(error === null);
    });
  });
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof MissingPromtool ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
