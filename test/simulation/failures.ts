import type { ErrorCode } from "../../src/core/catalogue.ts";
import { FederationError } from "../../src/errors.ts";
import type { PortCall } from "./ports.ts";
import { PROTECTED } from "./scene.ts";

export type FailureKind = "cut" | "refused" | "conflict" | "forbidden" | "no such kind";

const CODES: Readonly<Record<PortCall["port"], Readonly<Record<FailureKind, ErrorCode>>>> = {
  git: { cut: "AG2001", refused: "AG2004", conflict: "AG2011", forbidden: "AG2013", "no such kind": "AG2001" },
  kubernetes: { cut: "AG3001", refused: "AG3007", conflict: "AG3004", forbidden: "AG3009", "no such kind": "AG3005" },
};

/** What a request throws that fails on purpose. Reads are cut off; only writes are refused or come too late. */
export function failureOf(call: PortCall, how: FailureKind): FederationError {
  // A rescue's ref is named by its content: whoever finds it there has that very content.
  const isRescue = call.subject.startsWith("rescue/") && how === "conflict";
  const code = CODES[call.port][(call.isWrite && !isRescue) || how === "no such kind" ? how : "cut"];
  const moved = call.method === "publish" && code === "AG2011" ? "AG2003" : code;
  return new FederationError(moved, `${call.method} ${call.subject} failed on purpose`);
}

/** How a request fails while something lasting is wrong; null where it does not. */
export function outageOf(away: ReadonlySet<string>, cluster: string, call: PortCall): FailureKind | null {
  if (away.has(`${call.port === "git" ? "git" : "api"} ${cluster}`)) return "cut";
  if (call.port === "git" && call.isWrite && away.has(`push ${cluster}`)) return "forbidden";
  if (call.port === "kubernetes" && away.has(`crd ${cluster} ${call.subject}`)) return "no such kind";
  return call.method === "publish" && away.has(PROTECTED) ? "refused" : null;
}
