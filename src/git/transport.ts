import { type Agent, type IncomingMessage, request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import type { ErrorCode } from "../core/catalogue.ts";
import { asFederationError, FederationError } from "../errors.ts";
import type { ProxyEnvironment } from "../proxy.ts";
import { createAgents } from "./connections.ts";
import { type AskCredentials, type CredentialSource, createCredentialSource } from "./credential-source.ts";
import type { Credentials } from "./credentials.ts";
import { type RawAnswer, refusal } from "./refusal.ts";

export type GitService = "git-upload-pack" | "git-receive-pack";

/** What a request is for: asking what a server can, where its refs are, for objects, or pushing. */
export type GitOperation = "greet" | "list" | "fetch" | "push";

export interface GitRequest {
  readonly operation: GitOperation;
  readonly method: "GET" | "POST";
  readonly service: GitService;
  /** Sent as the Git-Protocol header; null sends none. */
  readonly protocol: "version=2" | null;
  /** Null on GET. */
  readonly body: Uint8Array | null;
  readonly answerMaxBytes: number;
}

export interface GitAnswer {
  /** The whole body of an answer with status 200 and the service's own content type. */
  readonly bytes: Uint8Array;
  /** To be kept out of whatever is quoted from the answer. */
  readonly secrets: readonly string[];
}

/** What one request cost, for metrics. */
export interface RequestReport {
  readonly operation: GitOperation;
  readonly method: "GET" | "POST";
  readonly service: GitService;
  /** Null when there was no answer. */
  readonly status: number | null;
  /** Of both bodies together. */
  readonly bytes: number;
  readonly durationMs: number;
  /** Why it failed; null when it did not, and when the caller gave it up. */
  readonly error: ErrorCode | null;
}

export interface TransportSettings {
  readonly url: string;
  readonly credentialsDirectory: string | null;
  /** Asked once where a server wants credentials and no directory is given. */
  readonly askCredentials: AskCredentials | null;
  readonly timeoutMs: number;
  readonly nowMs: () => number;
  readonly proxyEnv: ProxyEnvironment;
  readonly onRequest: (report: RequestReport) => void;
}

export interface Transport {
  /**
   * Sends one request and returns its whole answer, or fails within the time limit.
   * @throws FederationError AG2001, AG2002, AG2006, AG2008, AG2009, AG2010, AG2013, AG4004; the signal's reason when the
   * caller aborted.
   */
  send(request: GitRequest, signal: AbortSignal): Promise<GitAnswer>;
}

/** An error page is read for its words only. */
const ERROR_BODY_MAX_BYTES = 16 * 1024;

export function openTransport(settings: TransportSettings): Transport {
  const agentFor = createAgents(settings);
  const source = createCredentialSource({
    url: settings.url,
    directory: settings.credentialsDirectory,
    ask: settings.askCredentials,
  });
  return {
    async send(request, signal) {
      signal.throwIfAborted();
      const startedMs = settings.nowMs();
      const progress: Progress = { status: null, bytes: request.body?.length ?? 0, error: null };
      const exchangeWith = (credentials: Credentials) =>
        exchangeWithRetry(
          { settings, request, credentials, agent: agentFor(credentials.certificates), progress },
          signal,
        );
      try {
        const { answer, credentials } = await exchangeAsSomebody(source, exchangeWith, signal);
        return { bytes: judge(answer, settings, request, credentials), secrets: credentials.secrets };
      } catch (error) {
        if (!signal.aborted) progress.error = asFederationError(error).code;
        throw error;
      } finally {
        const { operation, method, service } = request;
        settings.onRequest({ operation, method, service, ...progress, durationMs: settings.nowMs() - startedMs });
      }
    },
  };
}

/** With the credentials that are known; where the server wants others, once more with those that somebody gives. */
async function exchangeAsSomebody(
  source: CredentialSource,
  exchangeWith: (credentials: Credentials) => Promise<RawAnswer>,
  signal: AbortSignal,
): Promise<{ readonly answer: RawAnswer; readonly credentials: Credentials }> {
  const known = await source.current();
  const first = await exchangeWith(known);
  const given = first.status === 401 ? await source.afterRefusal(known, signal) : null;
  const credentials = given ?? known;
  const answer = given === null ? first : await exchangeWith(given);
  await source.settle(credentials, answer.status !== 401);
  return { answer, credentials };
}

/** Filled in while a request runs, so that a failed one is counted as far as it came. */
interface Progress {
  status: number | null;
  bytes: number;
  error: ErrorCode | null;
}

interface Dispatch {
  readonly settings: TransportSettings;
  readonly request: GitRequest;
  readonly credentials: Credentials;
  readonly agent: Agent;
  readonly progress: Progress;
}

/**
 * A server may close an idle connection in the very moment in which we use it again. Then the request is sent once
 * more on a fresh one: nothing we send does harm twice, since every push names the old value that it expects.
 */
async function exchangeWithRetry(dispatch: Dispatch, signal: AbortSignal): Promise<RawAnswer> {
  try {
    return await exchange(dispatch, signal);
  } catch (error) {
    if (!(error instanceof StaleConnection)) throw error;
    return await exchange(dispatch, signal).catch((again: unknown) => {
      throw again instanceof StaleConnection ? unreachable(dispatch.settings, again.cause) : again;
    });
  }
}

/** The connection was an old one and broke before the first byte of an answer. */
class StaleConnection extends Error {}

/** One deadline covers connecting, sending, waiting and reading to the last byte. */
function exchange(dispatch: Dispatch, signal: AbortSignal): Promise<RawAnswer> {
  const { settings, request, progress } = dispatch;
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>();
  const outgoing = startRequest(dispatch);
  const fail = (error: unknown): void => {
    reject(error);
    outgoing.destroy();
  };
  const deadline = setTimeout(() => fail(tooSlow(settings)), settings.timeoutMs);
  // Not AbortSignal.any: with a signal that lives as long as the agent it would gather listeners for months.
  const aborted = (): void => fail(signal.reason);
  signal.addEventListener("abort", aborted, { once: true });
  if (signal.aborted) aborted();

  outgoing.on("error", (error) => {
    const stale = outgoing.reusedSocket && progress.status === null;
    fail(stale ? new StaleConnection("stale", { cause: error }) : unreachable(settings, error));
  });
  outgoing.on("response", (incoming) => {
    progress.status = incoming.statusCode ?? null;
    readBody(incoming, incoming.statusCode === 200 ? request.answerMaxBytes : ERROR_BODY_MAX_BYTES, progress)
      .then((bytes) => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, bytes }))
      .catch((error) => fail(error instanceof FederationError ? error : cutOff(settings, error)));
  });
  outgoing.end(request.body ?? undefined);
  return promise.finally(() => {
    clearTimeout(deadline);
    signal.removeEventListener("abort", aborted);
  });
}

