import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { git } from "../../support/git.ts";
import { AMKO_CLUSTER, startWorld, type WorldCluster } from "../../support/world.ts";
import { summarize } from "../figure.ts";
import type { Row } from "../row.ts";

const START_MAX_MS = 2_000;
const WAIT_MAX_MS = 30_000;

/** From the start of the process until the first status that is right stands in the cluster. */
export const start: Row = {
  name: "start",
  explanation: "from the start of an agent's process to its first correct status",
  on: "any",
  isInDesign: true,
  async run({ samples }) {
    const world = await startWorld({ direct: true });
    try {
      const [follower] = world.followers;
      if (follower === undefined) throw new TypeError("there is no follower");
      const measured: number[] = [];
      const floor: number[] = [];
      for (let sample = 0; sample < samples; sample += 1) {
        measured.push(await timeStart(follower));
        floor.push(await timeFloor(follower, join(world.folder, "floor")));
      }
      const summary = summarize(measured);
      return [
        {
          what: "start of a follower's agent to its first status",
          unit: "ms",
          measured: summary,
          floor: summarize(floor),
          goal: `under ${START_MAX_MS} ms`,
          met: summary.median < START_MAX_MS,
        },
      ];
    } finally {
      await world.stop();
    }
  },
};

/** The status is taken away first, so that the next one is the agent's own. */
async function timeStart({ agent, startAgent, objects, condition }: WorldCluster): Promise<number> {
  await agent()?.stop();
  await clearStatus(objects);
  const startMs = performance.now();
  startAgent();
  while ((await condition("Synced")).status !== "True") {
    if (performance.now() - startMs > WAIT_MAX_MS) throw new Error("the agent never said that it is in sync");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return performance.now() - startMs;
}

async function clearStatus({ get, request }: WorldCluster["objects"]): Promise<void> {
  const object = await get("AMKOCluster", AMKO_CLUSTER);
  const path = `/apis/amko.vmware.com/v1alpha1/namespaces/avi-system/amkoclusters/${AMKO_CLUSTER}/status`;
  const { status } = await request("PUT", path, { ...object, status: {} } as never);
  if (status !== 200) throw new Error(`the status was answered with ${status}`);
}

/** Node that starts and does nothing, a clone of depth 1, and a read and a write at the API server. */
async function timeFloor({ repositoryUrl, objects }: WorldCluster, folder: string): Promise<number> {
  const startMs = performance.now();
  await promisify(execFile)(process.execPath, ["--eval", "0"]);
  await git("/", ["clone", "--quiet", "--bare", "--depth=1", repositoryUrl, folder]);
  await objects.list("AMKOCluster");
  await clearStatus(objects);
  const tookMs = performance.now() - startMs;
  await rm(folder, { recursive: true });
  return tookMs;
}
