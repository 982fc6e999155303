import { describe, expect, it } from "vitest";
import { formatFieldPath } from "../../src/core/diff.ts";
import type { Step } from "../../src/core/merge.ts";
import type { CommitId, Content, LiveObject, Snapshot } from "../../src/core/model.ts";
import {
  type Base,
  decideFollower,
  decideLeader,
  type GitContent,
  type Head,
  type KindFacts,
  type LeaderDecision,
} from "../../src/core/plan.ts";
import { liveOf, policy } from "../support/builders.ts";

const EDIT_IN_GIT = "1".repeat(40) as CommitId;
const ROLLBACK = "2".repeat(40) as CommitId;

/** What the base and, where git stood still, the head hold; what git made of it; what the cluster made of it. */
const OLD = policy({ ttl: 10 });
const EDITED_IN_GIT = policy({ ttl: 20 });
const EDITED_HERE = policy({ priority: 7 });
const EDITED_HERE_TOO = policy({ ttl: 30 });
const TOMBSTONE = policy({ ttl: 10 }, { deleted: "by hand" });
const RENAMED = policy({ ttl: 10 }, { name: "other" });

const present = (snapshot: Snapshot): GitContent => ({ kind: "present", snapshot, filled: snapshot });
const deleted = (snapshot: Snapshot): GitContent => ({ kind: "deleted", snapshot, filled: snapshot });
const never: GitContent = { kind: "never" };

type BaseState = "none" | "held it" | "held nothing";
type HeadState =
  | "never"
  | "unchanged"
  | "edited"
  | "edited and rolled back"
  | "deleted"
  | "renamed"
  | "broken, unchanged before"
  | "broken, edited before"
  | "broken, deleted before";
type LiveState =
  | "gone"
  | "as the base"
  | "as the head"
  | "edited"
  | "edited where git did"
  | "as git was meanwhile"
  | "two";

const BASES: Readonly<Record<BaseState, Base | null>> = {
  none: null,
  "held it": { revision: "0".repeat(40) as CommitId, content: present(OLD) },
  "held nothing": { revision: "0".repeat(40) as CommitId, content: deleted(TOMBSTONE) },
};

const HEADS: Readonly<Record<HeadState, { readonly head: Head; readonly git: readonly (Content | null)[] }>> = {
  never: { head: headOf(never), git: [] },
  unchanged: { head: headOf(present(OLD)), git: [] },
  edited: { head: headOf(present(EDITED_IN_GIT)), git: [EDITED_IN_GIT] },
  "edited and rolled back": { head: headOf(present(OLD)), git: [EDITED_IN_GIT, OLD] },
  deleted: { head: headOf(deleted(TOMBSTONE)), git: [EDITED_IN_GIT, null] },
  renamed: { head: headOf(present(RENAMED)), git: [] },
  "broken, unchanged before": { head: headOf(present(OLD), true), git: [] },
  "broken, edited before": { head: headOf(present(EDITED_IN_GIT), true), git: [EDITED_IN_GIT] },
  "broken, deleted before": { head: headOf(deleted(TOMBSTONE), true), git: [EDITED_IN_GIT, null] },
};

function headOf(content: GitContent, fromHistory = false): Head {
  return { content, revision: "f".repeat(40) as CommitId, fromHistory, problems: [] };
}

function liveIn(state: LiveState, head: Head): readonly LiveObject[] {
  const snapshot = head.content.kind === "never" ? OLD : head.content.snapshot;
  const states: Readonly<Record<LiveState, readonly LiveObject[]>> = {
    gone: [],
    "as the base": [liveOf(OLD)],
    "as the head": [liveOf({ ...snapshot, deleted: null })],
    edited: [liveOf(EDITED_HERE)],
    "edited where git did": [liveOf(EDITED_HERE_TOO)],
    "as git was meanwhile": [liveOf(EDITED_IN_GIT)],
    two: [liveOf(OLD), liveOf(RENAMED)],
  };
  return states[state];
}

