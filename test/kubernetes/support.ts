import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { ResourceVersion, Uid } from "../../src/core/model.ts";
import { type ClusterSettings, openCluster } from "../../src/kubernetes/cluster.ts";
import type { Connection } from "../../src/kubernetes/kubeconfig.ts";
import type { RequestObservation } from "../../src/kubernetes/transport.ts";
import type { Chance, Clock, Cluster, Log } from "../../src/ports.ts";

/** One request that a scripted server received. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

export type Script = (request: Received, response: ServerResponse) => void;

export interface ScriptedServer {
  readonly url: string;
  readonly received: readonly Received[];
  /** TCP connections that clients made so far. */
  connections(): number;
  /** Cuts every connection, also those in the middle of an answer. */
  cutAll(): void;
}

/** A server that does exactly what a test says; it is gone when the test is over. */
export async function startScriptedServer(script: Script, tls?: ServerOptions): Promise<ScriptedServer> {
  const received: Received[] = [];
  let connections = 0;
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString("utf8");
    const url = new URL(request.url ?? "/", "http://server");
    const seen: Received = {
      method: request.method ?? "",
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: text === "" ? null : JSON.parse(text),
    };
    received.push(seen);
    script(seen, response);
  };
  const server = tls === undefined ? createServer(serve) : createSecureServer(tls, serve);
  server.on("connection", () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    received,
    connections: () => connections,
    cutAll: () => server.closeAllConnections(),
  };
}

export function answerJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

/** A Status as API servers send it. */
export function status(code: number, reason: string, more: Readonly<Record<string, unknown>> = {}): object {
  return {
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    code,
    reason,
    message: `the server says ${reason}`,
    ...more,
  };
}

export function list(items: readonly object[], version = "100", next?: string): object {
  return { kind: "List", apiVersion: "v1", metadata: { resourceVersion: version, continue: next }, items };
}

export function item(name: string, version: string, spec: object = {}): object {
  return { metadata: { name, uid: `uid-of-${name}`, resourceVersion: version }, spec };
}

export const uid = (value: string) => value as Uid;
export const version = (value: string) => value as ResourceVersion;

/** A connection without credentials or TLS, to be varied. */
export function plainConnection(server: string, user: Partial<Connection["user"]> = {}): Connection {
  return {
    context: "test",
    server,
    tls: { ca: null, clientCertificate: null, clientKey: null, serverName: null, insecure: false },
    proxyUrl: null,
    user: { token: null, basic: null, impersonation: {}, plugin: null, ...user },
  };
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Opened {
  readonly cluster: Cluster;
  readonly observed: readonly RequestObservation[];
  readonly lines: readonly LogLine[];
}

export function open(url: string, settings: Partial<ClusterSettings> = {}): Opened {
  const observed: RequestObservation[] = [];
  const lines: LogLine[] = [];
  const log: Log = (level, message, fields = {}) => lines.push({ level, message, fields });
  const cluster = openCluster({
    connection: plainConnection(url),
    timeoutMs: 10_000,
    clock: systemClock(),
    chance: fixedChance(),
    log,
    onRequest: (observation) => observed.push(observation),
    ...settings,
  });
  return { cluster, observed, lines };
}

export function fixedChance(): Chance {
  let tokens = 0;
  return {
    fraction: () => 0.5,
    token: () => {
      tokens += 1;
      return String(tokens).padStart(32, "0");
    },
  };
}

export function systemClock(): Clock {
  return { nowMs: () => Date.now(), elapsedMs: () => performance.now(), sleep };
}

function sleep(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, durationMs);
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
  });
}

const START_MS = 1_800_000_000_000;

/** A clock that stands still until a test moves it; it knows who sleeps and for how long. */
export class ManualClock implements Clock {
  #nowMs = START_MS;
  #setByMs = 0;
  readonly #sleepers = new Set<{ readonly untilMs: number; readonly wake: () => void }>();
  /** Every duration that was asked for, in order. */
  readonly asked: number[] = [];

  nowMs(): number {
    return this.#nowMs + this.#setByMs;
  }

  /** Somebody sets it ahead, or back: no time goes by. */
  set(byMs: number): void {
    this.#setByMs += byMs;
  }

  elapsedMs(): number {
    return this.#nowMs - START_MS;
  }

  sleep(durationMs: number, signal: AbortSignal): Promise<void> {
    this.asked.push(durationMs);
    if (signal.aborted || durationMs <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper = { untilMs: this.#nowMs + durationMs, wake: () => end() };
      const end = () => {
        this.#sleepers.delete(sleeper);
        signal.removeEventListener("abort", end);
        resolve();
      };
      this.#sleepers.add(sleeper);
      signal.addEventListener("abort", end, { once: true });
    });
  }

  advance(durationMs: number): void {
    this.#nowMs += durationMs;
    for (const sleeper of [...this.#sleepers]) if (sleeper.untilMs <= this.#nowMs) sleeper.wake();
  }
}

const POLL_MS = 2;

/** Waits until `holds`; the test's own time limit is the only one. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

export const never = new AbortController().signal;
