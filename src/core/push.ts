import type { CommitId, FederationView, Leadership } from "./model.ts";
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
  /** Its past has a beginning that the former head's has not. */
  readonly bringsRoot: boolean;
  /** One commit, whose only parent is the former head: what an export is, and hides nothing between the two ends. */
  readonly isOneCommit: boolean;
  /** Null where there is no branch yet. */
  readonly before: FederationView | null;
  readonly after: FederationView;
  /** From the repository's root. */
  readonly changedPaths: readonly string[];
}

/** All that is judged of one ref of a push. */
export interface PushFacts {
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
  /** By the tracked branch as it stands; null where it is not there, or where the update does not depend on it. */
  readonly leadership: Leadership | null;
}
