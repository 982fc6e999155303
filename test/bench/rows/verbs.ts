import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { createBareRepository } from "../../../src/sandbox/bare-repository.ts";
import { startGitServer } from "../../../src/sandbox/git-server.ts";
import { programLauncher } from "../../support/compiled-program.ts";
import { git, temporaryFolder } from "../../support/git.ts";
import { makeLargeFederation } from "../../support/large-federation.ts";
import { type Figure, type Summary, summarize } from "../figure.ts";
import type { Row } from "../row.ts";

/** Larger than any federation that is known; the other rows look at what even this does not reach. */
const CLUSTERS_MAX = 200;
const VERB_MAX_S = 4;
/** Each takes seconds and varies little. */
const SAMPLES_PER_SAMPLE = 0.25;
const OUTPUT_MAX_BYTES = 256 * 1024 * 1024;

const VERBS: readonly (readonly string[])[] = [
  ["status"],
  ["history"],
  ["history", "--leaders"],
  ["history", "--kind", "gdp", "--cluster", "cluster2"],
  ["history", "--kind", "gslbconfig", "--cluster", "cluster2"],
];

/** What a person waits for who asks about a long history, by URL and in a clone. */
export const verbs: Row = {
  name: "verbs",
  explanation: "verbs that read a long history of many clusters, by URL and in a clone",
  on: "any",
  isInDesign: false,
  async run(scale, say) {
    const clusters = Math.min(scale.clusters, CLUSTERS_MAX);
    const samples = Math.ceil(scale.samples * SAMPLES_PER_SAMPLE);
    await using folder = await temporaryFolder();
    const bare = await createBareRepository(folder.path, "federation.git");
    say(`${scale.commits} commits, ${clusters} clusters`);
    await makeLargeFederation(bare, { clusters, commits: scale.commits });
    const server = await startGitServer({ root: folder.path });
    try {
      const url = server.url("federation.git");
      const clone = join(folder.path, "clone");
      await git(folder.path, ["clone", "--quiet", url, clone]);
      const bringing = await measure(samples, () => cloneAndList(url, join(folder.path, "floor")));
      const listing = await measure(samples, () => git(clone, LISTING));
      const figures: Figure[] = [];
      for (const verb of VERBS) {
        const name = verb.join(" ");
        figures.push(figure(`${name}, by URL`, await measure(samples, () => runVerb(verb, url)), bringing));
        figures.push(figure(`${name}, in a clone`, await measure(samples, () => runVerb(verb, clone)), listing));
      }
      return figures;
    } finally {
      await server.stop({ abruptly: true });
    }
  },
};

const LISTING = ["log", "--raw", "--first-parent", "main"] as const;

async function cloneAndList(url: string, folder: string): Promise<void> {
  await git("/", ["clone", "--quiet", "--bare", url, folder]);
  await git(folder, LISTING);
  await rm(folder, { recursive: true });
}

function runVerb(verb: readonly string[], repository: string): Promise<unknown> {
  const args = [programLauncher(), ...verb, "--repo", repository];
  const env = { PATH: process.env["PATH"], HOME: "/nonexistent", GIT_CONFIG_NOSYSTEM: "1" };
  return promisify(execFile)(process.execPath, args, { env, maxBuffer: OUTPUT_MAX_BYTES });
}

async function measure(samples: number, work: () => Promise<unknown>): Promise<Summary> {
  const timesS: number[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    const startMs = performance.now();
    await work();
    timesS.push((performance.now() - startMs) / 1000);
  }
  return summarize(timesS);
}

function figure(what: string, measured: Summary, floor: Summary): Figure {
  return { what, unit: "s", measured, floor, goal: `a few seconds: ${VERB_MAX_S}`, met: measured.median <= VERB_MAX_S };
}