function facts(base: BaseState, head: HeadState, live: LiveState, more: Partial<KindFacts> = {}): KindFacts {
  const { head: top, git } = HEADS[head];
  const objects = liveIn(live, top);
  const known = BASES[base];
  const first = known?.content.kind === "present" ? known.content.filled : null;
  const befores = [first, ...git];
  const steps = git.map(
    (after, i): Step => ({
      commit: i === 0 ? EDIT_IN_GIT : ROLLBACK,
      after,
      before: [befores[i] ?? null],
    }),
  );
  const [object] = objects;
  const wanted = top.content.kind === "present" ? top.content.snapshot : null;
  return {
    kind: "GlobalDeploymentPolicy",
    live: objects,
    base: known,
    head: top,
    equalsHead:
      object !== undefined &&
      wanted !== null &&
      object.metadata.name === wanted.name &&
      JSON.stringify(object.spec) === JSON.stringify(wanted.spec),
    steps: known === null ? [] : steps.toReversed(),
    equalsBase: false,
    standsInGit: false,
    fromGit: new Set(),
    ...more,
  };
}

/** A decision in a few words. */
type Expected =
  | "settled"
  | "apply"
  | "apply the tombstone"
  | "export"
  | "export over 1"
  | "export over 2"
  | "merge"
  | "entomb"
  | "blocked";

function inWords(decision: LeaderDecision): string {
  switch (decision.kind) {
    case "apply":
      return decision.snapshot.deleted === null ? "apply" : "apply the tombstone";
    case "export":
      return decision.supersedes.length === 0
        ? "export"
        : `export over ${decision.supersedes.map((id) => id[0]).join(",")}`;
    default:
      return decision.kind;
  }
}

/** The leader's table: a cell that is missing does not compile. */
const LEADER: Readonly<Record<BaseState, Readonly<Record<HeadState, Readonly<Record<LiveState, Expected>>>>>> = {
  none: {
    never: row("settled", "export", "export", "export", "export", "export"),
    unchanged: row("apply", "settled", "settled", "apply", "apply", "apply"),
    edited: row("apply", "apply", "settled", "apply", "apply", "settled"),
    "edited and rolled back": row("apply", "settled", "settled", "apply", "apply", "apply"),
    deleted: row("settled", "export", "export", "export", "export", "export"),
    renamed: row("apply", "apply", "settled", "apply", "apply", "apply"),
    "broken, unchanged before": row("apply", "export", "export", "apply", "apply", "apply"),
    "broken, edited before": row("apply", "apply", "export", "apply", "apply", "export"),
    "broken, deleted before": row("entomb", "export", "export", "export", "export", "export"),
  },
  "held it": {
    never: row("settled", "export", "export", "export", "export", "export"),
    unchanged: row("entomb", "settled", "settled", "export", "export", "export"),
    edited: row("apply", "apply", "settled", "merge", "export over 1", "settled"),
    "edited and rolled back": row("apply", "settled", "settled", "export", "export over 2", "apply"),
    deleted: row(
      "settled",
      "apply the tombstone",
      "apply the tombstone",
      "export over 2",
      "export over 2",
      "apply the tombstone",
    ),
    renamed: row("apply", "export", "settled", "export", "export", "export"),
    "broken, unchanged before": row("entomb", "export", "export", "export", "export", "export"),
    "broken, edited before": row("apply", "apply", "export", "merge", "export over 1", "export"),
    "broken, deleted before": row(
      "entomb",
      "apply the tombstone",
      "apply the tombstone",
      "export over 2",
      "export over 2",
      "apply the tombstone",
    ),
  },
  "held nothing": {
    never: row("settled", "export", "export", "export", "export", "export"),
    unchanged: row("apply", "settled", "settled", "export", "export", "export"),
    edited: row("apply", "export over 1", "settled", "export over 1", "export over 1", "settled"),
    "edited and rolled back": row("apply", "settled", "settled", "export", "export over 2", "apply"),
    deleted: row("settled", "export over 2", "export over 2", "export over 2", "export over 2", "export over 2"),
    renamed: row("apply", "export", "settled", "export", "export", "export"),
    "broken, unchanged before": row("apply", "export", "export", "export", "export", "export"),
    "broken, edited before": row("apply", "export over 1", "export", "export over 1", "export over 1", "export"),
    "broken, deleted before": row(
      "entomb",
      "export over 2",
      "export over 2",
      "export over 2",
      "export over 2",
      "export over 2",
    ),
  },
};

