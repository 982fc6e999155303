import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { isIP } from "node:net";
import type { Credentials } from "./credentials.ts";
import type { Connection } from "./kubeconfig.ts";

/** Where a proxy is looked up, in the usual variables. */
type Environment = Readonly<Record<string, string | undefined>>;

/** Sockets without a request are closed after this; Node closes them sooner where the server announces it. */
const IDLE_CONNECTION_MAX_MS = 60_000;
/** How long a connection is silent before TCP asks whether the other end is still there. */
const TCP_PROBE_AFTER_MS = 30_000;
const IDLE_CONNECTIONS_MAX = 8;

/** One pool of connections for as long as the certificates stay the same; a new one when they were rotated. */
export function createAgents(connection: Connection, env: Environment): (material: Credentials["tls"]) => HttpAgent {
  let current: { readonly material: Credentials["tls"]; readonly agent: HttpAgent } | null = null;
  return (material) => {
    if (current === null || !sameMaterial(current.material, material)) {
      // The old pool is left to its requests: they end by themselves, and its idle sockets close after a while.
      current = { material, agent: createAgent(connection, material, env) };
    }
    return current.agent;
  };
}

function createAgent(
  { server, tls, proxyUrl }: Connection,
  { ca, cert, key }: Credentials["tls"],
  env: Environment,
): HttpAgent {
  const pool = {
    keepAlive: true,
    keepAliveMsecs: TCP_PROBE_AFTER_MS,
    timeout: IDLE_CONNECTION_MAX_MS,
    maxFreeSockets: IDLE_CONNECTIONS_MAX,
    proxyEnv: proxyEnvironment(new URL(server).hostname, proxyUrl, env),
  };
  if (!server.startsWith("https:")) return new HttpAgent(pool);
  return new HttpsAgent({
    ...pool,
    ...(ca === null ? {} : { ca }),
    ...(cert === null ? {} : { cert }),
    ...(key === null ? {} : { key }),
    ...(tls.serverName === null ? {} : { servername: tls.serverName }),
    rejectUnauthorized: !tls.insecure,
  });
}

const PROXY_VARIABLES = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"] as const;

/** As kubectl: the kubeconfig's proxy, else the environment's, but never for the machine itself. */
function proxyEnvironment(hostname: string, proxyUrl: string | null, env: Environment): Record<string, string> {
  if (proxyUrl !== null) return { HTTP_PROXY: proxyUrl, HTTPS_PROXY: proxyUrl };
  if (isLoopback(hostname)) return {};
  return Object.fromEntries(
    PROXY_VARIABLES.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || (isIP(hostname) === 4 && hostname.startsWith("127."));
}

function sameMaterial(left: Credentials["tls"], right: Credentials["tls"]): boolean {
  return (["ca", "cert", "key"] as const).every((field) => String(left[field]) === String(right[field]));
}
