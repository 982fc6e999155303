import { problem } from "./catalogue.ts";
import { readDocument } from "./document.ts";
import { isObject } from "./json.ts";
import type { ClusterName, Json, JsonObject, Problem, RevisionFile } from "./model.ts";
import { decodeClusterName, parseClusterName } from "./names.ts";

/** Who stands behind a push. `unknown` is everybody that the file does not name. */
export type Pusher = { readonly kind: "people" } | AgentPusher | { readonly kind: "unknown" };

export interface AgentPusher {
  readonly kind: "agent";
  readonly cluster: ClusterName;
  /** It may make its own cluster the leader, as with `--local-designation commit`. */
  readonly designates: boolean;
}

export type Pushers = ReadonlyMap<string, Pusher>;

export type ReadPushers =
  | { readonly ok: true; readonly pushers: Pushers }
  | { readonly ok: false; readonly problem: Problem };

/** Stands for everybody who is no agent; no cluster can be mapped that is called so. */
const PEOPLE = "people";

/**
 * Reads the mapping of a git server's users, one per line: `jo: people`, `agent-east: cluster1`, or
 * `agent-east: { cluster: cluster1, designates: true }`. Total.
 */
export function readPushers(file: RevisionFile): ReadPushers {
  const document = readDocument(file);
  if (!document.ok) return document;
  const refuse = (message: string, line: number | null): ReadPushers => ({
    ok: false,
    problem: problem("AG4002", message, { path: file.path, line }),
  });
  if (!isObject(document.value)) return refuse("the file holds no mapping of users to clusters", null);
  const pushers = new Map<string, Pusher>();
  for (const [user, meant] of Object.entries(document.value)) {
    const pusher = readPusher(meant);
    if (typeof pusher === "string") return refuse(`"${user}" ${pusher}`, document.lineOf([user]));
    pushers.set(user, pusher);
  }
  return { ok: true, pushers };
}

/** What is wrong, as text, where it is no pusher. */
function readPusher(meant: Json): Pusher | string {
  if (meant === PEOPLE) return { kind: "people" };
  const { cluster: name, designates = false, ...rest }: JsonObject = isObject(meant) ? meant : { cluster: meant };
  const cluster = typeof name === "string" && name !== PEOPLE ? parseClusterName(name) : null;
  if (cluster === null || typeof designates !== "boolean" || Object.keys(rest).length > 0) {
    return "is mapped neither to a cluster's name nor to people";
  }
  const decoded = decodeClusterName(cluster);
  if (decoded !== null && decoded !== cluster) {
    return `is mapped to ${cluster}, which is how folders and refs spell it: write ${decoded}`;
  }
  return { kind: "agent", cluster, designates };
}
