import type { Line, Metric } from "./metric.ts";
import type { ProcessSample, Sample } from "./sample.ts";

const MIB = 1024 * 1024;
/** The design's goal for an agent. */
const RESIDENT_GOAL_MIB = 150;
/** `amko/rescue/`: the most per cluster. */
const RESCUES_MAX = 20;
/** Samples that are taken together where something is divided by the revisions between them. */
const WINDOW_SAMPLES = 10;

/** What the samples say, metric by metric, with what each may grow by. */
export function metricsOf(samples: readonly Sample[], origins: Origins): readonly Metric[] {
  const agents = linesOf(samples, "agent ");
  const servers = linesOf(samples, "API server ", "git server");
  const mib = (read: (one: ProcessSample) => number) => (one: ProcessSample) => read(one) / MIB;
  const toGit = ({ requests }: ProcessSample): number => requests[origins.git] ?? 0;
  const toApi = (one: ProcessSample): number => sum(Object.values(one.requests)) - toGit(one);
  const perRevision = (title: string, growthMax: number, unit: string, read: (one: ProcessSample) => number) =>
    metric(title, unit, growthMax, agents(read).map(perRevisionOf));
  return [
    withGoal(
      RESIDENT_GOAL_MIB,
      metric("Resident memory", "MiB", 20, agents(mib(({ residentBytes }) => residentBytes))),
    ),
    metric("Heap after a collection", "MiB", 4, agents(mib(({ heapBytes }) => heapBytes))),
    metric("Buffers after a collection", "MiB", 4, agents(mib(({ externalBytes }) => externalBytes))),
    metric(
      "Sockets",
      "",
      2,
      agents(({ sockets }) => sockets),
    ),
    metric(
      "Other open files",
      "",
      1,
      agents(({ files }) => files),
    ),
    metric(
      "Handles",
      "",
      3,
      agents(({ handles }) => handles),
    ),
    perRevision("Requests to the git server per revision", 0.5, "", toGit),
    perRevision("Requests to API servers per revision", 1, "", toApi),
    shown(perRevision("Processor time per revision", 0, "ms", ({ cpuMs }) => cpuMs)),
    metric("Git objects per revision", "", 0.5, [perRevisionOf(line("server", samples, (one) => one.gitObjects))]),
    metric("Branches without rescued content", "", 2, [line("server", samples, branches)]),
    atMost("Branches with rescued content", RESCUES_MAX * clusterCount(samples), [
      line("server", samples, ({ refs }) => refs["rescue"] ?? 0),
    ]),
    metric("ConfigMap of the agent", "bytes", 300, [largest(samples, "recordBytes")]),
    metric("GDP with its annotations", "bytes", 200, [largest(samples, "policyBytes")]),
    metric("AMKOCluster with its status", "bytes", 300, [largest(samples, "amkoClusterBytes")]),
    metric("Resident memory of the servers", "MiB", 40, servers(mib(({ residentBytes }) => residentBytes))),
    metric("Heap of the servers after a collection", "MiB", 10, servers(mib(({ heapBytes }) => heapBytes))),
    shown(metric("Revisions per second", "", 0, [paceOf(samples)])),
  ];
}

/** Where agents send their requests. */
export interface Origins {
  readonly git: string;
}

function metric(title: string, unit: string, growthMax: number, lines: readonly Line[]): Metric {
  return { title, unit, growthMax, most: null, goal: null, lines };
}

/** Depends on the machine, and is no ground for a verdict. */
function shown(measured: Metric): Metric {
  return { ...measured, growthMax: null };
}

function withGoal(goal: number, measured: Metric): Metric {
  return { ...measured, goal };
}

function atMost(title: string, most: number, lines: readonly Line[]): Metric {
  return { title, unit: "", growthMax: null, most, goal: null, lines };
}

function line(label: string, samples: readonly Sample[], read: (sample: Sample) => number): Line {
  return { label, points: samples.map((sample) => ({ revisions: sample.revisions, value: read(sample) })) };
}

/** A line for each process whose name begins so. */
function linesOf(samples: readonly Sample[], ...prefixes: readonly string[]) {
  const names = Object.keys(samples[0]?.processes ?? {}).toSorted();
  const chosen = names.filter((name) => prefixes.some((prefix) => name.startsWith(prefix)));
  return (read: (one: ProcessSample) => number): readonly Line[] =>
    chosen.map((name) =>
      line(name.replace(/^(agent|API server) /, ""), samples, ({ processes }) => {
        const found = processes[name];
        return found === undefined ? 0 : read(found);
      }),
    );
}

/** Of the cluster where it is largest: a leader's hold more, and who leads changes. */
function largest(samples: readonly Sample[], part: "recordBytes" | "policyBytes" | "amkoClusterBytes"): Line {
  return line("largest", samples, (sample) => Math.max(...Object.values(sample[part])));
}

/** How much was added for each revision of the window that ends there. */
function perRevisionOf({ label, points }: Line): Line {
  const rates = points.flatMap((to, index) => {
    const from = points[index - WINDOW_SAMPLES];
    if (from === undefined || from.revisions === to.revisions) return [];
    return [{ revisions: to.revisions, value: (to.value - from.value) / (to.revisions - from.revisions) }];
  });
  return { label, points: rates };
}

function paceOf(samples: readonly Sample[]): Line {
  const elapsed = perRevisionOf(line("all", samples, ({ elapsedMs }) => elapsedMs));
  return { ...elapsed, points: elapsed.points.map((point) => ({ ...point, value: 1_000 / point.value })) };
}

function branches({ refs }: Sample): number {
  return sum(Object.entries(refs).map(([family, count]) => (family === "rescue" ? 0 : count)));
}

function clusterCount([first]: readonly Sample[]): number {
  return Object.keys(first?.recordBytes ?? {}).length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
