import { join } from "node:path";
import { type AmkoKind, type Json, KINDS, NAMESPACE } from "../../src/core/model.ts";
import { FILES, GDP } from "../support/federation.ts";
import { git } from "../support/git.ts";
import { AMKO_CLUSTER, type WorldCluster } from "../support/world.ts";
import type { Change, Stage } from "./stage.ts";

/**
 * The same work with git itself and bare HTTP requests, and no agent: one commit on the leader's side, pushed; then for
 * each follower at the same time a write of its AMKOCluster, a fetch, and a write of its object, both on connections
 * that are kept. Nothing is decided, compared, rehearsed or recorded. It starts a dozen git processes one after the
 * other, and those that talk to the server each with a connection of its own: an agent, which has all of that within
 * one, may well be faster.
 */
export async function prepareFloor({ world, memberProxies }: Stage): Promise<Change> {
  const clones = new Map<string, string>();
  for (const cluster of world.clusters) {
    const clone = join(world.folder, `clone-${cluster.name}`);
    await git(world.folder, ["clone", "--quiet", "--bare", cluster.repositoryUrl, clone]);
    clones.set(cluster.name, clone);
  }
  const cloneOf = ({ name }: WorldCluster): string => clones.get(name) ?? "";
  return async (value) => {
    const next = await push(cloneOf(world.leader), world.leader.repositoryUrl, value);
    await Promise.all(
      world.followers.map(async (follower) => {
        await nudge(memberProxies.get(follower.name)?.url ?? follower.url, follower);
        await git(cloneOf(follower), [...FETCH, follower.repositoryUrl, "+refs/heads/main:refs/heads/main"]);
        await patch(follower.url, follower, ["GlobalDeploymentPolicy", GDP], { spec: { ttl: value } });
      }),
    );
    await git(cloneOf(world.leader), ["update-ref", "refs/heads/main", next]);
  };
}

/** Nothing beside what is asked for. */
const FETCH = ["fetch", "--quiet", "--no-tags", "--no-auto-maintenance", "--no-write-fetch-head"] as const;

/** One blob, three trees and a commit, on top of what the clone knows as the head; then the push. */
async function push(clone: string, url: string, value: number): Promise<string> {
  const run = (args: readonly string[], input?: string): Promise<string> =>
    git(clone, args, input === undefined ? {} : { input });
  const path = FILES.GlobalDeploymentPolicy;
  const head = await run(["rev-parse", "main"]);
  const text = await run(["cat-file", "blob", `${head}:${path}`]);
  let id = await run(["hash-object", "-w", "--stdin"], `${text.replace(/ttl: \d+/, `ttl: ${value}`)}\n`);
  const folders = path.split("/");
  for (let depth = folders.length - 1; depth >= 0; depth -= 1) {
    const listing = await run(["ls-tree", `${head}:${folders.slice(0, depth).join("/")}`]);
    const lines = listing.split("\n").map((line) => replaceEntry(line, folders[depth] ?? "", id));
    id = await run(["mktree"], `${lines.join("\n")}\n`);
  }
  const next = await run(["commit-tree", id, "-p", head, "-m", "Change the TTL"]);
  await run(["push", "--quiet", url, `${next}:refs/heads/main`]);
  return next;
}

function replaceEntry(line: string, name: string, id: string): string {
  return line.endsWith(`\t${name}`) ? line.replace(/[0-9a-f]{40}/, id) : line;
}

/** A write of the member's AMKOCluster, as a nudge is one. */
async function nudge(server: string, cluster: WorldCluster): Promise<void> {
  const annotations = { "example.com/nudge": String(performance.now()) };
  await patch(server, cluster, ["AMKOCluster", AMKO_CLUSTER], { metadata: { annotations } });
}

async function patch(
  server: string,
  { token }: WorldCluster,
  [kind, name]: readonly [AmkoKind, string],
  body: Json,
): Promise<void> {
  const { apiVersion, plural } = KINDS[kind];
  const answer = await fetch(`${server}/apis/${apiVersion}/namespaces/${NAMESPACE}/${plural}/${name}`, {
    method: "PATCH",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/merge-patch+json" },
    body: JSON.stringify(body),
  });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`a write of ${kind} ${name} was answered with ${answer.status}`);
}
