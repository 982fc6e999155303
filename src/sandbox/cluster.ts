import { join } from "node:path";
import { isObject } from "../core/json.ts";
import type { Json, KubernetesObject } from "../core/model.ts";
import { type AgentProcess, startAgentProcess } from "./agent-process.ts";
import { type ApiServer, startApiServer } from "./api-server/server.ts";
import { type ClusterClient, connect } from "./cluster-client.ts";

/** One cluster of the sandbox: an API server with AMKO's CRDs, and an agent beside it. */
export interface SandboxCluster {
  /** The context's name, also in the kubeconfig. */
  readonly name: string;
  readonly url: string;
  readonly client: ClusterClient;
  /** The name of the cluster's AMKOCluster, as its chart would have installed it. */
  readonly amkoCluster: string;
  /** Starts the agent, where it is not running. */
  startAgent(): void;
  /** Takes the agent and the API server away; `abruptly` as a disaster would. */
  powerOff(how: { readonly abruptly: boolean }): Promise<void>;
  /** Brings both back, with everything that was stored. */
  powerOn(): Promise<void>;
}

export interface ClusterOptions {
  readonly manifest: KubernetesObject;
  /** What the cluster holds at first, beside its AMKOCluster. */
  readonly objects: readonly KubernetesObject[];
  readonly definitions: readonly Json[];
  readonly folder: string;
  /** Of the agent; its context is added. */
  readonly flags: Readonly<Record<string, string>>;
}

export async function startCluster({
  manifest,
  objects,
  definitions,
  folder,
  flags,
}: ClusterOptions): Promise<SandboxCluster> {
  const name = isObject(manifest.spec) ? String(manifest.spec["clusterContext"]) : "";
  const storageFile = join(folder, `etcd-${encodeURIComponent(name)}`);
  const start = (port: number): Promise<ApiServer> => startApiServer({ name, port, definitions, storageFile });
  let server: ApiServer | null = await start(0);
  let agent: AgentProcess | null = null;
  const { url, port } = server;
  const client = connect(url);
  for (const object of [manifest, ...objects]) await client.create(object);
  const startAgent = (): void => {
    agent ??= startAgentProcess({
      flags: { context: name, ...flags },
      logFile: join(folder, "logs", `${encodeURIComponent(name)}.log`),
    });
  };
  return {
    name,
    url,
    client,
    amkoCluster: manifest.metadata.name,
    startAgent,
    async powerOff({ abruptly }) {
      const [running, serving] = [agent, server];
      agent = null;
      server = null;
      await (abruptly ? running?.kill() : running?.stop());
      await serving?.stop({ abruptly: true });
    },
    async powerOn() {
      server ??= await start(port);
      startAgent();
    },
  };
}

/** One condition of a cluster's AMKOCluster; `Unknown` where it is not there. */
export async function readCondition(
  { client, amkoCluster }: SandboxCluster,
  wanted: string,
): Promise<{ readonly status: string; readonly reason: string }> {
  const object = await client.get("AMKOCluster", amkoCluster);
  const status = isObject(object?.status) ? object.status["conditions"] : undefined;
  const conditions = Array.isArray(status) ? (status as readonly Json[]) : [];
  const found = conditions.filter(isObject).find(({ type }) => type === wanted);
  return { status: String(found?.["status"] ?? "Unknown"), reason: String(found?.["reason"] ?? "") };
}
