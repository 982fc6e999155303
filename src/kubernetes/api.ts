import type { RequestContext } from "@kubernetes/client-node/dist/gen/http/http.js";
import { FederationError } from "../errors.ts";
import { parseExactJson } from "./json.ts";
import { describeSubject, type RequestSubject } from "./refusal.ts";
import { createRequests, type Requests } from "./requests.ts";
import type { Transport } from "./transport.ts";

/** A JSON object of unknown shape, as the API server sent it. */
export type Answered = Readonly<Record<string, unknown>>;

/** The requests, and how they are sent and read. */
export interface Api {
  readonly requests: Requests;
  /** Sends a request and reads the JSON object that answers it. @throws FederationError as the transport, and AG1014. */
  send(context: Promise<RequestContext>, subject: RequestSubject, signal: AbortSignal): Promise<Answered>;
  /** Sends a request whose answer goes on. */
  open(context: Promise<RequestContext>, subject: RequestSubject, signal: AbortSignal): Promise<AsyncIterable<Buffer>>;
}

export function createApi(server: string, transport: Transport): Api {
  return {
    requests: createRequests(server),
    send: async (context, subject, signal) => readObject(await transport.send(await context, subject, signal), subject),
    open: async (context, subject, signal) => transport.open(await context, subject, signal),
  };
}

function readObject(text: string, subject: RequestSubject): Answered {
  let value: unknown;
  try {
    value = parseExactJson(text);
  } catch (error) {
    if (error instanceof FederationError) throw named(error, subject);
    throw senseless(subject, "no JSON");
  }
  if (!isAnswered(value)) throw senseless(subject, "no JSON object");
  return value;
}

function named(error: FederationError, subject: RequestSubject): FederationError {
  return new FederationError(error.code, `${subject.kind}: ${error.message}`, { cause: error });
}

export function isAnswered(value: unknown): value is Answered {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a proxy, a login page or a broken server sends with status 200. */
export function senseless(subject: RequestSubject, what: string): FederationError {
  return new FederationError("AG3014", `The answer to ${describeSubject(subject)} makes no sense: ${what}.`);
}
