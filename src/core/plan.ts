import { problem } from "./catalogue.ts";
import { type Merge, mergeContent, type Step } from "./merge.ts";
import type { CommitId, Content, FederatedKind, LiveObject, Problem, Snapshot } from "./model.ts";
import { contentOf, equalContent } from "./snapshot.ts";

/**
 * What git says of a kind at some revision. `snapshot` is what stands there and is what gets written; `filled` is the
 * same with the schema's defaults, and is what gets compared.
 */
export type GitContent =
  | { readonly kind: "present"; readonly snapshot: Snapshot; readonly filled: Content }
  | { readonly kind: "deleted"; readonly snapshot: Snapshot; readonly filled: Content }
  | { readonly kind: "never" };

/** The head's content or, where the head's is unusable or absent, the newest usable one before it. */
export interface Head {
  readonly content: GitContent;
  /** Where the content comes from: the head, or the revision in the past that had it. It is what becomes the base. */
  readonly revision: CommitId;
  /** True when `content` comes from the past: git wants to be healed. */
  readonly fromHistory: boolean;
  /** Why the head's own content cannot be used; empty where it can, or where no file is there. */
  readonly problems: readonly Problem[];
}

/** What the cluster is known to have held. */
export interface Base {
  readonly revision: CommitId;
  readonly content: GitContent;
  /** What the revision itself made of `content`, where people changed it on its way into the branch. */
  readonly step?: Step;
}

/** All that decides about one kind. */
export interface KindFacts {
  readonly kind: FederatedKind;
  /** From a complete list. */
  readonly live: readonly LiveObject[];
  readonly base: Base | null;
  readonly head: Head;
  /** The API server's dry run of the head's snapshot returned what is live. */
  readonly equalsHead: boolean;
  /** The same of the base's snapshot, where the head says that the kind is deleted. */
  readonly equalsBase: boolean;
  /** The revisions after the base up to the head, newest first, defaults filled; empty where nothing depends on them. */
  readonly steps: readonly Step[];
  /** The live content stands somewhere on the tracked branch, as far back as was looked. */
  readonly standsInGit: boolean;
  /** Of the live objects, those that came from git: by their own base, or because git knows their name or content. */
  readonly fromGit: ReadonlySet<string>;
}

const NOTHING: Content = { annotations: {}, spec: {} };

/** What a leader's agent does about one kind. */
export type LeaderDecision =
  | { readonly kind: "settled" }
  | { readonly kind: "apply"; readonly snapshot: Snapshot }
  | { readonly kind: "export"; readonly object: LiveObject; readonly supersedes: readonly CommitId[] }
  | { readonly kind: "merge"; readonly object: LiveObject; readonly merge: Merge }
  | { readonly kind: "entomb"; readonly snapshot: Snapshot }
  | { readonly kind: "blocked"; readonly problem: Problem };

/** The leader's table of the design, row by row. Total. */
export function decideLeader(facts: KindFacts): LeaderDecision {
  const { kind, live, head, equalsHead } = facts;
  const [object = null, ...others] = live;
  if (others.length > 0) {
    return { kind: "blocked", problem: problem("AG3013", `more than one ${kind} objects are present`) };
  }
  if (object === null) return decideWithoutObject(facts);
  if (head.content.kind === "present" && equalsHead && object.metadata.name === head.content.snapshot.name) {
    return head.fromHistory ? exportOf(object) : { kind: "settled" };
  }
  return facts.base === null ? decideWithoutBase(facts, object) : decideWithBase(facts, facts.base, object);
}

function decideWithoutObject({ base, head, steps }: KindFacts): LeaderDecision {
  if (head.content.kind === "never") return { kind: "settled" };
  if (head.content.kind === "deleted") {
    return head.fromHistory ? { kind: "entomb", snapshot: head.content.snapshot } : { kind: "settled" };
  }
  const renamed = base?.content.kind === "present" && base.content.snapshot.name !== head.content.snapshot.name;
  const changedInGit =
    renamed || steps.some(({ after, before }) => !before.some((parent) => sameContent(parent, after)));
  // Deleted here while git stood still is a deletion. Edited in git meanwhile, or never held here: it comes back.
  return base?.content.kind === "present" && !changedInGit
    ? { kind: "entomb", snapshot: head.content.snapshot }
    : { kind: "apply", snapshot: head.content.snapshot };
}

