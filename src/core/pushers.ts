import { problem } from "./catalogue.ts";
import { readDocument } from "./document.ts";
import { isObject } from "./json.ts";
import type { ClusterName, Problem, RevisionFile } from "./model.ts";
import { parseClusterName } from "./names.ts";

/** Who stands behind a push. `unknown` is everybody that the file does not name. */
export type Pusher =
  | { readonly kind: "people" }
  | { readonly kind: "agent"; readonly cluster: ClusterName }
  | { readonly kind: "unknown" };

export type Pushers = ReadonlyMap<string, Pusher>;

export type ReadPushers =
  | { readonly ok: true; readonly pushers: Pushers }
  | { readonly ok: false; readonly problem: Problem };

/** Stands for everybody who is no agent; no cluster can be mapped that is called so. */
const PEOPLE = "people";

/** Reads the mapping of a git server's users: `jo: people`, `agent-east: cluster1`, one per line. Total. */
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
    const line = document.lineOf([user]);
    const cluster = typeof meant === "string" ? parseClusterName(meant) : null;
    if (cluster === null) return refuse(`"${user}" is mapped neither to a cluster's name nor to people`, line);
    pushers.set(user, meant === PEOPLE ? { kind: "people" } : { kind: "agent", cluster });
  }
  return { ok: true, pushers };
}
