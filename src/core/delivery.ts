import { isObject } from "./json.ts";
import type { Json } from "./model.ts";

/** What a git host tells of a push: headers by their names in lower case, and the payload; null where there is none. */
export interface Delivery {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly payload: Json;
}

export type DeliveryVerdict =
  | { readonly kind: "fetch" }
  | { readonly kind: "ignored"; readonly why: "a ping" | "another event" | "another branch" };

/** Forgejo and Gitea name their events in the headers of the hosts that they descend from, too. */
const EVENT_HEADERS = [
  "x-github-event",
  "x-gitlab-event",
  "x-forgejo-event",
  "x-gitea-event",
  "x-gogs-event",
  "x-event-key",
] as const;
/** The last two are Bitbucket's: Cloud's, and Data Center's. */
const PUSH_EVENTS: ReadonlySet<string> = new Set(["push", "Push Hook", "repo:push", "repo:refs_changed"]);
const PING_EVENTS: ReadonlySet<string> = new Set(["ping", "diagnostics:ping"]);
/** GitLab's for a whole instance; the payload says which event it is. */
const SYSTEM_EVENT = "System Hook";
const SYSTEM_PUSH_EVENTS: ReadonlySet<string> = new Set(["push", "repository_update"]);

/**
 * Whether a delivery is a reason to fetch. Its ref is looked at for one thing, to ignore pushes to other branches:
 * acknowledgements are such pushes, and must wake nobody. A push that does not say where is a reason.
 */
export function judgeDelivery({ headers, payload }: Delivery, branch: string): DeliveryVerdict {
  const event = EVENT_HEADERS.map((name) => headers[name]).find((value) => typeof value === "string");
  if (typeof event === "string" && PING_EVENTS.has(event)) return { kind: "ignored", why: "a ping" };
  if (event !== undefined && !isPush(event, payload)) return { kind: "ignored", why: "another event" };
  const refs = refsIn(payload);
  const tracked = refs.length === 0 || refs.includes(`refs/heads/${branch}`) || refs.includes(branch);
  return tracked ? { kind: "fetch" } : { kind: "ignored", why: "another branch" };
}

function isPush(event: string | readonly string[], payload: Json): boolean {
  if (typeof event !== "string") return false;
  if (event !== SYSTEM_EVENT) return PUSH_EVENTS.has(event);
  const name = isObject(payload) ? payload["event_name"] : undefined;
  return typeof name === "string" && SYSTEM_PUSH_EVENTS.has(name);
}

/**
 * Most hosts tell one as `ref`; GitLab's `repository_update` all of a push as `refs`; Bitbucket's Data Center each as
 * `changes[].ref.id`, and its Cloud as `push.changes[].new`, or `old` where it was deleted.
 */
function refsIn(payload: Json): readonly string[] {
  const changes = [...listIn(payload, "changes"), ...listIn(fieldOf(payload, "push"), "changes")];
  const found = [fieldOf(payload, "ref"), ...listIn(payload, "refs"), ...changes.map(changedRef)];
  return found.filter((one) => typeof one === "string");
}

function changedRef(change: Json): Json | undefined {
  const told = fieldOf(change, "new") ?? fieldOf(change, "old");
  const name = fieldOf(told, "name");
  if (typeof name !== "string") return fieldOf(fieldOf(change, "ref"), "id");
  return `refs/${fieldOf(told, "type") === "tag" ? "tags" : "heads"}/${name}`;
}

function fieldOf(value: Json | undefined, name: string): Json | undefined {
  return value !== undefined && isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function listIn(value: Json | undefined, name: string): readonly Json[] {
  const list = fieldOf(value, name);
  return Array.isArray(list) ? (list as readonly Json[]) : [];
}
