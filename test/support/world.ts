import { existsSync, statSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isObject } from "../../src/core/json.ts";
import {
  type CommitId,
  type FederatedKind,
  type Json,
  KINDS,
  type KubernetesObject,
  NAMESPACE,
  type Snapshot,
} from "../../src/core/model.ts";
import { type AgentProcess, startAgentProcess } from "../../src/sandbox/agent-process.ts";
import { writeKubeconfig } from "../../src/sandbox/api-server/kubeconfig.ts";
import { createBareRepository } from "../../src/sandbox/bare-repository.ts";
import { waitUntil as waitFor } from "../../src/sandbox/wait.ts";
import { CLUSTERS, globalDeploymentPolicy, gslbConfig, manifest, snapshotFile } from "./builders.ts";
import { startClusters, type TestCluster } from "./clusters.ts";
import { programLauncher } from "./compiled-program.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import { branchHead, commitTree, type FileTree, git, readBranches, setBranch, temporaryFolder } from "./git.ts";
import type { TestPushers } from "./hook.ts";
import { clonePerson, type Person } from "./person.ts";
import { type GitUsers, startWorldGit, type WorldGit } from "./world-git.ts";

/** Generous, since many suites may share a small machine; below the time limit of a test, so that it can say what it awaited. */
const WAIT_MAX_MS = 50_000;

/** Looks until something is so. @throws Error that says what was awaited, and what was seen last. */
export function waitUntil(what: string, isSo: () => Promise<boolean | string>): Promise<void> {
  return waitFor(what, isSo, WAIT_MAX_MS);
}

export interface WorldOptions {
  /** The contexts' names; the first one leads. */
  readonly clusters?: readonly string[];
  /** The first commit. Null leaves the repository without one; by default it holds what {@link federationFiles} gives. */
  readonly files?: FileTree | null;
  /** Called with the bare repository's folder and its first commit before anybody reads them. */
  readonly seeded?: (repository: string, first: CommitId) => Promise<void>;
  /** What every agent is told beside the world's own flags. */
  readonly agentFlags?: Readonly<Record<string, string>>;
  /** False installs nothing and starts no agent. */
  readonly running?: boolean;
  /** Who may read and push. Each cluster's agent is given the user of its name. May be changed while the world runs. */
  readonly users?: GitUsers;
  /** True gives everybody a user of their own and has the server judge each push with the hook that the project ships. */
  readonly hook?: boolean;
  /** How the hook's file maps a user, where it is not to the cluster of that name. */
  readonly pushers?: TestPushers;
  /** True takes the fault proxies out of the agents' way. */
  readonly direct?: boolean;
  /** Half of a round trip between each cluster's site and the git server; needs the proxies. */
  readonly gitDelayMs?: number;
}

/** One line of an agent's log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A cluster with what stands in and around it: its agent, and a proxy before each of the agent's two servers. */
export interface WorldCluster extends TestCluster {
  readonly gitProxy: FaultProxy;
  readonly apiProxy: FaultProxy;
  /** The repository's address as the cluster's agent knows it. */
  readonly repositoryUrl: string;
  /** Creates what AMKO's chart installs: the AMKOCluster and, on the leader, the two objects. */
  install(): Promise<void>;
  /** Starts the agent, with other flags and by another command where given, if it does not run. */
  startAgent(flags?: Readonly<Record<string, string>>, runBy?: readonly string[]): void;
  /** The running agent; null while there is none. */
  agent(): AgentProcess | null;
  /** What its agents logged, from a byte of the file on. */
  log(fromByte?: number): Promise<readonly LogLine[]>;
  /** How many bytes they have logged. */
  logSize(): number;
  /** Asks the agent's own server. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** Asks it for JSON. */
  probe(path: string): Promise<{ readonly status: number; readonly body: Json }>;
  /** A condition of the AMKOCluster's status. */
  condition(type: string): Promise<{ readonly status: string; readonly reason: string }>;
}