function decideWithoutBase({ head, standsInGit }: KindFacts, object: LiveObject): LeaderDecision {
  switch (head.content.kind) {
    case "never":
      return exportOf(object);
    case "present":
      // Under the name it has here: AMKO refuses a second object and drops everything when its only one goes. The
      // next pass exports the name.
      return { kind: "apply", snapshot: { ...head.content.snapshot, name: object.metadata.name } };
    case "deleted":
      return standsInGit ? { kind: "apply", snapshot: head.content.snapshot } : exportOf(object);
    default:
      return head.content satisfies never;
  }
}

function decideWithBase({ head, steps, equalsBase }: KindFacts, base: Base, object: LiveObject): LeaderDecision {
  const live = contentOf(object);
  if (head.content.kind === "never") return exportOf(object);
  const snapshot = head.content.snapshot;
  if (head.content.kind === "deleted") {
    // Where the base is a tombstone, or has another name, an object that is here now was created since.
    const untouched =
      base.content.kind === "present" &&
      base.content.snapshot.name === object.metadata.name &&
      (equalsBase ||
        [base.content.filled, ...steps.map(({ after }) => after)].some(
          (past) => past !== null && equalContent(past, live),
        ));
    return untouched ? { kind: "apply", snapshot } : exportOf(object, deletingCommits(steps));
  }
  const merge = mergeContent({
    base: base.content.kind === "present" ? base.content.filled : NOTHING,
    live,
    head: head.content.filled,
    steps,
  });
  const renamed = snapshot.name !== object.metadata.name;
  // A rename is never applied to a leader, so it is exported, and what git changed is merged into the object it has.
  if (merge.fromCluster.length === 0 && !renamed) return { kind: "apply", snapshot };
  return merge.fromGit.length === 0 ? exportOf(object, merge.supersedes) : { kind: "merge", object, merge };
}

function exportOf(object: LiveObject, supersedes: readonly CommitId[] = []): LeaderDecision {
  return { kind: "export", object, supersedes };
}

function deletingCommits(steps: readonly Step[]): readonly CommitId[] {
  const deleting = steps.find(({ after, before }) => after === null && before.some((parent) => parent !== null));
  return deleting === undefined ? [] : [deleting.commit];
}

/** What a follower's agent does about one kind. */
export type FollowerDecision =
  | { readonly kind: "settled" }
  | {
      readonly kind: "apply";
      readonly snapshot: Snapshot;
      /** Objects to remove: with a tombstone those that came from git, otherwise those under other names, last. */
      readonly doomed: readonly LiveObject[];
      /** What stays although git says that the kind is deleted: it never came from git. */
      readonly left: readonly string[];
    }
  /** A tombstone, and an object that never came from git: it stays, and the status says so. */
  | { readonly kind: "left"; readonly names: readonly string[] };

/** The follower's table of the design. Total. */
export function decideFollower({ live, head, equalsHead, fromGit }: KindFacts): FollowerDecision {
  switch (head.content.kind) {
    case "never":
      return { kind: "settled" };
    case "deleted":
      if (live.length === 0) return { kind: "settled" };
      return decideDeletion(head.content.snapshot, live, fromGit);
    case "present": {
      const { snapshot } = head.content;
      const doomed = live.filter(({ metadata }) => metadata.name !== snapshot.name);
      return equalsHead && doomed.length === 0 ? { kind: "settled" } : { kind: "apply", snapshot, doomed, left: [] };
    }
    default:
      return head.content satisfies never;
  }
}

function decideDeletion(
  snapshot: Snapshot,
  live: readonly LiveObject[],
  fromGit: ReadonlySet<string>,
): FollowerDecision {
  const doomed = live.filter(({ metadata }) => fromGit.has(metadata.name));
  const left = live.filter(({ metadata }) => !fromGit.has(metadata.name)).map(({ metadata }) => metadata.name);
  return doomed.length === 0 ? { kind: "left", names: left } : { kind: "apply", snapshot, doomed, left };
}

function sameContent(a: Content | null, b: Content | null): boolean {
  return a === null || b === null ? a === b : equalContent(a, b);
}
