import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { PROJECT } from "../support/process.ts";
import { MissingBinaries } from "./binaries.ts";
import { withControlPlane } from "./control-plane.ts";
import { COUNTS_FILE, type Counts } from "./counts-reporter.ts";
import { countStarts } from "./program.ts";

/**
 * `npm run test:kube`: the tests that need a cluster, on real kube-apiservers. Arguments go to vitest: names of files,
 * `-t`. Fails also when nothing ran, or when something was skipped.
 */

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function main(args: readonly string[]): Promise<number> {
  return withControlPlane(say, async ({ folder, binaries, versions }) => {
    const code = await runTests(args);
    return judge(code, await readCounts(folder), await countStarts(folder, binaries.apiServer), versions);
  });
}

let vitest: ChildProcess | null = null;

/** A signal ends the tests first; what they leave behind is ended after them. */
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => vitest?.kill(signal));

function runTests(args: readonly string[]): Promise<number> {
  const program = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");
  const config = ["run", "--config", "test/vitest.kube.config.ts"];
  const child = spawn(process.execPath, [program, ...config, ...args], { cwd: PROJECT, stdio: "inherit" });
  vitest = child;
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

async function readCounts(folder: string): Promise<Counts> {
  const text = await readFile(join(folder, COUNTS_FILE), "utf8").catch(() => null);
  return text === null ? { passed: 0, failed: 0, skipped: 0 } : (JSON.parse(text) as Counts);
}

function judge(code: number, { passed, failed, skipped }: Counts, servers: number, versions: string): number {
  say(`${passed + failed} tests ran on ${servers} real API servers (${versions})`);
  const proves = failed === 0 && skipped === 0 && passed > 0 && servers > 0;
  if (code === 0 && !proves) say("this run proves nothing: every test has to run, on a real server");
  // The plain line that people and CI systems read, last.
  say(`tests: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  return code === 0 && !proves ? 1 : code;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof MissingBinaries ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
