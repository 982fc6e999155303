import type { IncomingHttpHeaders } from "node:http";
import { FederationError } from "../errors.ts";
import type { Credentials } from "./credentials.ts";
import { serverWords } from "./words.ts";

/** What a server answered, its body read as far as it is of use. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
}

interface Circumstances {
  readonly url: string;
  readonly service: string;
  readonly credentials: Credentials;
  readonly nowMs: number;
}

/** A server that asks to wait longer is asked again after this: a leader that does not read the branch leads on. */
const RETRY_AFTER_MAX_MS = 60_000;

/** Turns an answer whose status is not 200 into an error. Total. */
export function refusal(
  { status, headers, bytes }: RawAnswer,
  { url, service, credentials, nowMs }: Circumstances,
): FederationError {
  const words = headers["content-type"]?.startsWith("text/plain") ? bytes.toString("utf8") : "";
  const said = words === "" ? "" : `: ${serverWords(words, credentials.secrets)}`;
  const retryAfterMs = parseRetryAfter(headers["retry-after"], nowMs);
  if (status === 401) return unauthorized(url, service, credentials);
  if (status === 403 && service === "git-receive-pack") {
    return new FederationError("AG2013", `the git server allows no push to ${url} (403)${said}`);
  }
  if (status === 403) return new FederationError("AG2002", `the git server denied access to ${url} (403)${said}`);
  if (status === 404 || status === 410)
    return new FederationError("AG2006", `there is no repository at ${url} (${status})`);
  if (status === 408 || status === 504)
    return new FederationError("AG2010", `the git server of ${url} ran out of time (${status})`, { retryAfterMs });
  if (status === 413)
    return new FederationError("AG2004", `the git server takes no push of this size to ${url} (413)${said}`);
  if (status === 429 || status >= 500)
    return new FederationError("AG2001", `the git server of ${url} cannot answer now (${status})${said}`, {
      retryAfterMs,
    });
  if (status >= 300 && status < 400)
    return new FederationError("AG2008", `${url} redirects (${status}); give the final address`);
  return new FederationError("AG2008", `${url} does not answer as a git server (${status})${said}`);
}

/** Repositories that the world may read ask for credentials at the push only: an agent without them may read, and follows. */
function unauthorized(url: string, service: string, { authorization }: Credentials): FederationError {
  if (authorization !== null)
    return new FederationError("AG2002", `the git server refused the credentials for ${url} (401)`);
  const text = `the git server asks for credentials and none are mounted for ${url} (401)`;
  if (service !== "git-receive-pack") return new FederationError("AG2002", text);
  return new FederationError("AG2013", text, { remedy: "Mount credentials that may push the agent's own refs." });
}

/** Seconds or a date, as HTTP allows; null when it is neither. */
function parseRetryAfter(header: string | undefined, nowMs: number): number | null {
  if (header === undefined) return null;
  const waitMs = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isFinite(waitMs) ? Math.min(Math.max(waitMs, 0), RETRY_AFTER_MAX_MS) : null;
}
