import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parse } from "yaml";
import { isObject } from "../core/json.ts";
import type { Json, KubernetesObject } from "../core/model.ts";
import { decodeClusterName } from "../core/names.ts";
import { FederationError } from "../errors.ts";
import { writeKubeconfig } from "./api-server/kubeconfig.ts";
import { createBareRepository } from "./bare-repository.ts";
import { type SandboxCluster, startCluster } from "./cluster.ts";
import { type GitServer, startGitServer } from "./git-server.ts";

const FIXTURE = fileURLToPath(new URL("../../fixtures/repo/", import.meta.url));
const REPOSITORY = "federation.git";

/** As in a real federation, only faster: nobody wants to wait in a sandbox. */
const AGENT_FLAGS = {
  poll: "* * * * * *",
  "ack-interval": "500ms",
  "delete-grace": "1s",
  "handover-timeout": "5s",
  "log-format": "text",
  listen: "127.0.0.1:0",
};

/** A whole federation on loopback: a git server, clusters, and a real agent for each. */
export interface Federation {
  readonly folder: string;
  readonly kubeconfig: string;
  readonly repository: string;
  /** The bare repository on disk, for git itself. */
  readonly repositoryFolder: string;
  readonly gitServer: GitServer;
  readonly clusters: readonly SandboxCluster[];
  /** Runs git in the bare repository. */
  git(...args: readonly string[]): Promise<string>;
  /** The last lines of every agent's log. */
  logs(): Promise<string>;
  /** Stops agents and servers and removes the folder. */
  stop(): Promise<void>;
}

export interface FederationOptions {
  /** The CRDs that the clusters install. */
  readonly definitions: readonly Json[];
  /** More flags for the agents, or other values. */
  readonly agentFlags?: Readonly<Record<string, string>>;
}

/**
 * Seeds a repository from `fixtures/repo`, starts a cluster for each of its manifests and an agent for each cluster.
 * The leader's cluster holds the two objects already, the followers' hold none: as after an install with Helm.
 */
export async function startFederation({ definitions, agentFlags = {} }: FederationOptions): Promise<Federation> {
  const folder = await mkdtemp(join(tmpdir(), "amko-gitops-sandbox-"));
  const closing: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const close of closing.splice(0).reverse()) await close();
  };
  try {
    await mkdir(join(folder, "logs"));
    const repositoryFolder = await createBareRepository(join(folder, "git"), REPOSITORY, { seedFrom: FIXTURE });
    const gitServer = await startGitServer({ root: join(folder, "git") });
    closing.push(() => gitServer.stop({ abruptly: true }));
    const repository = gitServer.url(REPOSITORY);
    const kubeconfig = join(folder, "kubeconfig");
    const flags = { ...AGENT_FLAGS, repo: repository, kubeconfig, ...agentFlags };
    const starting = (await readManifests()).map(async (manifest) => {
      const cluster = await startCluster({ manifest, objects: await objectsOf(manifest), definitions, folder, flags });
      closing.push(() => cluster.powerOff({ abruptly: false }));
      return cluster;
    });
    const clusters = await Promise.all(starting);
    await writeKubeconfig(
      kubeconfig,
      clusters.map(({ name, url }) => ({ context: name, url })),
    );
    for (const cluster of clusters) cluster.startAgent();
    const git = async (...args: readonly string[]): Promise<string> =>
      (await promisify(execFile)("git", ["-C", repositoryFolder, ...args])).stdout.trimEnd();
    const logs = (): Promise<string> => readLogs(join(folder, "logs"));
    return { folder, kubeconfig, repository, repositoryFolder, gitServer, clusters, git, logs, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const LOG_LINES_MAX = 40;

async function readLogs(folder: string): Promise<string> {
  const texts = (await readdir(folder)).toSorted().map(async (name) => {
    const lines = (await readFile(join(folder, name), "utf8")).trimEnd().split("\n");
    return `--- ${name}\n${lines.slice(-LOG_LINES_MAX).join("\n")}`;
  });
  return (await Promise.all(texts)).join("\n");
}

async function readManifests(): Promise<readonly KubernetesObject[]> {
  const folders = (await readdir(join(FIXTURE, "clusters"))).toSorted();
  return Promise.all(
    folders.map(async (name) => {
      if (decodeClusterName(name) === null) throw new FederationError("AG4002", `fixtures/repo holds a folder ${name}`);
      return readObject("clusters", name, "amkocluster.yaml");
    }),
  );
}

/** What AMKO's chart installs beside the AMKOCluster: the two objects on the leader, none on a follower. */
async function objectsOf({ spec }: KubernetesObject): Promise<readonly KubernetesObject[]> {
  if (!isObject(spec) || spec["isLeader"] !== true) return [];
  const folders = ["gslbconfig", "globaldeploymentpolicy"].map(async (folder) => {
    const files = await readdir(join(FIXTURE, "federation", folder));
    return Promise.all(files.map((file) => readObject("federation", folder, file)));
  });
  return (await Promise.all(folders)).flat();
}

async function readObject(...path: readonly string[]): Promise<KubernetesObject> {
  return parse(await readFile(join(FIXTURE, ...path), "utf8")) as KubernetesObject;
}