/** A federation of real agents, API servers and git, to be harmed and looked at. */
export interface World {
  readonly folder: string;
  /** One context per cluster, for kubectl. */
  readonly kubeconfig: string;
  readonly clusters: readonly WorldCluster[];
  readonly leader: WorldCluster;
  readonly followers: readonly WorldCluster[];
  /** Runs git in the server's bare repository. */
  git(...args: readonly string[]): Promise<string>;
  /** Every branch with where it stands: `main`, `amko/applied/cluster1`. */
  refs(): Promise<ReadonlyMap<string, CommitId>>;
  head(): Promise<CommitId>;
  readonly repositoryFolder: string;
  /** The address that people clone. */
  readonly repositoryUrl: string;
  readonly person: Person;
  /** An environment in which git has the person's credentials. */
  readonly personEnvironment: Readonly<Record<string, string>>;
  readonly gitServer: { crash(): Promise<void>; restart(): Promise<void> };
  /** Waits until every agent that runs says that its cluster is in sync with the branch, and has acknowledged it. */
  settled(): Promise<CommitId>;
  /** Waits until each agent that runs has looked at the branch so many times more. */
  polls(count: number): Promise<void>;
  /** The last lines of every agent's log. */
  logs(): Promise<string>;
  /** @throws Error when git finds anything wrong with the server's repository. */
  verify(): Promise<void>;
  stop(): Promise<void>;
}

export const REPOSITORY = "federation.git";
const LOG_LINES_MAX = 60;

/** Every agent polls each second, acknowledges soon, and never looks at everything unless something woke it. */
const AGENT_FLAGS = {
  poll: "* * * * * *",
  resync: "0 0 0 1 1 *",
  "ack-interval": "200ms",
  "delete-grace": "1s",
  "git-timeout": "10s",
  "kube-timeout": "10s",
  listen: "127.0.0.1:0",
} as const;

/** A valid federation's files: a manifest for each cluster, the first leading `members`, and both snapshots. */
export function federationFiles(
  clusters: readonly string[] = CLUSTERS,
  members: readonly string[] = clusters,
): Readonly<Record<string, string>> {
  const files = [
    ...clusters.map((name, index) => manifest(name, { isLeader: index === 0, clusters: members })),
    snapshotFile(gslbConfig()),
    snapshotFile(globalDeploymentPolicy()),
  ];
  return Object.fromEntries(files.map(({ path, bytes }) => [path, new TextDecoder().decode(bytes ?? undefined)]));
}

/** The object that a person would create from a snapshot. */
export function objectFrom({ kind, name, annotations, spec }: Snapshot): KubernetesObject {
  return { apiVersion: KINDS[kind].apiVersion, kind, metadata: { name, namespace: NAMESPACE, annotations }, spec };
}

export const LEADER_OBJECTS: Readonly<Record<FederatedKind, KubernetesObject>> = {
  GSLBConfig: objectFrom(gslbConfig()),
  GlobalDeploymentPolicy: objectFrom(globalDeploymentPolicy()),
};

/** The AMKOCluster that a cluster's chart installs. */
export function amkoClusterOf(name: string, clusters: readonly string[] = CLUSTERS): KubernetesObject {
  const { bytes } = manifest(name, { isLeader: name === clusters[0], clusters });
  return JSON.parse(new TextDecoder().decode(bytes ?? undefined)) as KubernetesObject;
}

export const AMKO_CLUSTER = amkoClusterOf("cluster1").metadata.name;

