import { execFile } from "node:child_process";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { isObject } from "../../src/core/json.ts";
import type { KubernetesObject } from "../../src/core/model.ts";
import { type AgentProcess, startAgentProcess } from "../../src/sandbox/agent-process.ts";
import { writeKubeconfig } from "../../src/sandbox/api-server/kubeconfig.ts";
import { createBareRepository } from "../../src/sandbox/bare-repository.ts";
import type { SandboxCluster } from "../../src/sandbox/cluster.ts";
import { connect } from "../../src/sandbox/cluster-client.ts";
import type { Federation } from "../../src/sandbox/federation.ts";
import { startGitServer } from "../../src/sandbox/git-server.ts";
import { openGate } from "../kubernetes/gate.ts";
import { temporaryFolder } from "../support/git.ts";
import { type KubeCluster, startKubeCluster } from "../support/kube-clusters.ts";
import { PROJECT } from "../support/process.ts";
import { KUBE_ETCD_URL, told } from "./environment.ts";

/** As the sandbox tells its agents, but that a real API server takes its time to start. */
const AGENT_FLAGS = {
  poll: "* * * * * *",
  "ack-interval": "500ms",
  "delete-grace": "1s",
  "handover-timeout": "10s",
  "log-format": "text",
  listen: "127.0.0.1:0",
} as const;

const FIXTURE = join(PROJECT, "fixtures/repo");
const REPOSITORY = "federation.git";

/** The federation that the sandbox plays its stories on, with a real API server in each of its clusters. */
export async function startKubeFederation(): Promise<Federation> {
  const folder = await temporaryFolder();
  const closing: (() => Promise<unknown>)[] = [async () => folder[Symbol.asyncDispose]()];
  const stop = async (): Promise<void> => {
    for (const close of closing.splice(0).reverse()) await close();
  };
  try {
    await mkdir(join(folder.path, "logs"));
    const gitFolder = join(folder.path, "git");
    const repositoryFolder = await createBareRepository(gitFolder, REPOSITORY, { seedFrom: FIXTURE });
    const gitServer = await startGitServer({ root: gitFolder });
    closing.push(() => gitServer.stop({ abruptly: true }));
    const manifests = await readObjects("clusters");
    const started = await Promise.all(
      manifests.map(async (manifest) => {
        const name = contextOf(manifest);
        const kube = await startKubeCluster(name, join(folder.path, `kube-${name}`), told(KUBE_ETCD_URL));
        closing.push(kube.stop);
        // The stories' people come without credentials, as to the sandbox's own servers.
        const gate = await openGate(kube.upstream);
        closing.push(gate.close);
        return { manifest, kube, url: gate.url };
      }),
    );
    const kubeconfig = join(folder.path, "kubeconfig");
    const contexts = started.map(({ kube: { cluster } }) => ({ ...cluster, context: cluster.name }));
    await writeKubeconfig(kubeconfig, contexts);
    const flags = { ...AGENT_FLAGS, repo: gitServer.url(REPOSITORY), kubeconfig };
    const clusters = await Promise.all(
      started.map(async ({ kube, manifest, url }) => {
        const cluster = await furnish(kube, url, manifest, (context) =>
          startAgentProcess({ flags: { ...flags, context }, logFile: join(folder.path, "logs", context) }),
        );
        closing.push(() => cluster.powerOff({ abruptly: true }));
        return cluster;
      }),
    );
    for (const cluster of clusters) cluster.startAgent();
    return {
      folder: folder.path,
      kubeconfig,
      repository: flags.repo,
      repositoryFolder,
      gitServer,
      clusters,
      git: async (...args) => (await promisify(execFile)("git", ["-C", repositoryFolder, ...args])).stdout.trimEnd(),
      logs: () => readLogs(join(folder.path, "logs")),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Installs what AMKO's chart would: the AMKOCluster and, on the leader, the two objects. */
async function furnish(
  { cluster }: KubeCluster,
  url: string,
  manifest: KubernetesObject,
  start: (context: string) => AgentProcess,
): Promise<SandboxCluster> {
  const client = connect(url);
  const leads = isObject(manifest.spec) && manifest.spec["isLeader"] === true;
  for (const object of [manifest, ...(leads ? await readObjects("federation") : [])]) await client.create(object);
  let agent: AgentProcess | null = null;
  const startAgent = (): void => {
    agent ??= start(cluster.name);
  };
  const powerOff = async (): Promise<void> => {
    const running = agent;
    agent = null;
    await running?.kill();
    await cluster.crash();
  };
  return {
    name: cluster.name,
    url,
    client,
    amkoCluster: manifest.metadata.name,
    startAgent,
    powerOff,
    async powerOn() {
      await cluster.restart();
      startAgent();
    },
  };
}

function contextOf({ spec }: KubernetesObject): string {
  return isObject(spec) ? String(spec["clusterContext"]) : "";
}

/** Every object in a folder of the fixture. */
async function readObjects(folder: string): Promise<readonly KubernetesObject[]> {
  const files = (await readdir(join(FIXTURE, folder), { recursive: true })).filter((file) => file.endsWith(".yaml"));
  return Promise.all(
    files
      .toSorted()
      .map(async (file) => parse(await readFile(join(FIXTURE, folder, file), "utf8")) as KubernetesObject),
  );
}

const LOG_MAX_CHARACTERS = 8_000;

async function readLogs(folder: string): Promise<string> {
  const texts = (await readdir(folder)).toSorted().map(async (name) => {
    const text = await readFile(join(folder, name), "utf8");
    return `--- ${name}\n${text.slice(-LOG_MAX_CHARACTERS)}`;
  });
  return (await Promise.all(texts)).join("\n");
}
