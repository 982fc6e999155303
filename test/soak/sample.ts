import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { waitUntil } from "../../src/sandbox/wait.ts";
import { CONFIG_MAP, GDP } from "../support/federation.ts";
import { AMKO_CLUSTER, type World } from "../support/world.ts";
import type { ProbeReport } from "./probe.ts";

/** What one process holds at one moment. */
export interface ProcessSample {
  readonly residentBytes: number;
  readonly sockets: number;
  /** Open files, pipes and what else is no socket. */
  readonly files: number;
  readonly cpuMs: number;
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly handles: number;
  /** Requests so far, by origin. */
  readonly requests: Readonly<Record<string, number>>;
}

export interface Sample {
  /** Commits of the tracked branch since the start. */
  readonly revisions: number;
  readonly elapsedMs: number;
  /** `agent cluster1`, `API server cluster1`, `git server`. */
  readonly processes: Readonly<Record<string, ProcessSample>>;
  readonly gitObjects: number;
  /** Branches, by their family: `main`, `applied`, `rescue`. */
  readonly refs: Readonly<Record<string, number>>;
  /** By cluster: the ConfigMap, the GDP and the AMKOCluster as JSON. */
  readonly recordBytes: Readonly<Record<string, number>>;
  readonly policyBytes: Readonly<Record<string, number>>;
  readonly amkoClusterBytes: Readonly<Record<string, number>>;
}

const TICK_MS = 10;

/** Looks at everything once, `probes` being the folder where the processes' probes write. */
export async function takeSample(
  { clusters, git, refs }: World,
  probes: string,
  { revisions, elapsedMs }: Pick<Sample, "revisions" | "elapsedMs">,
): Promise<Sample> {
  const processes: Record<string, ProcessSample> = {};
  for (const report of await readReports(probes)) {
    processes[nameOf(report)] = await sampleProcess(probes, report);
  }
  const sizes = async (of: (cluster: World["leader"]) => Promise<unknown>): Promise<Record<string, number>> =>
    Object.fromEntries(
      await Promise.all(clusters.map(async (one) => [one.name, JSON.stringify(await of(one)).length] as const)),
    );
  const counts = await git("count-objects", "-v");
  const count = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(counts)?.[1]);
  return {
    revisions,
    elapsedMs,
    processes,
    gitObjects: count("count") + count("in-pack"),
    refs: countFamilies([...(await refs()).keys()]),
    recordBytes: await sizes(async ({ objects }) => (await objects.request("GET", CONFIG_MAP)).body),
    policyBytes: await sizes(({ objects }) => objects.get("GlobalDeploymentPolicy", GDP)),
    amkoClusterBytes: await sizes(({ objects }) => objects.get("AMKOCluster", AMKO_CLUSTER)),
  };
}

async function readReports(probes: string): Promise<readonly ProbeReport[]> {
  const names = (await readdir(probes)).filter((name) => name.endsWith(".json"));
  return Promise.all(names.map(async (name) => JSON.parse(await readFile(join(probes, name), "utf8")) as ProbeReport));
}

function nameOf({ args }: ProbeReport): string {
  const [program = ""] = args;
  const after = (flag: string): string => args[args.indexOf(flag) + 1] ?? "";
  if (program.endsWith("api-server/main.ts")) return `API server ${after("--name")}`;
  return program.endsWith("launch.js") ? `agent ${after("--context")}` : "git server";
}

/** The resident memory is read before the collection of garbage, as an operator would see it. */
async function sampleProcess(probes: string, { pid, turn }: ProbeReport): Promise<ProcessSample> {
  const { resident, cpuMs } = await readProcess(pid);
  const links = await Promise.all(
    (await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")),
  );
  const open = links.filter((link) => link !== "");
  const sockets = open.filter((link) => link.startsWith("socket:")).length;
  process.kill(pid, "SIGUSR2");
  const file = join(probes, `${pid}.json`);
  const read = async (): Promise<ProbeReport> => JSON.parse(await readFile(file, "utf8")) as ProbeReport;
  await waitUntil(`process ${pid} answers its probe`, async () => (await read()).turn > turn);
  const { heapBytes, externalBytes, handles, requests } = await read();
  return {
    residentBytes: resident,
    sockets,
    files: open.length - sockets,
    cpuMs,
    heapBytes,
    externalBytes,
    handles,
    requests,
  };
}

async function readProcess(pid: number): Promise<{ readonly resident: number; readonly cpuMs: number }> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // What follows the program's name in parentheses: user and system time are the 12th and 13th.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    resident: Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024,
    cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
  };
}

function countFamilies(refs: readonly string[]): Record<string, number> {
  const families: Record<string, number> = {};
  for (const ref of refs) {
    const family = ref.split("/")[1] ?? ref;
    families[family] = (families[family] ?? 0) + 1;
  }
  return families;
}
