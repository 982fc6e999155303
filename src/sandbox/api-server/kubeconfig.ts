import { writeFile } from "node:fs/promises";
import { stringify } from "yaml";
import { NAMESPACE } from "../../core/model.ts";

export interface KubeconfigCluster {
  /** The context's name, as given. */
  readonly context: string;
  readonly url: string;
  /** Used by the agent's client; kubectl sends no token over plain HTTP. */
  readonly token?: string;
}

/** Writes a kubeconfig with one context per cluster; the first is the current one. Only its owner may read it. */
export async function writeKubeconfig(path: string, clusters: readonly KubeconfigCluster[]): Promise<void> {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": clusters[0]?.context ?? "",
    clusters: clusters.map(({ context, url }) => ({ name: context, cluster: { server: url } })),
    users: clusters.map(({ context, token }) => ({ name: context, user: token === undefined ? {} : { token } })),
    contexts: clusters.map(({ context }) => ({
      name: context,
      context: { cluster: context, user: context, namespace: NAMESPACE },
    })),
  };
  await writeFile(path, stringify(config), { mode: 0o600 });
}
