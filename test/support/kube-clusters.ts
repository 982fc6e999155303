import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { NAMESPACE } from "../../src/core/model.ts";
import { startKubeApiServer } from "../kube/api-server.ts";
import { KUBE_ETCD_URL, told } from "../kube/environment.ts";
import { openFront } from "../kube/front.ts";
import { installCluster, requestAgentToken } from "../kube/install.ts";
import type { Upstream } from "../kubernetes/gate.ts";
import type { StartClusters, TestCluster } from "./clusters.ts";
import { connectObjects } from "./object-client.ts";

/** Real kube-apiservers, started at once, over the etcd that the run has started. */
export const startKubeClusters: StartClusters = async (names, folder) => {
  const started = await Promise.allSettled(
    names.map((name, index) => startKubeCluster(name, join(folder, `kube-${index}`), told(KUBE_ETCD_URL))),
  );
  const clusters = started.filter((one) => one.status === "fulfilled").map(({ value }) => value);
  const stop = async () => void (await Promise.all(clusters.map((cluster) => cluster.stop())));
  const failed = started.find((one) => one.status === "rejected");
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  const kubeconfig = join(folder, "kubeconfig");
  await writeFile(kubeconfig, stringify(kubeconfigOf(clusters.map(({ context }) => context))), { mode: 0o600 });
  return { kubeconfig, clusters: clusters.map(({ cluster }) => cluster), stop };
};

/** How an administrator reaches it, without anything in between. */
interface Context {
  readonly name: string;
  readonly server: string;
  readonly ca: string;
  readonly token: string;
}

export interface KubeCluster {
  readonly cluster: TestCluster;
  readonly context: Context;
  /** How an administrator of the tests is let in. */
  readonly upstream: Upstream;
  stop(): Promise<void>;
}

/** One real cluster. Its {@link TestCluster.token} is the agent's: that of the ServiceAccount, with the shipped Role. */
export async function startKubeCluster(name: string, folder: string, etcdUrl: string): Promise<KubeCluster> {
  const server = await startKubeApiServer({ folder, etcdUrl });
  const { port, ca, adminToken, upstream, crash, restart } = server;
  const front = await openFront(port, ca);
  const stop = async (): Promise<void> => {
    await crash();
    await front.stop();
  };
  try {
    await installCluster(upstream);
    const token = await requestAgentToken(upstream);
    const objects = connectObjects(front.url, adminToken);
    const context = { name, server: upstream.url, ca, token: adminToken };
    return { cluster: { name, url: front.url, token, objects, crash, restart }, context, upstream, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

export function kubeconfigOf(contexts: readonly Context[]): object {
  return {
    apiVersion: "v1",
    kind: "Config",
    "current-context": contexts[0]?.name ?? "",
    clusters: contexts.map(({ name, server, ca }) => ({
      name,
      cluster: { server, "certificate-authority-data": Buffer.from(ca).toString("base64") },
    })),
    users: contexts.map(({ name, token }) => ({ name, user: { token } })),
    contexts: contexts.map(({ name }) => ({ name, context: { cluster: name, user: name, namespace: NAMESPACE } })),
  };
}
