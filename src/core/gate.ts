import { problem } from "./catalogue.ts";
import {
  type ClusterName,
  type CommitId,
  FEDERATED_KINDS,
  type FederationView,
  type KindState,
  type Problem,
  UUID_ANNOTATION,
} from "./model.ts";
import { encodeClusterName } from "./names.ts";
import type { Pusher } from "./pushers.ts";

/** One ref that a push moves. */
export interface RefUpdate {
  /** The whole name: `refs/heads/main`. */
  readonly ref: string;
  /** Null creates it. */
  readonly before: CommitId | null;
  /** Null deletes it. */
  readonly after: CommitId | null;
}

/** What a push would make of the tracked branch. */
export interface TrackedMove {
  /** The former head is in the past of the new one, or there was none. */
  readonly isForward: boolean;
  /** One commit, whose only parent is the former head: what an export is, and hides nothing between the two ends. */
  readonly isOneCommit: boolean;
  /** Null where there is no branch yet. */
  readonly before: FederationView | null;
  readonly after: FederationView;
  /** From the repository's root. */
  readonly changedPaths: readonly string[];
}

export interface GateFacts {
  readonly pusher: Pusher;
  /** As the server calls whoever pushes; null where it does not say. */
  readonly user: string | null;
  readonly update: RefUpdate;
  readonly branch: string;
  readonly refPrefix: string;
  /** The federation's folder; "" is the root. */
  readonly path: string;
  /** Null unless the tracked branch is moved to a commit. */
  readonly move: TrackedMove | null;
}

/** Why the git server must not take one ref of a push; null where it may. Total: it never throws. */
export function judgePush(facts: GateFacts): Problem | null {
  const { pusher, user, update, branch } = facts;
  const isTracked = update.ref === `refs/heads/${branch}`;
  switch (pusher.kind) {
    case "unknown":
      return problem("AG5032", user === null ? "the server does not say who pushes" : `nobody maps the pusher ${user}`);
    case "people":
      return isTracked ? judgeTracked(facts) : judgePeople(facts);
    case "agent":
      return isTracked
        ? (judgeTracked(facts) ?? judgeExport(facts, pusher.cluster))
        : judgeAgent(facts, pusher.cluster);
    default:
      return pusher satisfies never;
  }
}

/** What holds for everybody. */
function judgeTracked({ update, branch, move }: GateFacts): Problem | null {
  if (update.after === null || move === null) return problem("AG5036", `${branch} must not be deleted`);
  if (!move.isForward) return problem("AG5036", `${branch} must not be rewritten: its head would be lost`);
  const { leadership } = move.after;
  return leadership.kind === "conflict" || leadership.kind === "unknown" ? leadership.problem : null;
}

/** What an agent may do to the tracked branch: export, while its cluster leads. */
function judgeExport({ branch, path, move }: GateFacts, cluster: ClusterName): Problem | null {
  const before = move?.before ?? null;
  if (move === null || before === null)
    return problem("AG5034", `${cluster} leads nothing while ${branch} is not there`);
  if (before.leadership.kind !== "leader" || before.leadership.cluster !== cluster) {
    const leader =
      before.leadership.kind === "leader" ? `${before.leadership.cluster} does` : "nobody does for certain";
    return problem("AG5034", `${cluster} does not lead ${branch}, ${leader}`);
  }
  if (!move.isOneCommit) {
    return problem("AG5035", `the agent of ${cluster} pushes more than one commit on top of ${branch}, or a merge`);
  }
  const folder = path === "" ? "federation/" : `${path}/federation/`;
  const foreign = move.changedPaths.find((one) => !one.startsWith(folder));
  if (foreign !== undefined) {
    return problem("AG5035", `the agent of ${cluster} changes ${foreign}, which is outside ${folder}`);
  }
  const spoilt = FEDERATED_KINDS.find((kind) => isSpoilt(before.kinds[kind], move.after.kinds[kind]));
  if (spoilt !== undefined)
    return problem("AG1024", `the agent of ${cluster} takes away the snapshot of the ${spoilt}`);
  const bare = FEDERATED_KINDS.find(
    (kind) => uuidOf(before.kinds[kind]) !== null && uuidOf(move.after.kinds[kind]) === null,
  );
  return bare === undefined ? null : problem("AG1025", `the agent of ${cluster} takes the UUID off the ${bare}`);
}

/** An export may heal what nobody can use, and never leaves a kind worse than it was. */
function isSpoilt(before: KindState, after: KindState): boolean {
  if (after.kind === "absent") return before.kind !== "absent";
  return after.kind === "unusable" && before.kind !== "unusable";
}

function uuidOf(state: KindState): string | null {
  if (state.kind !== "present" && state.kind !== "deleted") return null;
  return state.snapshot.annotations[UUID_ANNOTATION] ?? null;
}

/** People may do what they like to branches, except to put words into an agent's mouth. */
function judgePeople({ update, refPrefix }: GateFacts): Problem | null {
  const [purpose, owner] = below(update.ref, refPrefix) ?? [];
  // Deleting one takes a word back that its agent can say again, and is the way to bury a cluster.
  if (update.after === null || (purpose !== "applied" && purpose !== "leading")) return null;
  return problem("AG5033", `${update.ref} is the word of the agent of ${owner ?? "a cluster"}`);
}

/** An agent writes its own refs under the prefix, and nothing else. */
function judgeAgent({ update, refPrefix }: GateFacts, cluster: ClusterName): Problem | null {
  const [purpose, owner, ...rest] = below(update.ref, refPrefix) ?? [];
  const own = encodeClusterName(cluster);
  const depth = purpose === undefined ? undefined : DEPTHS[purpose];
  const fits = depth === "ref" ? rest.length === 0 : depth === "folder" && rest.length > 0 && !rest.includes("");
  if (!fits || owner !== own) {
    return problem("AG5033", `the agent of ${cluster} writes its own refs under ${refPrefix}/ only, not ${update.ref}`);
  }
  if (purpose !== "identity" || update.before === null) return null;
  return problem("AG5033", `${update.ref} is replaced by people only, with amko-gitops accept-identity`);
}

const DEPTHS: Readonly<Record<string, "ref" | "folder">> = {
  applied: "ref",
  leading: "ref",
  failed: "ref",
  identity: "ref",
  propose: "folder",
  rescue: "folder",
};

/** A ref's name below the prefix, by segment; null where it is none of those. */
function below(ref: string, refPrefix: string): readonly string[] | null {
  const start = `refs/heads/${refPrefix}/`;
  return ref.startsWith(start) ? ref.slice(start.length).split("/") : null;
}