function startRequest({ settings, request, credentials, agent }: Dispatch) {
  const { service, method, body, protocol } = request;
  const url = new URL(method === "GET" ? `${settings.url}/info/refs?service=${service}` : `${settings.url}/${service}`);
  const headers = {
    "user-agent": "git/amko-gitops",
    accept: method === "GET" ? `application/x-${service}-advertisement` : `application/x-${service}-result`,
    ...(credentials.authorization === null ? {} : { authorization: credentials.authorization }),
    ...(protocol === null ? {} : { "git-protocol": protocol }),
    ...(body === null ? {} : { "content-type": `application/x-${service}-request`, "content-length": body.length }),
  };
  const send = url.protocol === "https:" ? secureRequest : plainRequest;
  return send(url, { method, agent, headers });
}

async function readBody(incoming: IncomingMessage, maxBytes: number, progress: Progress): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    progress.bytes += chunk.length;
    if (length > maxBytes && incoming.statusCode === 200) {
      throw new FederationError("AG2009", `the git server's answer is larger than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
    if (length > maxBytes) break;
  }
  return Buffer.concat(chunks);
}

/** Only a complete answer of git itself passes. */
function judge(
  answer: RawAnswer,
  settings: TransportSettings,
  request: GitRequest,
  credentials: Credentials,
): Uint8Array {
  if (answer.status !== 200) {
    const { url, nowMs } = settings;
    throw refusal(answer, { url, service: request.service, credentials, nowMs: nowMs() });
  }
  const expected = `application/x-${request.service}-${request.method === "GET" ? "advertisement" : "result"}`;
  const contentType = (answer.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase();
  if (contentType !== expected) {
    throw new FederationError(
      "AG2008",
      `${settings.url} does not answer as a git server: it sent ${contentType || "no content type"}`,
    );
  }
  return answer.bytes;
}

function tooSlow({ url, timeoutMs }: TransportSettings): FederationError {
  return new FederationError("AG2010", `the git server of ${url} did not answer within ${timeoutMs} ms`);
}

function unreachable({ url }: TransportSettings, error: unknown): FederationError {
  return new FederationError("AG2001", `the git server of ${url} cannot be reached (${causeCode(error)})`, {
    cause: error,
  });
}

function cutOff({ url }: TransportSettings, error: unknown): FederationError {
  return new FederationError("AG2001", `the connection to the git server of ${url} broke (${causeCode(error)})`, {
    cause: error,
  });
}

function causeCode(error: unknown): string {
  return (error as NodeJS.ErrnoException | null)?.code ?? "no cause given";
}
