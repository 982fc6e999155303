import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { useCompiledProgram } from "../support/compiled-program.ts";
import { PROJECT } from "../support/process.ts";
import { renderChart } from "./chart.ts";
import { createDice } from "./dice.ts";
import { judge } from "./judge.ts";
import { metricsOf } from "./metrics.ts";
import { PROBE_FOLDER } from "./probe.ts";
import { type Sample, takeSample } from "./sample.ts";
import { openStage, type Stage } from "./stage.ts";
import { STEPS } from "./steps.ts";

/**
 * `npm run soak`: a federation of real processes under a random load of tens of thousands of revisions. Writes an SVG
 * report of what was sampled, with the figures beside it as JSON, and fails where something grew. `--seed` repeats a load, if not its timing.
 */

const SAMPLES = 200;
const PROGRESS_EVERY_SAMPLES = 10;
const REVISIONS_MAX = 1_000_000;

interface Options {
  readonly revisions: number;
  readonly seed: number;
  readonly report: string;
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const options = readOptions();
  say(`${options.revisions} revisions, seed ${options.seed}`);
  const probes = await mkdtemp(join(tmpdir(), "amko-gitops-soak-"));
  const program = await mkdtemp(join(tmpdir(), "amko-gitops-soak-program-"));
  await useCompiledProgram(program);
  const outside = { ...process.env };
  // Inherited by every process that the federation is made of.
  process.env[PROBE_FOLDER] = probes;
  process.env["NODE_OPTIONS"] = `--import=${new URL("./probe.ts", import.meta.url).href}`;
  const stage = await openStage(createDice(options.seed));
  const { [PROBE_FOLDER]: _, ...restored } = outside;
  process.env = restored;
  try {
    const samples = await load(stage, probes, options);
    return await report(stage, samples, options);
  } catch (error) {
    say(await stage.world.logs());
    throw error;
  } finally {
    await stage.stop();
    for (const folder of [probes, program]) await rm(folder, { recursive: true });
  }
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: { revisions: { type: "string" }, seed: { type: "string" }, report: { type: "string" } },
  });
  const number = (text: string | undefined, otherwise: number, max: number): number => {
    const value = text === undefined ? otherwise : Number(text);
    if (!Number.isInteger(value) || value < 1 || value > max) throw new RangeError(`${text} is not from 1 to ${max}`);
    return value;
  };
  return {
    revisions: number(values.revisions, 20_000, REVISIONS_MAX),
    seed: number(values.seed, 1 + Math.floor(Math.random() * 0xffff), 0xffffffff),
    report: values.report ?? join(tmpdir(), "amko-gitops-soak.svg"),
  };
}

/** A signal ends the run after the step that is under way, and takes the federation down with it. */
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());

/** Steps until there are enough revisions, with samples evenly between them. */
async function load(stage: Stage, probes: string, { revisions }: Options): Promise<readonly Sample[]> {
  const startMs = performance.now();
  const samples: Sample[] = [];
  const taken = new Map<string, number>();
  let head = await stage.world.head();
  let count = 0;
  while (count < revisions) {
    interrupted.signal.throwIfAborted();
    if (count >= (samples.length * revisions) / SAMPLES) {
      samples.push(await takeSample(stage.world, probes, { revisions: count, elapsedMs: performance.now() - startMs }));
      if (samples.length % PROGRESS_EVERY_SAMPLES === 1) say(progress(samples));
      await stage.lookAgain();
    }
    const step = stage.dice.pick(STEPS);
    await step.run(stage).catch((error: unknown) => {
      throw new Error(`${step.what}, after ${count} revisions`, { cause: error });
    });
    taken.set(step.what, (taken.get(step.what) ?? 0) + 1);
    const next = await stage.world.head();
    count += Number(await stage.world.git("rev-list", "--count", `${head}..${next}`));
    head = next;
  }
  samples.push(await takeSample(stage.world, probes, { revisions: count, elapsedMs: performance.now() - startMs }));
  say(progress(samples));
  for (const [what, times] of taken) say(`${what}: ${times}`);
  return samples;
}

function progress(samples: readonly Sample[]): string {
  const { revisions, elapsedMs, processes } = samples.at(-1) ??
    samples[0] ?? { revisions: 0, elapsedMs: 0, processes: {} };
  const resident = Object.entries(processes)
    .filter(([name]) => name.startsWith("agent"))
    .map(([name, { residentBytes, heapBytes }]) => `${name} ${mebibytes(residentBytes)}/${mebibytes(heapBytes)}`);
  return `${revisions} revisions in ${Math.round(elapsedMs / 1000)} s; resident/heap in MiB: ${resident.toSorted().join(", ")}`;
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}

async function report(stage: Stage, samples: readonly Sample[], { seed, report: file }: Options): Promise<number> {
  await stage.world.settled();
  await stage.world.verify();
  const metrics = metricsOf(samples, { git: new URL(stage.world.repositoryUrl).host });
  const judged = metrics.map((metric) => ({ metric, verdicts: judge(metric) }));
  const { revisions = 0, elapsedMs = 0 } = samples.at(-1) ?? {};
  const summary = `${revisions} revisions in ${Math.round(elapsedMs / 60_000)} min, seed ${seed}, ${samples.length} samples`;
  await writeFile(file, renderChart({ title: "amko-gitops soak", notes: [summary, await describeMachine()], judged }));
  await writeFile(`${file}.json`, JSON.stringify(samples));
  const complaints = judged.flatMap(({ verdicts }) => verdicts.flatMap(({ complaint }) => complaint ?? []));
  for (const { metric, verdicts } of judged) {
    const each = verdicts.map(({ label, first, last }) => `${label} ${short(first)} -> ${short(last)}`);
    say(`${metric.title}${metric.unit === "" ? "" : `, ${metric.unit}`}: ${each.join(", ")}`);
  }
  for (const complaint of complaints) say(complaint);
  say(complaints.length === 0 ? `${summary}: all is flat` : `${summary}: ${complaints.length} complaints`);
  say(`report: ${file}`);
  return complaints.length === 0 ? 0 : 1;
}

function short(value: number): number {
  return Number(value.toPrecision(3));
}

async function describeMachine(): Promise<string> {
  const run = async (program: string, ...args: readonly string[]): Promise<string> =>
    (await promisify(execFile)(program, [...args], { cwd: PROJECT })).stdout.trim();
  const commit = await run("git", "describe", "--always", "--dirty").catch(() => "no commit");
  const [processor] = cpus();
  const gitVersion = (await run("git", "--version")).replace("git version ", "git ");
  return `${commit}, Node ${process.versions.node}, ${gitVersion}, ${cpus().length} x ${processor?.model.trim() ?? "processor"}`;
}

process.exitCode = await main();
