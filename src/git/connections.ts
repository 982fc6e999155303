import { Agent as PlainAgent } from "node:http";
import { Agent as SecureAgent } from "node:https";
import { getCACertificates } from "node:tls";

/** Idle connections that are kept for the next poll. */
const IDLE_SOCKETS_MAX = 4;

export interface ConnectionSettings {
  readonly url: string;
  readonly proxyEnv: Readonly<Record<string, string | undefined>>;
}

/** One agent as long as the mounted certificates stay the same. It keeps connections for the next request. */
export function createAgents({
  url,
  proxyEnv,
}: ConnectionSettings): (certificates: string | null) => PlainAgent | SecureAgent {
  const { protocol, hostname } = new URL(url);
  // As in Go and curl, what runs on this machine is never reached through a proxy.
  const options = {
    keepAlive: true,
    maxFreeSockets: IDLE_SOCKETS_MAX,
    ...(isLoopback(hostname) ? {} : { proxyEnv: { ...proxyEnv } }),
  };
  let current: { readonly certificates: string | null; readonly agent: PlainAgent | SecureAgent } | null = null;
  return (certificates) => {
    if (current !== null && current.certificates === certificates) return current.agent;
    current?.agent.destroy();
    const trusted = certificates === null ? {} : { ca: [...getCACertificates("default"), certificates] };
    const agent = protocol === "https:" ? new SecureAgent({ ...options, ...trusted }) : new PlainAgent(options);
    current = { certificates, agent };
    return agent;
  };
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}
