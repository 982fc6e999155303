import { type ClientRequest, type Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { RequestContext } from "@kubernetes/client-node/dist/gen/http/http.js";
import type { ErrorCode } from "../core/catalogue.ts";
import { FederationError } from "../errors.ts";
import type { ProxyEnvironment } from "../proxy.ts";
import { createAgents } from "./connections.ts";
import { type Credentials, createCredentialSource } from "./credentials.ts";
import type { Connection } from "./kubeconfig.ts";
import { describeSubject, type RequestSubject, refusal } from "./refusal.ts";

/** One request that was answered or failed. */
export interface RequestObservation {
  readonly verb: RequestSubject["verb"];
  readonly kind: string;
  /** Null when no answer came, as the Date header below, which may be missing too. */
  readonly status: number | null;
  readonly date: string | null;
  /** For a watch, until the answer's headers. */
  readonly durationMs: number;
  /** Why it failed; null when it did not, and when the caller gave it up. */
  readonly error: ErrorCode | null;
}

/**
 * Sends what the client library's request factories made; whatever is not success is thrown.
 * Both methods throw FederationError as {@link refusal} and {@link explain} say, or the signal's own reason.
 */
export interface Transport {
  /** Returns the whole body. One deadline stands over credentials, connection, headers and body. */
  send(context: RequestContext, subject: RequestSubject, signal: AbortSignal): Promise<string>;
  /** Returns the body as it comes, to be read to its end or until the signal aborts. The deadline ends at the headers. */
  open(context: RequestContext, subject: RequestSubject, signal: AbortSignal): Promise<AsyncIterable<Buffer>>;
}

export interface TransportSettings {
  readonly connection: Connection;
  readonly timeoutMs: number;
  readonly nowMs: () => number;
  readonly onRequest: (observation: RequestObservation) => void;
  /** Where a proxy is looked up, in the usual variables. */
  readonly env: ProxyEnvironment;
}

/** Far above any list of AMKO's objects (etcd keeps an object under 1.5 MiB), far below what would hurt. */
const ANSWER_SIZE_MAX_BYTES = 32 * 1024 * 1024;
/** Every kept connection may have died in silence, and one list per kind is kept. */
const SENDS_MAX = 4;

/** The http library under the client: what that one lacks are time limits, cancelling, and connections that are kept. */
export function createTransport(settings: TransportSettings): Transport {
  const { connection, timeoutMs, nowMs, onRequest } = settings;
  const source = createCredentialSource(connection);
  const agentFor = createAgents(settings);

  async function answer(context: RequestContext, signal: AbortSignal): Promise<IncomingMessage> {
    const credentials = await orAbort(source.read(), signal);
    const agent = agentFor(credentials.tls);
    for (let sends = 1; ; sends += 1) {
      const outgoing = start(context, credentials, agent, signal);
      try {
        return await responseTo(outgoing);
      } catch (error) {
        if (sends === SENDS_MAX || signal.aborted || !lostKeptConnection(outgoing, error)) throw error;
      }
    }
  }

  async function exchange<T>(
    request: { readonly context: RequestContext; readonly subject: RequestSubject; readonly limits: Limits },
    use: (response: IncomingMessage) => Promise<T>,
  ): Promise<T> {
    const { context, subject, limits } = request;
    const startedAtMs = nowMs();
    let answered: Pick<RequestObservation, "status" | "date"> = { status: null, date: null };
    let failure: ErrorCode | null = null;
    try {
      const response = await answer(context, limits.signal);
      const { statusCode: status = null, headers } = response;
      answered = { status, date: headers.date ?? null };
      if (status !== null && status >= 200 && status <= 299) return await use(response);
      throw refusal({ status, headers, text: await readText(response), subject });
    } catch (error) {
      limits.release();
      const explained = explain(error, { signal: limits.signal, subject, server: connection.server });
      failure = explained instanceof FederationError ? explained.code : null;
      if (answered.status === 401) source.forget();
      throw explained;
    } finally {
      const { verb, kind } = subject;
      onRequest({ verb, kind, ...answered, durationMs: nowMs() - startedAtMs, error: failure });
    }
  }

  const limitsFor = (subject: RequestSubject, signal: AbortSignal) =>
    limit(signal, timeoutMs, () => source.lateness(timeoutMs) ?? tooSlow(subject, connection.server, timeoutMs));

  return {
    send: (context, subject, signal) => {
      const limits = limitsFor(subject, signal);
      return exchange({ context, subject, limits }, async (response) => {
        const text = await readText(response);
        limits.release();
        return text;
      });
    },
    open: (context, subject, signal) => {
      const limits = limitsFor(subject, signal);
      return exchange({ context, subject, limits }, async (response) => {
        limits.endDeadline();
        response.once("close", limits.release);
        return chunksOf(response, { signal: limits.signal, subject, server: connection.server });
      });
    },
  };
}

interface Limits {
  readonly signal: AbortSignal;
  endDeadline(): void;
  /** Takes everything off the caller's signal again, which may live for months. */
  release(): void;
}

function limit(signal: AbortSignal, timeoutMs: number, lateness: () => FederationError): Limits {
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal.reason);
  const deadline = setTimeout(() => controller.abort(lateness()), timeoutMs);
  const endDeadline = () => clearTimeout(deadline);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return {
    signal: controller.signal,
    endDeadline,
    release: () => {
      endDeadline();
      signal.removeEventListener("abort", onAbort);
    },
  };
}