/** In the order of {@link LiveState}; two objects block whatever else there is. */
function row(
  gone: Expected,
  asBase: Expected,
  asHead: Expected,
  edited: Expected,
  editedToo: Expected,
  meanwhile: Expected,
): Readonly<Record<LiveState, Expected>> {
  return {
    gone,
    "as the base": asBase,
    "as the head": asHead,
    edited,
    "edited where git did": editedToo,
    "as git was meanwhile": meanwhile,
    two: "blocked",
  };
}

describe("a leader", () => {
  const cells = Object.entries(LEADER).flatMap(([base, heads]) =>
    Object.entries(heads).flatMap(([head, lives]) =>
      Object.entries(lives).map(([live, expected]) => ({ base, head, live, expected })),
    ),
  );
  it.each(cells)("answers $expected: base $base, head $head, live $live", ({ base, head, live, expected }) => {
    const decision = decideLeader(facts(base as BaseState, head as HeadState, live as LiveState));
    expect(inWords(decision)).toBe(expected);
  });
});

describe("a leader that was never known to hold the kind", () => {
  it("deletes an object that git tells to delete only if its content comes from git", () => {
    const decide = (standsInGit: boolean): string =>
      inWords(decideLeader(facts("none", "deleted", "as the base", { standsInGit })));
    expect(decide(true)).toBe("apply the tombstone");
    expect(decide(false)).toBe("export");
  });
});

describe("a leader whose user and whose colleagues changed different fields", () => {
  it("writes both, and says which came from where", () => {
    const decision = decideLeader(facts("held it", "edited", "edited"));
    if (decision.kind !== "merge") throw new Error(decision.kind);
    const { content, fromCluster, fromGit, supersedes } = decision.merge;
    expect(content.spec).toEqual(policy({ ttl: 20, priority: 7 }).spec);
    expect(fromCluster.map(formatFieldPath)).toEqual(["spec.priority"]);
    expect(fromGit.map(formatFieldPath)).toEqual(["spec.ttl"]);
    expect(supersedes).toEqual([]);
  });
});

describe("a leader with two objects of a kind", () => {
  it("says so in AMKO's words", () => {
    const decision = decideLeader(facts("held it", "unchanged", "two"));
    expect(decision).toMatchObject({
      kind: "blocked",
      problem: { code: "AG3013", message: "more than one GlobalDeploymentPolicy objects are present" },
    });
  });
});

type FollowerHead = "never" | "present" | "present, from the past" | "deleted" | "deleted, from the past";
type FollowerLive = "none" | "equal" | "different" | "another name" | "equal, and another name";
type FollowerExpected = "settled" | "apply" | "apply, remove other" | "delete" | "left";

const FOLLOWER_HEADS: Readonly<Record<FollowerHead, Head>> = {
  never: headOf(never),
  present: headOf(present(OLD)),
  "present, from the past": headOf(present(OLD), true),
  deleted: headOf(deleted(TOMBSTONE)),
  "deleted, from the past": headOf(deleted(TOMBSTONE), true),
};

const FOLLOWER_LIVES: Readonly<Record<FollowerLive, readonly LiveObject[]>> = {
  none: [],
  equal: [liveOf(OLD)],
  different: [liveOf(EDITED_HERE)],
  "another name": [liveOf(RENAMED)],
  "equal, and another name": [liveOf(OLD), liveOf(RENAMED)],
};

type FollowerRow = Readonly<Record<FollowerLive, FollowerExpected>>;

const NOTHING_TO_DO: FollowerRow = {
  none: "settled",
  equal: "settled",
  different: "settled",
  "another name": "settled",
  "equal, and another name": "settled",
};
const TAKE_IT: FollowerRow = {
  none: "apply",
  equal: "settled",
  different: "apply",
  "another name": "apply, remove other",
  "equal, and another name": "apply, remove other",
};
const DELETE_IT: FollowerRow = {
  none: "settled",
  equal: "delete",
  different: "delete",
  "another name": "delete",
  "equal, and another name": "delete",
};
const LEAVE_IT: FollowerRow = {
  none: "settled",
  equal: "left",
  different: "left",
  "another name": "left",
  "equal, and another name": "left",
};

