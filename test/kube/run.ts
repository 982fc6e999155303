import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { findKubectl } from "../support/kubectl.ts";
import { PROJECT } from "../support/process.ts";
import { type Binaries, findBinaries, MissingBinaries } from "./binaries.ts";
import { COUNTS_FILE, type Counts } from "./counts-reporter.ts";
import { KUBE_API_SERVER, KUBE_ETCD, KUBE_ETCD_URL, KUBE_RUN_FOLDER, TEST_CLUSTERS } from "./environment.ts";
import { startEtcd } from "./etcd.ts";
import { countStarts, endLeftovers } from "./program.ts";

/**
 * `npm run test:kube`: the tests that need a cluster, on real kube-apiservers. Arguments go to vitest: names of files,
 * `-t`. Fails also when nothing ran, or when something was skipped.
 */

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(args: readonly string[]): Promise<number> {
  const binaries = await findBinaries(say);
  const folder = await mkdtemp(join(tmpdir(), "amko-gitops-kube-"));
  Object.assign(process.env, {
    [TEST_CLUSTERS]: "kube",
    [KUBE_API_SERVER]: binaries.apiServer,
    [KUBE_ETCD]: binaries.etcd,
    [KUBE_RUN_FOLDER]: folder,
    ...(binaries.kubectlFolder === null ? {} : { PATH: `${binaries.kubectlFolder}:${process.env["PATH"]}` }),
  });
  try {
    const versions = await versionsOf(binaries);
    say(`on ${versions}`);
    const etcd = await startEtcd(folder);
    process.env[KUBE_ETCD_URL] = etcd.url;
    const code = await runTests(args);
    return judge(code, await readCounts(folder), await countStarts(folder, binaries.apiServer), versions);
  } finally {
    const left = await endLeftovers(folder);
    if (left > 1) say(`ended ${left - 1} processes that the tests had left behind`);
    await rm(folder, { recursive: true, force: true });
  }
}

async function versionsOf({ apiServer, etcd }: Binaries): Promise<string> {
  const print = async (program: string, ...args: readonly string[]): Promise<string> =>
    (await promisify(execFile)(program, [...args])).stdout;
  const server = /v\S+/.exec(await print(apiServer, "--version"))?.[0];
  const store = /etcd Version: (\S+)/.exec(await print(etcd, "--version"))?.[1];
  const client = /"gitVersion": "([^"]+)"/.exec(
    await print(await findKubectl(), "version", "--client", "-o", "json"),
  )?.[1];
  return `kube-apiserver ${server}, etcd v${store}, kubectl ${client}`;
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