function start(
  context: RequestContext,
  credentials: Credentials,
  agent: HttpAgent,
  signal: AbortSignal,
): ClientRequest {
  const url = new URL(context.getUrl());
  const body = context.getBody();
  const outgoing = (url.protocol === "https:" ? httpsRequest : httpRequest)(url, {
    method: context.getHttpMethod(),
    headers: {
      ...context.getHeaders(),
      ...credentials.headers,
      "User-Agent": "amko-gitops",
      // Node frames the body of a DELETE only when it is told how long it is.
      ...(typeof body === "string" ? { "Content-Length": Buffer.byteLength(body) } : {}),
    },
    agent,
    signal,
  });
  return typeof body === "string" ? outgoing.end(body) : outgoing.end();
}

function responseTo(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once("response", resolve);
    // Stays for the life of the request: an error after the response is the reader's, who sees it on the body.
    outgoing.on("error", reject);
  });
}

/**
 * A kept connection that the server closed at the very moment of use. Sending again is safe for every request of
 * this adapter: each write carries the version that it replaces, so a second arrival is refused as a conflict; a
 * nudge carries none, and says the same when it arrives twice.
 */
function lostKeptConnection(outgoing: ClientRequest, error: unknown): boolean {
  return outgoing.reusedSocket && ["ECONNRESET", "EPIPE"].includes(codeOf(error) ?? "");
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > ANSWER_SIZE_MAX_BYTES) {
      throw new FederationError("AG3014", `The API server's answer is larger than ${ANSWER_SIZE_MAX_BYTES} bytes.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

interface Circumstances {
  readonly signal: AbortSignal;
  readonly subject: RequestSubject;
  readonly server: string;
}

async function* chunksOf(response: IncomingMessage, circumstances: Circumstances): AsyncGenerator<Buffer> {
  try {
    yield* response as AsyncIterable<Buffer>;
  } catch (error) {
    throw explain(error, circumstances);
  }
}

/** Whatever Node threw, in the product's words: the signal's reason first, since an abort shows as a dozen errors. */
function explain(error: unknown, { signal, subject, server }: Circumstances): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof FederationError) return error;
  const code = codeOf(error);
  if (code === null)
    return new FederationError("AG9001", `A request failed: ${describeSubject(subject)}.`, { cause: error });
  if (code.startsWith("HPE_")) {
    return new FederationError("AG3014", `What answers at ${server} speaks no HTTP (${code}).`, { cause: error });
  }
  return new FederationError("AG3001", `${server} cannot be reached to ${describeSubject(subject)} (${code}).`, {
    cause: error,
  });
}

function tooSlow(subject: RequestSubject, server: string, timeoutMs: number): FederationError {
  return new FederationError("AG3006", `${server} took longer than ${timeoutMs} ms to ${describeSubject(subject)}.`);
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}

function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
