import type { Agent } from "node:http";
import { createPool } from "../pool.ts";
import { type ProxyEnvironment, proxyFor } from "../proxy.ts";
import type { Credentials } from "./credentials.ts";
import type { Connection } from "./kubeconfig.ts";

/** Sockets without a request are closed after this; Node closes them sooner where the server announces it. */
const IDLE_CONNECTION_MAX_MS = 60_000;
/** How long a connection is silent before TCP asks whether the other end is still there. */
const TCP_PROBE_AFTER_MS = 30_000;
const IDLE_CONNECTIONS_MAX = 8;

export interface ConnectionSettings {
  readonly connection: Connection;
  readonly timeoutMs: number;
  readonly env: ProxyEnvironment;
}

/**
 * One pool of connections for as long as the certificates stay the same; a new one when they were rotated. The proxy
 * is the kubeconfig's, else the environment's.
 * @throws FederationError AG4002 for a proxy that cannot be used
 */
export function createAgents({
  connection: { server, tls, proxyUrl },
  timeoutMs,
  env,
}: ConnectionSettings): (material: Credentials["tls"]) => Agent {
  const url = new URL(server);
  const proxy = proxyUrl ?? proxyFor(url, env);
  const settings = { server: url, proxy, tunnelMaxMs: timeoutMs, maxFreeSockets: IDLE_CONNECTIONS_MAX };
  let current: { readonly material: Credentials["tls"]; readonly agent: Agent } | null = null;
  return (material) => {
    if (current === null || !sameMaterial(current.material, material)) {
      const { ca, cert, key } = material;
      const agent = createPool(settings, {
        keepAliveMsecs: TCP_PROBE_AFTER_MS,
        timeout: IDLE_CONNECTION_MAX_MS,
        ...(ca === null ? {} : { ca }),
        ...(cert === null ? {} : { cert }),
        ...(key === null ? {} : { key }),
        ...(tls.serverName === null ? {} : { servername: tls.serverName }),
        rejectUnauthorized: !tls.insecure,
      });
      // The old pool is left to its requests: they end by themselves, and its idle sockets close after a while.
      current = { material, agent };
    }
    return current.agent;
  };
}

function sameMaterial(left: Credentials["tls"], right: Credentials["tls"]): boolean {
  return (["ca", "cert", "key"] as const).every((field) => String(left[field]) === String(right[field]));
}
