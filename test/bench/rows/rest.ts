import { startCountingRelay } from "../../support/counting-relay.ts";
import { processorSeconds } from "../../support/process-usage.ts";
import { REPOSITORY, startWorld, type WorldCluster, waitUntil } from "../../support/world.ts";
import { type Figure, summarize } from "../figure.ts";
import type { Row } from "../row.ts";

const REQUESTS_MAX = 2;
const BYTES_MAX = 2_048;
const CORE_MAX_PERCENT = 1;
/** What agents do unless told otherwise. */
const POLL_SECONDS = 15;

/** What an agent costs that has nothing to do, polling every second here. */
export const rest: Row = {
  name: "rest",
  explanation: "an agent that has nothing to do: requests, bytes and processor time of a poll",
  on: "any",
  isInDesign: true,
  async run({ polls }) {
    const world = await startWorld({ running: false });
    const relays = new Map<string, Awaited<ReturnType<typeof startCountingRelay>>>();
    try {
      for (const cluster of world.clusters) {
        const relay = await startCountingRelay(Number(new URL(cluster.gitProxy.url).port));
        relays.set(cluster.name, relay);
        await cluster.install();
        cluster.startAgent({ repo: `http://127.0.0.1:${relay.port}/${REPOSITORY}` });
      }
      await world.settled();
      await world.polls(3);
      const measured = await Promise.all(
        [world.leader, ...world.followers.slice(0, 1)].map((cluster) =>
          watchPolls(cluster, () => relays.get(cluster.name)?.bytes() ?? 0, polls),
        ),
      );
      return measured.flatMap((usage, index) => figuresOf(index === 0 ? "leader" : "follower", usage));
    } finally {
      await world.stop();
      for (const relay of relays.values()) await relay.stop();
    }
  },
};

interface Usage {
  readonly requests: readonly number[];
  readonly bytes: readonly number[];
  readonly writes: number;
  readonly coreSecondsPerPoll: number;
}

/** A poll is told by its first request; what comes until the next one is its own. */
async function watchPolls(cluster: WorldCluster, bytes: () => number, polls: number): Promise<Usage> {
  const { gitProxy, agent } = cluster;
  const pid = agent()?.pid ?? 0;
  const requests: number[] = [];
  const bytesOf: number[] = [];
  const writesBefore = countWrites(cluster);
  const secondsBefore = await processorSeconds(pid);
  for (let poll = 0; poll < polls; poll += 1) {
    const [requestsBefore, bytesBefore] = [gitProxy.log().length, bytes()];
    await waitUntil(`${cluster.name} polls`, async () => gitProxy.log().length > requestsBefore);
    await quiet(bytes);
    requests.push(gitProxy.log().length - requestsBefore);
    bytesOf.push(bytes() - bytesBefore);
  }
  const coreSecondsPerPoll = ((await processorSeconds(pid)) - secondsBefore) / polls;
  return { requests, bytes: bytesOf, writes: countWrites(cluster) - writesBefore, coreSecondsPerPoll };
}

const QUIET_MS = 300;

async function quiet(bytes: () => number): Promise<void> {
  for (let before = -1; before !== bytes(); ) {
    before = bytes();
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  }
}

/** To both servers. */
function countWrites({ apiProxy, gitProxy }: WorldCluster): number {
  const toKubernetes = apiProxy.log().filter(({ method }) => method !== "GET");
  const toGit = gitProxy.log().filter(({ url }) => url.includes("git-receive-pack"));
  return toKubernetes.length + toGit.length;
}

function figuresOf(role: string, { requests, bytes, writes, coreSecondsPerPoll }: Usage): readonly Figure[] {
  const perCore = (100 * coreSecondsPerPoll) / POLL_SECONDS;
  const row = (what: string, unit: Figure["unit"], samples: readonly number[], goal: string, max: number): Figure => {
    const measured = summarize(samples);
    return { what, unit, measured, floor: null, goal, met: measured.median <= max };
  };
  return [
    row(`an idle ${role}, requests a poll`, "requests", requests, `${REQUESTS_MAX}`, REQUESTS_MAX),
    row(`an idle ${role}, bytes a poll, headers included`, "bytes", bytes, "2 KB", BYTES_MAX),
    row(`an idle ${role}, writes to Kubernetes and git in ${requests.length} polls`, "requests", [writes], "none", 0),
    row(
      `an idle ${role}, processor, polling every ${POLL_SECONDS} s`,
      "% of a core",
      [perCore],
      `under ${CORE_MAX_PERCENT} %`,
      CORE_MAX_PERCENT,
    ),
  ];
}
