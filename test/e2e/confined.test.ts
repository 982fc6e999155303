import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { editPolicy, waitForPolicy } from "../support/federation.ts";
import { PROJECT } from "../support/process.ts";
import { tellLogs, useWorld } from "./use-world.ts";

/** An agent writes to no file system: its container's is read-only. */

const world = useWorld({ clusters: ["cluster1", "cluster2"] });
let edits = 500;

/** Node's own guard: files may be read and nothing else; no program may be started. */
const GUARDED = ["env", "NODE_OPTIONS=--permission --allow-fs-read=*"] as const;

/** The kernel's: everything is read-only, and the folder for temporary files is full. */
const SEAL = `
set -e
mount -t tmpfs -o size=4k tmpfs "$1"
head -c 8192 /dev/zero > "$1/full" 2> /dev/null || true
mount -o remount,ro,bind /
export TMPDIR="$1"
shift
exec "$@"
`;

async function sealed(): Promise<readonly string[]> {
  const folder = join(world().folder, "temporary");
  await mkdir(folder, { recursive: true });
  return ["unshare", "--mount", "--map-root-user", "sh", "-c", SEAL, "sh", folder];
}

/** Ends with 0 where nothing can be written, and with 1 where something can. */
const ATTEMPT = `
const { appendFileSync } = require("node:fs");
for (const folder of [${JSON.stringify(PROJECT)}, require("node:os").tmpdir()]) {
  try { appendFileSync(folder + "/amko-gitops-written", "x"); process.exit(1); } catch {}
}`;

/** Runs a program that tries to write. @throws Error where it could, or where nothing could be run so */
async function attempt([program = "", ...args]: readonly string[]): Promise<void> {
  await promisify(execFile)(program, [...args, process.execPath, "--eval", ATTEMPT]);
}

/** Both agents start, and the leader's edit becomes a commit that the follower applies and acknowledges. */
async function work(runBy: readonly string[]): Promise<void> {
  const { clusters, leader, settled } = world();
  for (const { agent } of clusters) await agent()?.stop();
  const since = clusters.map(({ logSize }) => logSize());
  for (const cluster of clusters) cluster.startAgent({}, runBy);
  edits += 1;
  await editPolicy(leader, { ttl: edits });
  await waitForPolicy(clusters, { ttl: edits });
  await settled();
  for (const [index, { log }] of clusters.entries()) {
    expect((await log(since[index])).filter(({ level }) => ["error", "stderr"].includes(level))).toEqual([]);
  }
}

test("an agent that may read files, and neither write any nor start a program, does all its work", async () => {
  tellLogs(world());
  await attempt(GUARDED);
  await work(GUARDED);
});

test("an agent on a read-only root file system, with a full folder for temporary files, does all its work", async ({
  skip,
}) => {
  tellLogs(world());
  const runBy = await sealed();
  const refused = await attempt(runBy).then(
    () => null,
    (error: unknown) => String(error),
  );
  skip(refused !== null, `nobody may mount anything here: ${refused}`);
  await work(runBy);
});
