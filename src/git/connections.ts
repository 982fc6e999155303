import type { Agent } from "node:http";
import { getCACertificates } from "node:tls";
import { createPool } from "../pool.ts";
import { type ProxyEnvironment, proxyFor } from "../proxy.ts";

/** Sockets without a request are closed after this; servers close them sooner. */
const IDLE_CONNECTION_MAX_MS = 60_000;
/** Idle connections that are kept for the next poll. */
const IDLE_SOCKETS_MAX = 4;

export interface ConnectionSettings {
  readonly url: string;
  readonly timeoutMs: number;
  readonly proxyEnv: ProxyEnvironment;
}

/**
 * One agent as long as the mounted certificates stay the same. It keeps connections for the next request.
 * @throws FederationError AG4002 for a proxy that cannot be used
 */
export function createAgents({ url, timeoutMs, proxyEnv }: ConnectionSettings): (certificates: string | null) => Agent {
  const server = new URL(url);
  const proxy = proxyFor(server, proxyEnv);
  const settings = { server, proxy, tunnelMaxMs: timeoutMs, maxFreeSockets: IDLE_SOCKETS_MAX };
  let current: { readonly certificates: string | null; readonly agent: Agent } | null = null;
  return (certificates) => {
    if (current !== null && current.certificates === certificates) return current.agent;
    const trusted = certificates === null ? {} : { ca: [...getCACertificates("default"), certificates] };
    // The old pool is left to its requests: they end by themselves, and its idle sockets close after a while.
    current = { certificates, agent: createPool(settings, { timeout: IDLE_CONNECTION_MAX_MS, ...trusted }) };
    return current.agent;
  };
}
