import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  request as sendRequest,
} from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** Which requests a rule is about. What is left out matches everything. */
export interface FaultMatch {
  readonly method?: string;
  /** A regular expression over path and query: `service=git-receive-pack`. */
  readonly pathPattern?: string;
  /** Only the nth request that matches the above, from 1. */
  readonly nth?: number;
  /** As `nth`, the first of `count` requests; without `count`, all from there on. */
  readonly from?: number;
  readonly count?: number;
}

export type Fault =
  | { readonly kind: "delay"; readonly ms: number }
  /** Takes the request and never answers. */
  | { readonly kind: "hang" }
  /** Resets the connection; the request never reaches the server. */
  | { readonly kind: "refuse" }
  /** Resets the connection after that many bytes of the answer's body. */
  | { readonly kind: "cut"; readonly afterBytes: number }
  /** Ends the answer after that many bytes as if it were whole. */
  | { readonly kind: "truncate"; readonly afterBytes: number }
  | {
      readonly kind: "status";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** The server does what was asked, and nobody hears of it. */
  | { readonly kind: "lost-answer" }
  /** A sign-in page with status 200, as captive portals and single sign-on give it. */
  | { readonly kind: "html-instead" };

export interface FaultRule {
  readonly match: FaultMatch;
  readonly fault: Fault;
}

export interface ProxiedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** The fault that it met; null when it passed. */
  readonly fault: Fault["kind"] | null;
}

/** A request as an {@link Interceptor} is shown it. */
export interface InterceptedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly body: Buffer;
}

/** Somebody in the way of every request, for what rules cannot say: what a body asks for, or who dies just then. */
export interface Interceptor {
  /** Before the server hears of it. The fault that it meets; null leaves that to the rules. */
  arrived(request: InterceptedRequest): Promise<Fault | null>;
  /** After the server's answer: the client has all that it is to get of it, and nothing yet of one that is lost. */
  answered(request: InterceptedRequest): Promise<void>;
}

export interface FaultProxyOptions {
  /** The server behind: `http://127.0.0.1:1234`. */
  readonly target: string;
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** Added to each way of every exchange: half of a round trip between two sites. */
  readonly delayMs?: number;
}

export interface FaultProxy {
  /** Stands for the target's address: paths behind it are the target's. */
  readonly url: string;
  /** The first rule that matches decides. Counting starts anew. */
  setRules(rules: readonly FaultRule[]): void;
  /** From here on everything passes, but what an interceptor harms. */
  clear(): void;
  /** Takes the place of the interceptor that was there; null takes it away. */
  intercept(interceptor: Interceptor | null): void;
  /** Every request so far, in order of arrival; the newest {@link LOG_MAX_ENTRIES} of them. */
  log(): readonly ProxiedRequest[];
  stop(): Promise<void>;
}

const LOG_MAX_ENTRIES = 10_000;

const SIGN_IN_PAGE = "<!doctype html><title>Sign in</title><p>Please sign in to continue.\n";
/** Headers that speak of one connection, not of the request. */
const HOP_HEADERS = ["connection", "keep-alive", "transfer-encoding", "upgrade"] as const;

