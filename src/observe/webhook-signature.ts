import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { formPayload } from "./webhook-payload.ts";

/** HMAC-SHA256 of the body in hexadecimal digits: GitHub and everybody who does as it does, Forgejo, Gitea, Gogs. */
const DIGEST_HEADERS = [
  "x-hub-signature-256",
  "x-forgejo-signature",
  "x-gitea-signature",
  "x-gogs-signature",
  "x-hub-signature",
] as const;
const DIGEST_PREFIX = "sha256=";
/** The secret as it is, which GitLab sends. */
const TOKEN_HEADER = "x-gitlab-token";
/** Keys are announced while they are rotated, so that there may be a signature for each. */
const SIGNATURES_MAX = 5;

/**
 * Whether whoever sent this knows the secret: by a signature of the body, or by the secret itself. Each comparison
 * takes the same time whatever is compared. That a delivery may be sent twice does no harm: it only means "fetch now".
 */
export function isAuthentic(headers: IncomingHttpHeaders, body: Buffer, secret: string): boolean {
  return hasDigest(headers, body, secret) || hasToken(headers, secret) || hasSignature(headers, body, secret);
}

function hasDigest(headers: IncomingHttpHeaders, body: Buffer, secret: string): boolean {
  const given = DIGEST_HEADERS.flatMap((name) => headers[name] ?? []);
  if (given.length === 0) return false;
  // Of a form GitHub signs the whole body, Gitea and Forgejo what stands in it.
  const inside = formPayload(headers, body);
  const digests = [body, ...(inside === null ? [] : [inside])].map((signed) => hmac(secret, signed).toString("hex"));
  return given.some((value) => {
    const digest = value.startsWith(DIGEST_PREFIX) ? value.slice(DIGEST_PREFIX.length) : value;
    return digests.some((expected) => sameText(digest.toLowerCase(), expected));
  });
}

function hasToken({ authorization, [TOKEN_HEADER]: token }: IncomingHttpHeaders, secret: string): boolean {
  const [, bearer] = /^Bearer +(\S+)$/i.exec(authorization ?? "") ?? [];
  return [bearer, token].some((given) => typeof given === "string" && sameText(given, secret));
}

/** As the Standard Webhooks specification has it, and GitLab's signing tokens. */
function hasSignature(headers: IncomingHttpHeaders, body: Buffer, secret: string): boolean {
  const [id, timestamp, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map(
    (name) => headers[name],
  );
  if (typeof id !== "string" || typeof timestamp !== "string" || typeof signatures !== "string") return false;
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  const expected = `v1,${hmac(signingKey(secret), signed).toString("base64")}`;
  return signatures.split(" ", SIGNATURES_MAX).some((signature) => sameText(signature, expected));
}

const SIGNING_KEY_PREFIX = "whsec_";

function signingKey(secret: string): string | Buffer {
  return secret.startsWith(SIGNING_KEY_PREFIX)
    ? Buffer.from(secret.slice(SIGNING_KEY_PREFIX.length), "base64")
    : secret;
}

function hmac(key: string | Buffer, signed: string | Buffer): Buffer {
  return createHmac("sha256", key).update(signed).digest();
}

/** Digests have the same length, which is what the comparison wants. */
function sameText(left: string, right: string): boolean {
  const [one, other] = [left, right].map((text) => createHash("sha256").update(text).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}
