import { type AgentOptions, Agent as PlainAgent } from "node:http";
import { Agent as SecureAgent, type AgentOptions as SecureAgentOptions } from "node:https";
import type { Duplex } from "node:stream";

export interface PoolSettings {
  readonly server: URL;
  /** Null connects directly. */
  readonly proxy: string | null;
  /** How long a tunnel through the proxy, and TLS in it, may take to come about. */
  readonly tunnelMaxMs: number;
  readonly maxFreeSockets: number;
}

/** Connections to one server, which are kept for the next request. */
export function createPool(
  { server, proxy, tunnelMaxMs, maxFreeSockets }: PoolSettings,
  options: SecureAgentOptions,
): PlainAgent {
  const kept: AgentOptions = {
    ...options,
    keepAlive: true,
    maxFreeSockets,
    ...(proxy === null ? {} : { proxyEnv: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy } }),
  };
  if (server.protocol !== "https:") return new PlainAgent(kept);
  return proxy === null ? new SecureAgent(kept) : new TunnelAgent(kept, tunnelMaxMs);
}

/**
 * Ends the connections to the proxy that never became one to the server. Node hands such a socket to nobody until TLS
 * stands: a request that fails, or is given up, before that leaves it open for as long as the proxy likes.
 */
class TunnelAgent extends SecureAgent {
  readonly #tunnelMaxMs: number;

  constructor(options: SecureAgentOptions, tunnelMaxMs: number) {
    super(options);
    this.#tunnelMaxMs = tunnelMaxMs;
  }

  override createConnection(
    options: SecureAgentOptions,
    made?: (error: Error | null, socket: Duplex) => void,
  ): Duplex | null | undefined {
    const toProxy = super.createConnection(options, (error, socket) => {
      clearTimeout(deadline);
      if (error !== null) toProxy?.destroy();
      made?.(error, socket);
    });
    const deadline = setTimeout(() => toProxy?.destroy(), this.#tunnelMaxMs);
    toProxy?.once("close", () => clearTimeout(deadline));
    return toProxy;
  }
}