/** The follower's table, by whether the objects are known to come from git. */
const FOLLOWER: Readonly<Record<"from git" | "unknown", Readonly<Record<FollowerHead, FollowerRow>>>> = {
  "from git": {
    never: NOTHING_TO_DO,
    present: TAKE_IT,
    "present, from the past": TAKE_IT,
    deleted: DELETE_IT,
    "deleted, from the past": DELETE_IT,
  },
  unknown: {
    never: NOTHING_TO_DO,
    present: TAKE_IT,
    "present, from the past": TAKE_IT,
    deleted: LEAVE_IT,
    "deleted, from the past": LEAVE_IT,
  },
};

describe("a follower", () => {
  const decide = (head: FollowerHead, live: FollowerLive, origin: Partial<KindFacts>): FollowerExpected => {
    const objects = FOLLOWER_LIVES[live];
    const decision = decideFollower({
      kind: "GlobalDeploymentPolicy",
      live: objects,
      base: null,
      head: FOLLOWER_HEADS[head],
      equalsHead: live.startsWith("equal") && head.startsWith("present"),
      equalsBase: false,
      steps: [],
      standsInGit: false,
      fromGit: new Set(),
      ...origin,
    });
    if (decision.kind !== "apply") return decision.kind;
    if (decision.snapshot.deleted !== null) return "delete";
    return decision.doomed.length === 0 ? "apply" : "apply, remove other";
  };
  const cells = Object.entries(FOLLOWER).flatMap(([origin, heads]) =>
    Object.entries(heads).flatMap(([head, lives]) =>
      Object.entries(lives).map(([live, expected]) => ({ origin, head, live, expected })),
    ),
  );

  it.each(cells)("answers $expected: head $head, live $live, origin $origin", ({ origin, head, live, expected }) => {
    const known = origin === "from git" ? { fromGit: new Set(["global-gdp", "other"]) } : {};
    expect(decide(head as FollowerHead, live as FollowerLive, known)).toBe(expected);
  });

  it("deletes what came from git and leaves what did not", () => {
    const decision = decideFollower({
      ...facts("held it", "deleted", "two"),
      fromGit: new Set(["global-gdp"]),
    });
    expect(decision).toMatchObject({
      kind: "apply",
      doomed: [{ metadata: { name: "global-gdp" } }],
      left: [RENAMED.name],
    });
  });

  it("removes only the objects under other names, and says which it left", () => {
    const both = FOLLOWER_LIVES["equal, and another name"];
    const common = {
      kind: "GlobalDeploymentPolicy",
      live: both,
      base: null,
      equalsBase: false,
      steps: [],
      standsInGit: false,
      fromGit: new Set<string>(),
    } as const;
    const applied = decideFollower({ ...common, head: FOLLOWER_HEADS.present, equalsHead: true });
    expect(applied).toMatchObject({ kind: "apply", doomed: [{ metadata: { name: "other" } }] });
    const left = decideFollower({ ...common, head: FOLLOWER_HEADS.deleted, equalsHead: false });
    expect(left).toEqual({ kind: "left", names: ["global-gdp", "other"] });
  });
});

describe("what lies between base and head", () => {
  const step = (commit: CommitId, after: Content | null, ...before: readonly (Content | null)[]): Step => ({
    commit,
    after,
    before,
  });

  it.each<[string, Step]>([
    ["a merge of a branch that lost", step(EDIT_IN_GIT, OLD, OLD, EDITED_IN_GIT)],
    ["a revision that says the same in other words", step(EDIT_IN_GIT, policy({ ttl: 10 }), OLD)],
    ["a revision of something else, while there was no object", step(EDIT_IN_GIT, null, null)],
  ])("is no change of git where it is %s: what is gone here was deleted here", (_, one) => {
    expect(decideLeader(facts("held it", "unchanged", "gone", { steps: [one] }))).toMatchObject({ kind: "entomb" });
  });

  it.each<[string, readonly Step[], CommitId]>([
    [
      "not the one that only touched the tombstone",
      [step(ROLLBACK, null, null), step(EDIT_IN_GIT, null, OLD)],
      EDIT_IN_GIT,
    ],
    ["also where it is a merge", [step(EDIT_IN_GIT, null, null, OLD)], EDIT_IN_GIT],
  ])("names the revision that deleted what is edited here, %s", (_, steps, expected) => {
    const decision = decideLeader(facts("held it", "deleted", "edited", { steps }));
    expect(decision).toMatchObject({ kind: "export", supersedes: [expected] });
  });
});
