import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { asFederationError, FederationError } from "../errors.ts";
import type { Log } from "../ports.ts";
import { parseListen } from "./listen.ts";

/** What the probes are told. */
export interface Health {
  /** False asks kubelet for a restart: only what a restart can mend belongs here. */
  readonly live: boolean;
  readonly ready: boolean;
  /** The cause, and whatever else helps; shown as it is. */
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface RouteRequest {
  readonly method: string;
  readonly headers: IncomingMessage["headers"];
  /** Empty unless the route reads bodies. */
  readonly body: Buffer;
}

export interface RouteReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** Beside those that every answer has. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** One path of the server. A GET route answers HEAD too. */
export interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Longer bodies are refused with 413; 0 reads none. */
  readonly bodyMaxBytes: number;
  respond(request: RouteRequest): RouteReply | Promise<RouteReply>;
}

export interface HealthServerSettings {
  /** `:8080`, `127.0.0.1:0`, `[::1]:8080`; port 0 takes a free one. */
  readonly listen: string;
  health(): Health;
  readonly log: Log;
  /** Beside `/healthz` and `/readyz`. */
  readonly routes?: readonly Route[];
}

export interface HealthServer {
  /** Where it listens; with the port that was taken. */
  readonly address: { readonly host: string; readonly port: number };
  /** Stops listening, lets running answers end for a moment, then cuts them off. */
  close(): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 10_000;
const HEADERS_TIMEOUT_MS = 5_000;
/** Node looks at both only so often, each half minute unless it is told. */
const TIMEOUT_CHECK_INTERVAL_MS = 1_000;
const IDLE_CONNECTION_MAX_MS = 5_000;
const HEADERS_SIZE_MAX_BYTES = 16 * 1024;
const CONNECTIONS_MAX = 64;
const CLOSE_GRACE_MS = 1_000;

/** Serves the probes, and whatever other routes it is given. @throws FederationError AG4002 when it cannot listen. */
export async function startHealthServer({
  listen,
  health,
  log,
  routes = [],
}: HealthServerSettings): Promise<HealthServer> {
  const table = routeTable([...healthRoutes(health), ...routes]);
  const server = createServer(
    {
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
      keepAliveTimeout: IDLE_CONNECTION_MAX_MS,
      maxHeaderSize: HEADERS_SIZE_MAX_BYTES,
    },
    (request, response) => {
      answer(table, request, log).then(
        (reply) => send(reply, request, response),
        (error: unknown) => {
          log("debug", "a request ended before it was answered", { error });
          response.destroy();
        },
      );
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  await listenOn(server, listen);
  const { address: host, port } = server.address() as AddressInfo;
  return { address: { host, port }, close: () => close(server) };
}

function healthRoutes(health: () => Health): readonly Route[] {
  const route = (path: string, holds: (state: Health) => boolean): Route => ({
    method: "GET",
    path,
    bodyMaxBytes: 0,
    respond: () => {
      const state = health();
      return jsonReply(holds(state) ? 200 : 503, { ok: holds(state), ...state.detail });
    },
  });
  return [route("/healthz", (state) => state.live), route("/readyz", (state) => state.ready)];
}

type RouteTable = ReadonlyMap<string, readonly Route[]>;

function routeTable(routes: readonly Route[]): RouteTable {
  return Map.groupBy(routes, (route) => route.path);
}

async function answer(table: RouteTable, request: IncomingMessage, log: Log): Promise<RouteReply> {
  const path = (request.url ?? "").split("?", 1)[0] ?? "";
  const routes = table.get(path);
  if (routes === undefined) return jsonReply(404, { error: "not found" });
  const method = request.method === "HEAD" ? "GET" : request.method;
  const route = routes.find((candidate) => candidate.method === method);
  if (route === undefined) {
    const allowed = routes.flatMap((candidate) => (candidate.method === "GET" ? ["GET", "HEAD"] : [candidate.method]));
    return { ...jsonReply(405, { error: "method not allowed" }), headers: { Allow: allowed.join(", ") } };
  }
  const body = await readBody(request, route.bodyMaxBytes);
  if (body === null) return { ...jsonReply(413, { error: "body too large" }), headers: { Connection: "close" } };
  try {
    return await route.respond({ method: route.method, headers: request.headers, body });
  } catch (error) {
    log("error", "a route failed", { path, error: asFederationError(error) });
    return jsonReply(500, { error: "internal error" });
  }
}

/** Null when the body is longer than allowed; the rest of it is not read. */
async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop must not cut the connection: the refusal is still to be sent on it.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function send(
  { status, contentType, body, headers = {} }: RouteReply,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  response.writeHead(status, {
    "Content-Type": contentType,
    "Content-Length": Buffer.byteLength(body),
    "Cache-Control": "no-store",
    ...headers,
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

export function jsonReply(status: number, value: unknown): RouteReply {
  return { status, contentType: "application/json", body: `${JSON.stringify(value)}\n` };
}

async function listenOn(server: Server, listen: string): Promise<void> {
  const address = parseListen(listen);
  if (address === null) throw new FederationError("AG4002", `--listen ${listen} is no [host]:port.`);
  const { host, port } = address;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(host === null ? { port } : { host, port }, resolve);
  try {
    await promise;
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
    throw new FederationError("AG4002", `--listen ${listen}: the address cannot be used (${reason}).`, {
      cause: error,
    });
  } finally {
    server.off("error", reject);
  }
}

async function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
  await promise;
  clearTimeout(cut);
}