/** A reverse proxy on loopback that does harm on demand. Streams both ways, so long watches pass through it too. */
export async function startFaultProxy({ target, port = 0, delayMs = 0 }: FaultProxyOptions): Promise<FaultProxy> {
  let rules: readonly CountedRule[] = [];
  let interceptor: Interceptor | null = null;
  const log: ProxiedRequest[] = [];
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = "", url = "" } = request;
    const watching = interceptor;
    const seen = watching === null ? null : { method, url, body: await buffer(request) };
    const answered = async (): Promise<void> => (seen === null ? undefined : watching?.answered(seen));
    const given = seen === null ? null : ((await watching?.arrived(seen)) ?? null);
    const fault = given ?? chooseFault(rules, request);
    log.push({ method, url, fault: fault?.kind ?? null });
    if (log.length > LOG_MAX_ENTRIES) log.shift();
    await handle({ request, response, body: seen?.body ?? null, target, delayMs, answered }, fault);
  };
  const server = createServer((request, response) => {
    response.on("error", () => response.destroy());
    pass(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((done, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", done);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    setRules: (next) => {
      rules = next.map((rule) => ({ ...rule, seen: 0 }));
    },
    clear: () => {
      rules = [];
    },
    intercept: (next) => {
      interceptor = next;
    },
    log: () => [...log],
    stop: () => stop(server),
  };
}

interface CountedRule extends FaultRule {
  seen: number;
}

function chooseFault(rules: readonly CountedRule[], request: IncomingMessage): Fault | null {
  for (const rule of rules) {
    const { method, pathPattern, nth, from = 1, count = Number.POSITIVE_INFINITY } = rule.match;
    if (method !== undefined && method !== request.method) continue;
    if (pathPattern !== undefined && !new RegExp(pathPattern).test(request.url ?? "")) continue;
    rule.seen += 1;
    const applies = nth === undefined ? rule.seen >= from && rule.seen < from + count : rule.seen === nth;
    if (applies) return rule.fault;
  }
  return null;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Where somebody has read it already. */
  readonly body: Buffer | null;
  readonly target: string;
  readonly delayMs: number;
  answered(): Promise<void>;
}

async function handle(exchange: Exchange, fault: Fault | null): Promise<void> {
  const { request } = exchange;
  switch (fault?.kind) {
    case undefined:
      return await forward(exchange, relay);
    case "delay":
      await sleep(fault.ms);
      return await forward(exchange, relay);
    case "hang":
      return void request.resume();
    case "refuse":
      return void request.socket.resetAndDestroy();
    case "cut":
      return await forward(exchange, (answer) => relayPart(answer, exchange, fault.afterBytes, true));
    case "truncate":
      return await forward(exchange, (answer) => relayPart(answer, exchange, fault.afterBytes, false));
    case "status":
      return answerWith(exchange, fault.status, fault.headers ?? {}, fault.body ?? "");
    case "lost-answer":
      return await forward(exchange, (answer) => swallow(answer, exchange));
    case "html-instead":
      return answerWith(exchange, 200, { "content-type": "text/html" }, SIGN_IN_PAGE);
    default:
      fault satisfies never;
  }
}

type Deliver = (answer: IncomingMessage, exchange: Exchange) => Promise<void>;

/** Sends the request on as it comes, and hands the answer to `deliver` as soon as it starts. */
async function forward(exchange: Exchange, deliver: Deliver): Promise<void> {
  const { request, response, body, target, delayMs } = exchange;
  if (delayMs > 0) await sleep(delayMs);
  const { host, ...headers } = withoutHopHeaders(request.headers);
  const outgoing = sendRequest(new URL(request.url ?? "/", target), { method: request.method, headers });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
  });
  // A watch lasts until its client leaves, and must end at the server then.
  response.once("close", () => outgoing.destroy());
  outgoing.on("error", () => response.destroy());
  if (body === null) request.pipe(outgoing);
  else outgoing.end(body);
  const answer = await answered;
  if (delayMs > 0) await sleep(delayMs);
  await deliver(answer, exchange);
}

async function relay(answer: IncomingMessage, { response, answered }: Exchange): Promise<void> {
  response.writeHead(answer.statusCode ?? 502, withoutHopHeaders(answer.headers));
  response.flushHeaders();
  await pipeline(answer, response);
  await answered();
}

async function relayPart(
  answer: IncomingMessage,
  { response, answered }: Exchange,
  afterBytes: number,
  reset: boolean,
): Promise<void> {
  const { "content-length": _, ...headers } = withoutHopHeaders(answer.headers);
  response.writeHead(answer.statusCode ?? 502, headers);
  response.flushHeaders();
  let left = afterBytes;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    if (left > 0) await write(response, chunk.subarray(0, left));
    left -= chunk.length;
    if (left <= 0) break;
  }
  if (reset) response.socket?.resetAndDestroy();
  else response.end();
  await answered();
}

/** Resolves when the bytes have left for the network, so that a reset right behind them does not overtake them. */
function write(response: ServerResponse, bytes: Uint8Array): Promise<void> {
  return new Promise((done) => {
    response.write(bytes, () => done());
  });
}

async function swallow(answer: IncomingMessage, { response, answered }: Exchange): Promise<void> {
  for await (const _ of answer);
  await answered();
  response.socket?.resetAndDestroy();
}

function answerWith(
  { request, response }: Exchange,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): void {
  request.resume();
  response.writeHead(status, { "content-type": "text/plain", ...headers });
  response.end(body);
}

function withoutHopHeaders<Headers extends IncomingMessage["headers"]>(headers: Headers): Headers {
  const kept = { ...headers };
  for (const name of HOP_HEADERS) delete kept[name];
  return kept;
}

async function stop(server: Server): Promise<void> {
  const closed = new Promise<void>((done) => {
    server.close(() => done());
  });
  server.closeAllConnections();
  await closed;
}
