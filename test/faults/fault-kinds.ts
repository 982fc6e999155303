import type { Fault } from "../support/fault-proxy.ts";
import type { Asked } from "./stage.ts";

/** A column of the matrix. */
export interface FaultKind {
  readonly name: string;
  /** The fault as that request meets it. */
  readonly at: (asked: Asked) => Fault;
}

/** Less than the agents' time limit; `hang` is more. */
const DELAY_MS = 300;
/** Before the first byte, within the first line or object, and near the end or at it: one request meets one of them. */
const CUTS_BYTES = [0, 20, 400] as const;
/** Less than any answer has: one that is sent to its end is whole. */
const SHORTS_BYTES = [0, 20] as const;

export const FAULT_KINDS: readonly FaultKind[] = [
  { name: "delay", at: () => ({ kind: "delay", ms: DELAY_MS }) },
  { name: "hang", at: () => ({ kind: "hang" }) },
  { name: "reset", at: () => ({ kind: "refuse" }) },
  { name: "cut", at: (asked) => ({ kind: "cut", afterBytes: oneOf(CUTS_BYTES, asked) }) },
  { name: "short", at: (asked) => ({ kind: "truncate", afterBytes: oneOf(SHORTS_BYTES, asked) }) },
  { name: "401", at: refusal(401, "Unauthorized") },
  { name: "403", at: refusal(403, "Forbidden") },
  { name: "404", at: refusal(404, "NotFound") },
  { name: "429", at: refusal(429, "TooManyRequests", { "retry-after": "1" }) },
  { name: "500", at: refusal(500, "InternalError") },
  { name: "503", at: refusal(503, "ServiceUnavailable") },
  { name: "html", at: () => ({ kind: "html-instead" }) },
  { name: "lost", at: () => ({ kind: "lost-answer" }) },
];

function oneOf(sizes: readonly number[], { name, nth }: Asked): number {
  return sizes[(name.length + nth) % sizes.length] ?? 0;
}

/** An API server refuses in words that agents believe. */
function refusal(
  status: number,
  reason: string,
  headers: Readonly<Record<string, string>> = {},
): (asked: Asked) => Fault {
  const kubernetes = JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", reason, code: status });
  return ({ side }) =>
    side === "git"
      ? { kind: "status", status, headers }
      : { kind: "status", status, headers: { ...headers, "content-type": "application/json" }, body: kubernetes };
}