/** Starts servers and, unless told otherwise, installs AMKO everywhere, starts the agents and waits until all is in sync. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const folder = await temporaryFolder();
  const closing: (() => Promise<unknown>)[] = [async () => folder[Symbol.asyncDispose]()];
  const stop = async (): Promise<void> => {
    for (const close of closing.splice(0).reverse()) await close();
  };
  try {
    const world = await build(options, folder.path, closing, stop);
    if (options.running === false) return world;
    await Promise.all(world.clusters.map((cluster) => cluster.install()));
    for (const cluster of world.clusters) cluster.startAgent();
    if (options.files !== null) await world.settled();
    return world;
  } catch (error) {
    await stop();
    throw error;
  }
}

async function build(
  {
    clusters: names = CLUSTERS,
    files,
    seeded,
    agentFlags = {},
    users,
    hook = false,
    pushers = {},
    direct = false,
    gitDelayMs = 0,
  }: WorldOptions,
  folder: string,
  closing: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
): Promise<World> {
  const gitRoot = join(folder, "git");
  const repositoryFolder = await createBareRepository(gitRoot, REPOSITORY);
  if (files !== null) {
    const first = await commitTree(repositoryFolder, {
      files: files ?? federationFiles(names),
      message: "Start the federation",
    });
    await setBranch(repositoryFolder, "main", first);
    await seeded?.(repositoryFolder, first);
  }
  const gitServer = await startWorldGit({
    root: gitRoot,
    repository: REPOSITORY,
    clusters: names,
    hook,
    users,
    pushers,
  });
  closing.push(() => gitServer.crash());
  const { kubeconfig, clusters: bare, stop: stopClusters } = await startClusters(names, folder);
  closing.push(stopClusters);
  await mkdir(join(folder, "logs"));
  const clusters = await Promise.all(
    bare.map(async (cluster) => {
      const parts = { cluster, names, folder, git: gitServer, gitDelayMs, agentFlags, direct };
      const built = await surround(parts);
      closing.push(
        () => built.gitProxy.stop(),
        () => built.apiProxy.stop(),
        async () => built.agent()?.kill(),
      );
      return built;
    }),
  );
  const [leader, ...followers] = clusters;
  if (leader === undefined) throw new TypeError("a world needs a cluster");
  const inGit = (...args: readonly string[]): Promise<string> => git(repositoryFolder, args);
  const refs = (): Promise<ReadonlyMap<string, CommitId>> => readBranches(repositoryFolder);
  const head = async (): Promise<CommitId> => {
    const commit = await branchHead(repositoryFolder, "main");
    if (commit === null) throw new TypeError("the repository has no branch main");
    return commit;
  };
  return {
    folder,
    kubeconfig,
    clusters,
    leader,
    followers,
    git: inGit,
    refs,
    head,
    repositoryFolder,
    repositoryUrl: gitServer.url,
    person: await clonePerson(gitServer.personUrl, join(folder, "person"), repositoryFolder),
    personEnvironment: gitServer.personEnvironment,
    gitServer,
    settled: () => settled(clusters, repositoryFolder),
    polls: (count) => polls(clusters, count),
    logs: async () => (await Promise.all(clusters.map(logTail))).join("\n"),
    verify: async () => void (await inGit("fsck", "--strict", "--no-dangling", "--no-progress")),
    stop,
  };
}

interface Parts {
  readonly cluster: TestCluster;
  readonly names: readonly string[];
  readonly folder: string;
  readonly git: WorldGit;
  readonly agentFlags: Readonly<Record<string, string>>;
  readonly direct: boolean;
  readonly gitDelayMs: number;
}

async function surround(parts: Parts): Promise<WorldCluster> {
  const { cluster, names, folder, agentFlags, direct } = parts;
  const { url: gitUrl, users } = parts.git;
  const { name, url, token, objects } = cluster;
  const gitProxy = await startFaultProxy({ target: new URL(gitUrl).origin, delayMs: parts.gitDelayMs });
  const repositoryUrl = direct ? gitUrl : `${gitProxy.url}/${REPOSITORY}`;
  const apiProxy = await startFaultProxy({ target: url });
  const place = join(folder, `agent-${names.indexOf(name)}`);
  await mkdir(place);
  const kubeconfig = join(place, "kubeconfig");
  await writeKubeconfig(kubeconfig, [{ context: name, url: direct ? url : apiProxy.url, token }]);
  const flags: Record<string, string> = {
    ...AGENT_FLAGS,
    repo: repositoryUrl,
    kubeconfig,
    context: name,
    ...agentFlags,
  };
  if (users !== null) {
    flags["git-credentials"] = await writeCredentials(join(place, "git"), name, users[name]?.password ?? "");
  }
  const logFile = join(place, "log");
  let agent: AgentProcess | null = null;
  /** Where the present agent's part of the log begins. */
  let logStart = 0;
  const logSize = (): number => (existsSync(logFile) ? statSync(logFile).size : 0);
  const ask = async (path: string, init?: RequestInit): Promise<Response> =>
    fetch(`http://127.0.0.1:${await portOf(() => readLog(logFile, logStart))}${path}`, init);
  return {
    ...cluster,
    gitProxy,
    apiProxy,
    repositoryUrl,
    async install() {
      await objects.create(amkoClusterOf(name, names));
      if (name !== names[0]) return;
      for (const object of Object.values(LEADER_OBJECTS)) await objects.create(object);
    },
    startAgent(more = {}, runBy = []) {
      if (agent !== null) return;
      logStart = logSize();
      const started = startAgentProcess({ flags: { ...flags, ...more }, logFile, runBy, launcher: programLauncher() });
      agent = started;
      void started.exited.then(() => {
        if (agent === started) agent = null;
      });
    },
    agent: () => agent,
    log: (fromByte) => readLog(logFile, fromByte),
    logSize,
    ask,
    async probe(path) {
      const answer = await ask(path);
      return { status: answer.status, body: (await answer.json()) as Json };
    },
    async condition(type) {
      const [object] = await objects.list("AMKOCluster");
      const status = isObject(object?.status) ? object.status["conditions"] : undefined;
      const conditions = Array.isArray(status) ? (status as readonly Json[]) : [];
      const found = conditions.filter(isObject).find((condition) => condition["type"] === type);
      return { status: String(found?.["status"] ?? "(none)"), reason: String(found?.["reason"] ?? "") };
    },
  };
}

