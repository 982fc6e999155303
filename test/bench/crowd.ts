import { type ChildProcess, spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { CommitId, Json } from "../../src/core/model.ts";
import { writeKubeconfig } from "../../src/sandbox/api-server/kubeconfig.ts";
import { createBareRepository } from "../../src/sandbox/bare-repository.ts";
import { waitUntil } from "../../src/sandbox/wait.ts";
import { type CountingRelay, startCountingRelay } from "../support/counting-relay.ts";
import { GDP } from "../support/federation.ts";
import { commitTree, git, setBranch, temporaryFolder } from "../support/git.ts";
import { giveMembers } from "../support/members-secret.ts";
import { connectObjects, type ObjectClient } from "../support/object-client.ts";
import { PROJECT, startServer } from "../support/process.ts";
import { amkoClusterOf, federationFiles, LEADER_OBJECTS, REPOSITORY } from "../support/world.ts";
import type { Crowd } from "./crowd-main.ts";

/** A federation of many clusters on this machine: all agents in a few processes, all API servers in one. */
export interface CrowdedFederation {
  readonly clusters: readonly { readonly name: string; readonly objects: ObjectClient }[];
  /** The processes that hold the agents. */
  readonly agentPids: readonly number[];
  /** What goes between the agents and the git server. */
  readonly traffic: CountingRelay;
  readonly repositoryFolder: string;
  /** How many clusters' objects have had that value of the GDP's `ttl`, and when the last one got it. */
  arrivals(ttl: number): { readonly count: number; readonly lastMs: number };
  stop(): Promise<void>;
}

const AGENTS_PER_PROCESS = 100;
/** Each of them introduces itself, applies everything and acknowledges. */
const START_MAX_MS = 300_000;
const MAIN = join(PROJECT, "test/bench/crowd-main.ts");
const GIT_SERVER = join(PROJECT, "src/sandbox/git-server-main.ts");

export async function startCrowd(count: number, poll: string): Promise<CrowdedFederation> {
  const folder = await temporaryFolder();
  const closing: (() => Promise<unknown>)[] = [async () => folder[Symbol.asyncDispose]()];
  const stop = async (): Promise<void> => {
    for (const close of closing.splice(0).reverse()) await close();
  };
  try {
    const names = Array.from({ length: count }, (_, index) => `cluster${index + 1}`);
    const { repositoryFolder, traffic, url } = await startGit(folder.path, names, closing);
    const servers = (await gather({ run: "api-servers", names }, closing)).answer as readonly string[];
    const clusters = names.map((name, index) => ({ name, objects: connectObjects(servers[index] ?? "", "") }));
    await installAll(clusters, servers);
    const flags = await Promise.all(
      names.map((name, index) => flagsOf({ name, server: servers[index] ?? "", url, folder: folder.path, poll })),
    );
    const agentPids: number[] = [];
    for (let start = 0; start < flags.length; start += AGENTS_PER_PROCESS) {
      const crowd: Crowd = { run: "agents", flags: flags.slice(start, start + AGENTS_PER_PROCESS) };
      agentPids.push((await gather(crowd, closing)).pid);
    }
    await allAcknowledged(repositoryFolder, count);
    const arrivals = await watchAll(clusters, closing);
    return { clusters, agentPids, traffic, repositoryFolder, arrivals, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startGit(folder: string, names: readonly string[], closing: (() => Promise<unknown>)[]) {
  const root = join(folder, "git");
  const repositoryFolder = await createBareRepository(root, REPOSITORY);
  const first = await commitTree(repositoryFolder, { files: federationFiles(names), message: "Start the federation" });
  await setBranch(repositoryFolder, "main", first);
  const server = await startServer([GIT_SERVER, root]);
  closing.push(() => server.kill());
  const traffic = await startCountingRelay(Number(new URL(server.url).port));
  closing.push(traffic.stop);
  return { repositoryFolder, traffic, url: `http://127.0.0.1:${traffic.port}/${REPOSITORY}` };
}

/** One process for a crowd; resolves when all of it has started. */
async function gather(crowd: Crowd, closing: (() => Promise<unknown>)[]) {
  const child = spawn(process.execPath, [MAIN], { cwd: PROJECT, stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  closing.push(async () => {
    child.stdin.end();
    await ended;
  });
  child.stdin.write(`${JSON.stringify(crowd)}\n`);
  return { answer: await firstAnswer(child), pid: child.pid ?? 0 };
}

/** Agents log there too, as far as they have anything to say. */
async function firstAnswer(child: ChildProcess): Promise<Json> {
  const lines = createInterface({ input: child.stdout ?? process.stdin });
  return new Promise((resolve, reject) => {
    lines.on("line", (line) => {
      if (line.startsWith("[") || /^\d+$/.test(line)) resolve(JSON.parse(line) as Json);
    });
    child.once("close", (code) => reject(new Error(`a crowd ended with ${code}`)));
  });
}

async function installAll(clusters: CrowdedFederation["clusters"], servers: readonly string[]): Promise<void> {
  const names = clusters.map(({ name }) => name);
  for (const { name, objects } of clusters) await objects.create(amkoClusterOf(name, names));
  const [leader] = clusters;
  if (leader === undefined) return;
  for (const object of Object.values(LEADER_OBJECTS)) await leader.objects.create(object);
  const contexts = names.map((name, index) => [name, { url: servers[index] ?? "", user: {} }] as const);
  await giveMembers(leader, Object.fromEntries(contexts));
}

interface AgentPlace {
  readonly name: string;
  readonly server: string;
  readonly url: string;
  readonly folder: string;
  readonly poll: string;
}

async function flagsOf({ name, server, url, folder, poll }: AgentPlace): Promise<Readonly<Record<string, string>>> {
  const place = join(folder, name);
  await mkdir(place);
  const kubeconfig = join(place, "kubeconfig");
  await writeKubeconfig(kubeconfig, [{ context: name, url: server }]);
  return { repo: url, kubeconfig, context: name, poll, listen: "127.0.0.1:0", "log-level": "error" };
}

async function allAcknowledged(repository: string, count: number): Promise<CommitId> {
  const head = (await git(repository, ["rev-parse", "main"])) as CommitId;
  await waitUntil(
    `all ${count} clusters have acknowledged ${head}`,
    async () => {
      const refs = await git(repository, ["for-each-ref", `--points-at=${head}`, "refs/heads/amko/applied/"]);
      const there = refs.split("\n").filter((line) => line !== "").length;
      return there === count || `${there} have`;
    },
    START_MAX_MS,
  );
  return head;
}

async function watchAll(
  clusters: CrowdedFederation["clusters"],
  closing: (() => Promise<unknown>)[],
): Promise<CrowdedFederation["arrivals"]> {
  const seen = new Map<number, Map<string, number>>();
  for (const { name, objects } of clusters) {
    const leave = await objects.watch("GlobalDeploymentPolicy", ({ object }) => {
      const ttl = Number((object.spec as Readonly<Record<string, Json>>)["ttl"]);
      const times = seen.get(ttl) ?? new Map<string, number>();
      seen.set(ttl, times);
      if (!times.has(name)) times.set(name, performance.now());
    });
    closing.push(leave);
  }
  return (ttl) => {
    const times = [...(seen.get(ttl)?.values() ?? [])];
    return { count: times.length, lastMs: Math.max(Number.NEGATIVE_INFINITY, ...times) };
  };
}

/** Edits the leader's GDP, as a person would. */
export async function editLeader({ clusters }: CrowdedFederation, ttl: number): Promise<void> {
  await clusters[0]?.objects.merge("GlobalDeploymentPolicy", GDP, { spec: { ttl } });
}
