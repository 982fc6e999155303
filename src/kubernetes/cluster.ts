import type { Chance, Clock, Cluster, Log } from "../ports.ts";
import { createApi } from "./api.ts";
import { createConfigMap } from "./config-map.ts";
import { createEventRecorder } from "./events.ts";
import { type Connection, type ConnectionChoice, findConnection } from "./kubeconfig.ts";
import { createNamespaceReader } from "./namespace.ts";
import { createObjects } from "./objects.ts";
import { createSecretReader } from "./secret.ts";
import { createTransport, type RequestObservation } from "./transport.ts";
import { createWatch } from "./watch.ts";
import { createWorkloadReader } from "./workload.ts";

export interface ClusterSettings {
  /** Which kubeconfig and context, by kubectl's rules; or a connection that was found already. */
  readonly connection: ConnectionChoice | Connection;
  /** `--kube-timeout`: over connection, headers and body of every request but a watch. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
  /** Where a proxy is looked up, in the usual variables; the process's own where it is not given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Sees every request that was answered or failed, for metrics and tests. */
  readonly onRequest?: (observation: RequestObservation) => void;
}

/**
 * Opens a cluster. Reads the kubeconfig, once; sends nothing yet, so that an agent can start before its API server.
 * @throws FederationError AG4005 when the kubeconfig cannot be used.
 */
export function openCluster({
  connection: choice,
  timeoutMs,
  clock,
  chance,
  log,
  env,
  onRequest,
}: ClusterSettings): Cluster {
  const connection = "server" in choice ? choice : findConnection(choice);
  const transport = createTransport({
    connection,
    timeoutMs,
    nowMs: () => clock.nowMs(),
    onRequest: onRequest ?? (() => undefined),
    env: env ?? process.env,
  });
  const api = createApi(connection.server, transport);
  return {
    ...createObjects(api),
    ...createNamespaceReader(api),
    ...createConfigMap(api),
    ...createWorkloadReader(api),
    ...createSecretReader(api),
    ...createEventRecorder(api, clock, chance),
    ...createWatch(api, { clock, chance, log }),
  };
}
