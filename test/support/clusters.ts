import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { writeKubeconfig } from "../../src/sandbox/api-server/kubeconfig.ts";
import { TEST_CLUSTERS } from "../kube/environment.ts";
import { startKubeClusters } from "./kube-clusters.ts";
import { connectObjects, type ObjectClient } from "./object-client.ts";
import { PROJECT, type ServerProcess, startServer } from "./process.ts";

/** A Kubernetes cluster with AMKO's CRDs and an empty namespace avi-system, as the end-to-end tests see it. */
export interface TestCluster {
  /** The name of its context. */
  readonly name: string;
  /** Its API over plain HTTP. A real cluster puts something in front of its TLS. */
  readonly url: string;
  /** What lets the cluster's agent in. A real cluster grants it what the Role in `deploy/` says, and no more. */
  readonly token: string;
  /** An administrator's. */
  readonly objects: ObjectClient;
  /** Ends the API server as a loss of power would. What it acknowledged is kept. */
  crash(): Promise<void>;
  /** Starts it again, at the same address. */
  restart(): Promise<void>;
}

/** The clusters of one test file. The only place that knows what they are made of: {@link startClusters}. */
export interface TestClusters {
  /** One context per cluster, straight to it. */
  readonly kubeconfig: string;
  readonly clusters: readonly TestCluster[];
  stop(): Promise<void>;
}

export type StartClusters = (names: readonly string[], folder: string) => Promise<TestClusters>;

/** Starts a cluster for each name and keeps everything of theirs in the folder. */
export const startClusters: StartClusters =
  process.env[TEST_CLUSTERS] === "kube" ? startKubeClusters : startEmbeddedClusters;

const API_SERVER = join(PROJECT, "src/sandbox/api-server/main.ts");
const CRDS = join(PROJECT, "deploy/crds");
const TOKEN_BYTES = 16;

/** Each API server in a process of its own, its storage on disk. */
async function startEmbeddedClusters(names: readonly string[], folder: string): Promise<TestClusters> {
  const started = await Promise.all(names.map((name, index) => startEmbedded(name, join(folder, `etcd-${index}`))));
  const kubeconfig = join(folder, "kubeconfig");
  await writeKubeconfig(
    kubeconfig,
    // kubectl sends no token over plain HTTP, and needs none from these servers.
    started.map(({ cluster: { name, url } }) => ({ context: name, url })),
  );
  return {
    kubeconfig,
    clusters: started.map(({ cluster }) => cluster),
    stop: async () => void (await Promise.all(started.map(({ stop }) => stop()))),
  };
}

async function startEmbedded(
  name: string,
  storage: string,
): Promise<{ readonly cluster: TestCluster; stop(): Promise<void> }> {
  const token = randomBytes(TOKEN_BYTES).toString("hex");
  const start = (port: string): Promise<ServerProcess> =>
    startServer([API_SERVER, "--name", name, "--port", port, "--storage", storage, "--crds", CRDS]);
  let server: ServerProcess | null = await start("0");
  const { url } = server;
  const crash = async (): Promise<void> => {
    const running = server;
    server = null;
    await running?.kill();
  };
  const restart = async (): Promise<void> => {
    server ??= await start(new URL(url).port);
  };
  return { cluster: { name, url, token, objects: connectObjects(url, token), crash, restart }, stop: crash };
}