/** Writes the files of a mounted Secret, and returns their folder. */
export async function writeCredentials(folder: string, username: string, password: string): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "username"), username);
  await writeFile(join(folder, "password"), password);
  return folder;
}

/** Where {@link startWorld} puts the credentials of a cluster's agent. */
export function credentialsFolder({ folder, clusters }: World, cluster: WorldCluster): string {
  return join(folder, `agent-${clusters.indexOf(cluster)}`, "git");
}

/** The lines so far. A last one that is still being written is left out. */
async function readLog(path: string, fromByte = 0): Promise<readonly LogLine[]> {
  const bytes = await readFile(path).catch(() => Buffer.alloc(0));
  const text = bytes.subarray(fromByte).toString("utf8");
  const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
  return lines.filter((line) => line !== "").map(parseLine);
}

/** What is no JSON came from Node itself, or is a complaint on stderr. */
function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { level: "stderr", msg: line };
  }
}

async function portOf(log: () => Promise<readonly LogLine[]>): Promise<number> {
  let port: unknown;
  await waitUntil("the agent has started its server", async () => {
    port = (await log()).findLast(({ msg }) => msg === "started")?.["port"];
    return typeof port === "number";
  });
  return Number(port);
}

async function logTail({ name, log }: WorldCluster): Promise<string> {
  const lines = (await log()).slice(-LOG_LINES_MAX).map((line) => JSON.stringify(line));
  return `--- agent of ${name}\n${lines.join("\n")}`;
}

/**
 * A revision that leaves the tree as it was is neither applied nor acknowledged: then the acknowledgement of the one
 * before it counts.
 */
async function settled(clusters: readonly WorldCluster[], repository: string): Promise<CommitId> {
  let head = "";
  await waitUntil("every cluster holds the newest revision and has acknowledged it", async () => {
    const trees = await treesByRef(repository);
    const main = trees.get("main");
    if (main === undefined) return "there is no branch main";
    head = main.commit;
    for (const { name, agent, condition } of clusters) {
      if (agent() === null) continue;
      const { status, reason } = await condition("Synced");
      if (status !== "True" || !reason.endsWith(head)) return `${name}: ${status} ${reason}, the head is ${head}`;
      if (trees.get(`amko/applied/${name}`)?.tree !== main.tree) return `${name} has not acknowledged ${head}`;
    }
    return true;
  });
  return head as CommitId;
}

async function treesByRef(
  repository: string,
): Promise<ReadonlyMap<string, { readonly commit: string; readonly tree: string }>> {
  const format = "--format=%(refname:lstrip=2) %(objectname) %(tree)";
  const listing = await git(repository, ["for-each-ref", format, "refs/heads/"]);
  const lines = listing.split("\n").filter((line) => line !== "");
  return new Map(
    lines.map((line) => {
      const [ref = "", commit = "", tree = ""] = line.split(" ");
      return [ref, { commit, tree }];
    }),
  );
}

/** A look at the branch that finds nothing new takes no more requests than this. */
export const POLL_REQUESTS_MAX = 2;

async function polls(clusters: readonly WorldCluster[], count: number): Promise<void> {
  const running = clusters.filter(({ agent }) => agent() !== null);
  const wanted = running.map(({ name, gitProxy }) => ({
    name,
    gitProxy,
    until: gitProxy.log().length + count * POLL_REQUESTS_MAX,
  }));
  await waitUntil(`every agent has looked at the branch ${count} times`, async () => {
    const late = wanted.find(({ gitProxy, until }) => gitProxy.log().length < until);
    return late === undefined || `${late.name} has not`;
  });
}
