import { NAMESPACE } from "../../src/core/model.ts";
import type { InterceptedRequest } from "../support/fault-proxy.ts";

/** Whom an agent asks: its git server, its API server, or another cluster's with the members' credentials. */
export type Side = "git" | "api" | "members";

export const SIDES: readonly Side[] = ["git", "api", "members"];

/**
 * What a request is, without all that differs from run to run (ids, versions, names of Events), so that the same words
 * find the same request again: `PATCH amkoclusters/{name}/status`, `POST git-receive-pack amko/applied`.
 */
export function nameRequest(side: Side, request: InterceptedRequest): string {
  return side === "git" ? nameGitRequest(request) : nameApiRequest(request);
}

/** How much of a body says what is asked for: two ids and the name of a ref. */
const BODY_HEAD_BYTES = 400;
/** `<old> <new> refs/heads/<name>` and what follows the name. */
const REF_COMMAND = /[0-9a-f]{40} ([0-9a-f]{40}) refs\/heads\/([^\0 \n]+)/;

function nameGitRequest({ method, url, body }: InterceptedRequest): string {
  const path = url.replace(/^\/[^/]+\//, "");
  const head = body.subarray(0, BODY_HEAD_BYTES).toString("latin1");
  const [, command] = /command=([a-z-]+)/.exec(head) ?? [];
  if (command !== undefined) return `${method} ${path} ${command}`;
  const [, target = "", ref] = REF_COMMAND.exec(head) ?? [];
  if (ref === undefined) return `${method} ${path}`;
  const deleted = /^0+$/.test(target) ? " (deletion)" : "";
  return `${method} ${path} ${withoutCluster(ref)}${deleted}`;
}

/** `amko/applied/cluster1` is `amko/applied`, `amko/propose/cluster1/version` is `amko/propose/version`. */
function withoutCluster(ref: string): string {
  const [prefix, purpose, , topic] = ref.split("/");
  return [prefix, purpose, purpose === "propose" ? topic : undefined].filter((part) => part !== undefined).join("/");
}

function nameApiRequest({ method, url }: InterceptedRequest): string {
  const { pathname, searchParams } = new URL(url, "http://localhost");
  const [, inNamespace] = pathname.split(`/namespaces/${NAMESPACE}`);
  const [plural = "", name, subresource] = (inNamespace ?? "").split("/").slice(1);
  const what = plural === "" ? "namespaces/{name}" : plural;
  const path = [what, ...(name === undefined ? [] : ["{name}"]), ...(subresource === undefined ? [] : [subresource])];
  const verb = searchParams.get("watch") === "true" ? "WATCH" : method;
  return `${verb} ${path.join("/")}${searchParams.get("dryRun") === "All" ? " (dry run)" : ""}`;
}
