import { setTimeout as sleep } from "node:timers/promises";
import type { CommitId } from "../../../src/core/model.ts";
import { FILES } from "../../support/federation.ts";
import { git, setBranch } from "../../support/git.ts";
import { processorSeconds, residentMebibytes } from "../../support/process-usage.ts";
import { type CrowdedFederation, editLeader, startCrowd } from "../crowd.ts";
import { type Figure, summarize } from "../figure.ts";
import type { Row } from "../row.ts";

const POLL_SECONDS = 15;
const IDLE_POLLS = 2;
const WAIT_MAX_MS = 180_000;
/** Fewer are no crowd, and the clock's minutes are all that would be measured. */
const AGENTS_MIN = 100;

/** As many agents as fit follow one repository: what each costs, and when all hold a change. */
export const crowd: Row = {
  name: "crowd",
  explanation: "many agents of one machine on one repository: cost of each, and when all hold a change",
  on: "embedded",
  isInDesign: false,
  async run({ agents }, say) {
    const figures: Figure[] = [];
    if (agents < AGENTS_MIN) return figures;
    for (const count of [Math.ceil(agents / 4), Math.ceil(agents / 2), agents]) {
      say(`${count} agents`);
      const federation = await startCrowd(count, `*/${POLL_SECONDS} * * * * *`);
      try {
        figures.push(...(await measure(federation, count)));
      } finally {
        await federation.stop();
      }
    }
    return figures;
  },
};

async function measure(federation: CrowdedFederation, count: number): Promise<readonly Figure[]> {
  const row = (what: string, unit: Figure["unit"], value: number): Figure => ({
    what: `${count} agents: ${what}`,
    unit,
    measured: summarize([value]),
    floor: null,
    goal: "",
    met: null,
  });
  // Acknowledgements and statuses of the start come to their end first.
  await sleep(2 * POLL_SECONDS * 1_000);
  const idle = await measureIdle(federation, count);
  const nudged = await arrive(federation, 101, (ttl) => editLeader(federation, ttl));
  await sleep(2 * POLL_SECONDS * 1_000);
  const polled = await arrive(federation, 102, (ttl) => commitBehindTheirBacks(federation, ttl));
  return [
    row("bytes of an idle agent a poll", "bytes", idle.bytes),
    row(`processor of an idle agent, polling every ${POLL_SECONDS} s`, "% of a core", idle.percent),
    row("memory of an agent, many in one process", "MiB", idle.mebibytes),
    row("an edit on the leader until all have it, nudged", "ms", nudged),
    row("a commit by a person until all have it, polled", "ms", polled),
  ];
}

async function measureIdle({ agentPids, traffic }: CrowdedFederation, count: number) {
  const seconds = async (): Promise<number> => sum(await Promise.all(agentPids.map(processorSeconds)));
  const [secondsBefore, bytesBefore] = [await seconds(), traffic.bytes()];
  await sleep(IDLE_POLLS * POLL_SECONDS * 1_000);
  const resident = sum(await Promise.all(agentPids.map(residentMebibytes)));
  return {
    bytes: (traffic.bytes() - bytesBefore) / count / IDLE_POLLS,
    percent: (100 * ((await seconds()) - secondsBefore)) / count / (IDLE_POLLS * POLL_SECONDS),
    mebibytes: resident / count,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

async function arrive(
  federation: CrowdedFederation,
  ttl: number,
  change: (ttl: number) => Promise<void>,
): Promise<number> {
  await change(ttl);
  const startMs = performance.now();
  while (federation.arrivals(ttl).count < federation.clusters.length) {
    if (performance.now() - startMs > WAIT_MAX_MS) throw new Error(`not all clusters ever had a ttl of ${ttl}`);
    await sleep(5);
  }
  return federation.arrivals(ttl).lastMs - startMs;
}

/** Straight into the bare repository: nobody is told, so everybody finds it at the next poll. */
async function commitBehindTheirBacks({ repositoryFolder }: CrowdedFederation, ttl: number): Promise<void> {
  const path = FILES.GlobalDeploymentPolicy;
  const text = (await git(repositoryFolder, ["show", `main:${path}`])).replace(/ttl: \d+/, `ttl: ${ttl}`);
  const head = await git(repositoryFolder, ["rev-parse", "main"]);
  const script = [
    "commit refs/heads/behind",
    "committer Somebody <somebody@example.com> 1800000000 +0000",
    "data 14\nChange the TTL",
    `from ${head}`,
    `M 100644 inline ${path}`,
    `data ${Buffer.byteLength(text) + 1}\n${text}\n`,
  ].join("\n");
  await git(repositoryFolder, ["fast-import", "--quiet", "--force"], { input: `${script}\n` });
  await setBranch(repositoryFolder, "main", (await git(repositoryFolder, ["rev-parse", "behind"])) as CommitId);
  await git(repositoryFolder, ["update-ref", "-d", "refs/heads/behind"]);
}
