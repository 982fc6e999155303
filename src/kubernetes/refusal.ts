import type { IncomingHttpHeaders } from "node:http";
import type { ErrorCode } from "../core/catalogue.ts";
import { FederationError } from "../errors.ts";

/** What a request is about, in words: for errors, metrics and tests. */
export interface RequestSubject {
  readonly verb: "list" | "get" | "create" | "patch" | "delete" | "watch";
  readonly kind: string;
  readonly name: string | null;
}

/** An answer that is no success, its body read to the end. */
export interface RefusingAnswer {
  readonly status: number | null;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly subject: RequestSubject;
}

/** The part of a Kubernetes `Status` that decides. */
export interface StatusFacts {
  readonly reason: string | null;
  readonly message: string | null;
  /** Null where the Status has no `details` at all. */
  readonly details: StatusDetails | null;
}

export interface StatusDetails {
  readonly name: string | null;
  readonly kind: string | null;
  readonly retryAfterSeconds: number | null;
  readonly causes: readonly StatusCause[];
}

export interface StatusCause {
  readonly reason: string | null;
  readonly message: string | null;
  readonly field: string | null;
}

const WORDS_LENGTH_MAX = 500;
const CAUSES_MAX = 5;
/** A server that asks to wait longer is asked again after this all the same. */
const RETRY_AFTER_MAX_MS = 5 * 60_000;
/** Also where a server says "at once": it would be asked for ever without a pause. */
const RETRY_AFTER_DEFAULT_MS = 1_000;

/** Turns an answer that is no success into an error, by HTTP status and by the structure of the Status. Total. */
export function refusal(answer: RefusingAnswer): FederationError {
  const status = parseStatus(answer.text);
  const code = codeFor(answer, status);
  const told = words(answer.text, status);
  const how = `HTTP ${answer.status ?? "without status"}${told === "" ? "" : `: ${told}`}`;
  const message = `The API server refused to ${describeSubject(answer.subject)} (${how}).`;
  return new FederationError(code, message, { retryAfterMs: code === "AG3009" ? retryAfterMs(answer, status) : null });
}

export function describeSubject({ verb, kind, name }: RequestSubject): string {
  return `${verb} ${kind}${name === null ? "" : ` ${name}`}`;
}

function codeFor(answer: RefusingAnswer, status: StatusFacts | null): ErrorCode {
  switch (answer.status) {
    case 400:
    case 413:
    case 422:
      return status === null ? "AG3014" : "AG3007";
    case 401:
      return "AG3002";
    case 403:
      return codeForForbidden(status);
    case 404:
      return codeForNotFound(answer, status);
    case 409:
      return status?.reason === "AlreadyExists" ? "AG3016" : "AG3004";
    case 410:
      return "AG3004";
    case 429:
      return "AG3009";
    case 503:
      return answer.headers["retry-after"] === undefined && status?.details?.retryAfterSeconds == null
        ? "AG3001"
        : "AG3009";
    case 504:
      return "AG3006";
    default:
      return answer.status !== null && answer.status >= 500 ? "AG3001" : "AG3014";
  }
}

/**
 * Missing rights and an admission policy's refusal are both 403. Kubernetes' authorizer names the resource in `details`
 * and gives no causes; a validating policy gives causes; a webhook's answer carries no `details` of the server's own.
 * (The built-in quota plugin looks like the authorizer: it is told as AG3003, with its own words.)
 */
function codeForForbidden(status: StatusFacts | null): ErrorCode {
  if (status === null) return "AG3003";
  const { details } = status;
  if (details?.causes.some((cause) => cause.reason === "NamespaceTerminating")) return "AG3015";
  return details !== null && details.kind !== null && details.causes.length === 0 ? "AG3003" : "AG3007";
}

/**
 * Only a Status that names the object says that the object is gone; the plain "404 page not found" is what a server
 * says that does not know the kind. HTML comes from something in between, and proves nothing.
 */
function codeForNotFound({ headers, subject }: RefusingAnswer, status: StatusFacts | null): ErrorCode {
  if (status === null) return headers["content-type"]?.startsWith("text/plain") ? "AG3005" : "AG3014";
  if (status.reason !== "NotFound") return "AG3014";
  if (status.details?.kind === "namespaces" && subject.kind !== "Namespace") return "AG3015";
  return subject.name !== null && status.details?.name != null ? "AG3010" : "AG3005";
}

/** Reads a Kubernetes Status; null when the text is none. */
function parseStatus(text: string): StatusFacts | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return readStatus(value);
}

/** As {@link parseStatus}, of a value that is parsed already, such as a watch's ERROR event. */
export function readStatus(value: unknown): StatusFacts | null {
  const root = record(value);
  if (root?.["kind"] !== "Status") return null;
  const details = record(root["details"]);
  return {
    reason: string(root["reason"]),
    message: string(root["message"]),
    details: details === null ? null : readDetails(details),
  };
}

function readDetails(details: Readonly<Record<string, unknown>>): StatusDetails {
  const causes = Array.isArray(details["causes"]) ? details["causes"] : [];
  const seconds = details["retryAfterSeconds"];
  return {
    name: string(details["name"]),
    kind: string(details["kind"]),
    retryAfterSeconds: typeof seconds === "number" ? seconds : null,
    causes: causes.map(record).map((cause) => ({
      reason: string(cause?.["reason"]),
      message: string(cause?.["message"]),
      field: string(cause?.["field"]),
    })),
  };
}

/** The server's own words; the fields first, so that a cut never hides them. */
function words(text: string, status: StatusFacts | null): string {
  if (status === null) return plain(text.includes("<") ? "" : text);
  const fields = (status.details?.causes ?? [])
    .filter((cause) => cause.field !== null)
    .slice(0, CAUSES_MAX)
    .map((cause) => `${cause.field}: ${cause.message ?? cause.reason ?? "refused"}`);
  return plain(fields.length > 0 ? fields.join("; ") : (status.message ?? status.reason ?? ""));
}

function plain(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, " ")
    .trim()
    .slice(0, WORDS_LENGTH_MAX);
}

function retryAfterMs({ headers }: RefusingAnswer, status: StatusFacts | null): number {
  const header = Number(headers["retry-after"]);
  const seconds = Number.isFinite(header) ? header : (status?.details?.retryAfterSeconds ?? Number.NaN);
  if (!Number.isFinite(seconds) || seconds < 1) return RETRY_AFTER_DEFAULT_MS;
  return Math.min(seconds * 1_000, RETRY_AFTER_MAX_MS);
}

function record(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : null;
}

function string(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
