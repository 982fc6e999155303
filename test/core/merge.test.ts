import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { diffFields, formatFieldPath } from "../../src/core/diff.ts";
import { type Merge, type MergeInput, mergeContent, type Step } from "../../src/core/merge.ts";
import type { CommitId, Content, Json, JsonObject } from "../../src/core/model.ts";
import { equalContent } from "../../src/core/snapshot.ts";

const content = (spec: JsonObject, annotations: Readonly<Record<string, string>> = {}): Content => ({
  annotations,
  spec,
});

/** `c1` is the oldest revision after the base. */
const commit = (number: number): CommitId => String(number).padStart(40, "0") as CommitId;

/** The revisions after `base`, given oldest first, as a line without merges. */
function line(base: Content | null, ...revisions: readonly (Content | null)[]): readonly Step[] {
  const befores = [base, ...revisions];
  return revisions
    .map((after, index): Step => ({ commit: commit(index + 1), after, before: [befores[index] ?? null] }))
    .reverse();
}

/** Base, then what git said oldest first (the last is the head), and what the cluster holds. */
function merge(base: JsonObject, git: readonly JsonObject[], live: JsonObject): Merge {
  const revisions = git.map((spec) => content(spec));
  return mergeContent({
    base: content(base),
    live: content(live),
    head: revisions.at(-1) ?? content(base),
    steps: line(content(base), ...revisions),
  });
}

const paths = (of: Merge["fromCluster"]): readonly string[] => of.map(formatFieldPath);

interface Case {
  readonly when: string;
  readonly base: JsonObject;
  /** Oldest first. */
  readonly git: readonly JsonObject[];
  readonly live: JsonObject;
  readonly gives: JsonObject;
  readonly fromCluster?: readonly string[];
  readonly fromGit?: readonly string[];
  /** Numbers of the revisions that the cluster overrides. */
  readonly supersedes?: readonly number[];
}

function check({ base, git, live, gives, fromCluster = [], fromGit = [], supersedes = [] }: Case): void {
  const merged = merge(base, git, live);
  expect(merged.content.spec).toEqual(gives);
  expect(paths(merged.fromCluster)).toEqual(fromCluster.map((path) => `spec.${path}`));
  expect(paths(merged.fromGit)).toEqual(fromGit.map((path) => `spec.${path}`));
  expect(merged.supersedes).toEqual(supersedes.map(commit));
}

describe("a field", () => {
  it.each<Case>([
    { when: "changed nowhere stays", base: { a: 1 }, git: [{ a: 1 }], live: { a: 1 }, gives: { a: 1 } },
    {
      when: "changed in git only takes git's value",
      base: { a: 1 },
      git: [{ a: 2 }],
      live: { a: 1 },
      gives: { a: 2 },
      fromGit: ["a"],
    },
    {
      when: "changed in the cluster only takes the cluster's value",
      base: { a: 1 },
      git: [],
      live: { a: 2 },
      gives: { a: 2 },
      fromCluster: ["a"],
    },
    {
      when: "changed in the cluster takes its value beside another that git changed",
      base: { a: 1, b: 1 },
      git: [{ a: 1, b: 2 }],
      live: { a: 2, b: 1 },
      gives: { a: 2, b: 2 },
      fromCluster: ["a"],
      fromGit: ["b"],
    },
    {
      when: "changed on both sides takes the cluster's value, and the commit is named",
      base: { a: 1 },
      git: [{ a: 2 }],
      live: { a: 3 },
      gives: { a: 3 },
      fromCluster: ["a"],
      supersedes: [1],
    },
    {
      when: "changed on both sides to the same value is settled",
      base: { a: 1 },
      git: [{ a: 2 }],
      live: { a: 2 },
      gives: { a: 2 },
    },
    {
      when: "removed in git goes",
      base: { a: 1, b: 1 },
      git: [{ b: 1 }],
      live: { a: 1, b: 1 },
      gives: { b: 1 },
      fromGit: ["a"],
    },
    {
      when: "removed in the cluster goes",
      base: { a: 1, b: 1 },
      git: [],
      live: { b: 1 },
      gives: { b: 1 },
      fromCluster: ["a"],
    },
    {
      when: "removed in git and changed in the cluster stays, and the commit is named",
      base: { a: 1 },
      git: [{}],
      live: { a: 2 },
      gives: { a: 2 },
      fromCluster: ["a"],
      supersedes: [1],
    },
    {
      when: "added on both sides takes the cluster's value",
      base: {},
      git: [{ a: 1 }],
      live: { a: 2 },
      gives: { a: 2 },
      fromCluster: ["a"],
      supersedes: [1],
    },
    {
      when: "that is a plain list is one value",
      base: { a: [1] },
      git: [{ a: [1, 2] }],
      live: { a: [0, 1] },
      gives: { a: [0, 1] },
      fromCluster: ["a"],
      supersedes: [1],
    },
    {
      when: "that turned from a map into a value is one value",
      base: { a: { b: 1, c: 1 } },
      git: [{ a: { b: 2, c: 1 } }],
      live: { a: "none" },
      gives: { a: "none" },
      fromCluster: ["a"],
      supersedes: [1],
    },
    {
      when: "inside a map that both sides added is merged like any other",
      base: {},
      git: [{ map: { a: 1 } }],
      live: { map: { b: 1 } },
      gives: { map: { a: 1, b: 1 } },
      fromCluster: ["map.b"],
      fromGit: ["map.a"],
    },
  ])("$when", check);
});

describe("the range between base and head", () => {
  it.each<Case>([
    {
      when: "a rollback in git is a change: the cluster's edit overrides its newest commit",
      base: { a: 1 },
      git: [{ a: 2 }, { a: 1 }],
      live: { a: 3 },
      gives: { a: 3 },
      fromCluster: ["a"],
      supersedes: [2],
    },
    {
      when: "a cluster that took the first of two edits and was cut off takes the second",
      base: { a: 1 },
      git: [{ a: 2 }, { a: 3 }],
      live: { a: 2 },
      gives: { a: 3 },
      fromGit: ["a"],
    },
    {
      when: "a cluster that took an edit which was rolled back takes the rollback",
      base: { a: 1 },
      git: [{ a: 2 }, { a: 1 }],
      live: { a: 2 },
      gives: { a: 1 },
      fromGit: ["a"],
    },
    {
      when: "a cluster that was restored to the middle of the range takes the head in every field",
      base: { a: 1, b: 1 },
      git: [
        { a: 2, b: 1 },
        { a: 2, b: 2 },
        { a: 3, b: 3 },
      ],
      live: { a: 2, b: 2 },
      gives: { a: 3, b: 3 },
      fromGit: ["a", "b"],
    },
    {
      when: "an edit beside an older state of git is kept, the older state is not",
      base: { a: 1, b: 1 },
      git: [
        { a: 2, b: 1 },
        { a: 3, b: 1 },
      ],
      live: { a: 2, b: 9 },
      gives: { a: 3, b: 9 },
      fromCluster: ["b"],
      fromGit: ["a"],
    },
    {
      when: "a field that a revision took away and the next gave back is not missed in the cluster",
      base: { a: 1 },
      git: [{}, { a: 1 }],
      live: {},
      gives: { a: 1 },
      fromGit: ["a"],
    },
    {
      when: "a commit that touched another field is not named",
      base: { a: 1, b: 1 },
      git: [
        { a: 2, b: 1 },
        { a: 2, b: 2 },
      ],
      live: { a: 3, b: 1 },
      gives: { a: 3, b: 2 },
      fromCluster: ["a"],
      fromGit: ["b"],
      supersedes: [1],
    },
    {
      when: "the commits of two fields are named newest first",
      base: { a: 1, b: 1 },
      git: [
        { a: 2, b: 1 },
        { a: 2, b: 2 },
      ],
      live: { a: 3, b: 3 },
      gives: { a: 3, b: 3 },
      fromCluster: ["a", "b"],
      supersedes: [2, 1],
    },
  ])("$when", check);

  it("does not take a merge for the author of what one of its parents held", () => {
    const [base, edited] = [content({ a: 1 }), content({ a: 2 })];
    const steps: readonly Step[] = [
      { commit: commit(3), after: edited, before: [base, edited] },
      { commit: commit(2), after: edited, before: [base] },
    ];
    const merged = mergeContent({ base, live: content({ a: 3 }), head: edited, steps });
    expect(merged.supersedes).toEqual([commit(2)]);
  });

  it("takes a merge for the author of what none of its parents held", () => {
    const base = content({ a: 1 });
    const steps: readonly Step[] = [
      { commit: commit(3), after: content({ a: 4 }), before: [content({ a: 2 }), content({ a: 3 })] },
    ];
    const merged = mergeContent({ base, live: content({ a: 9 }), head: content({ a: 4 }), steps });
    expect(merged.supersedes).toEqual([commit(3)]);
  });

  it("counts a deletion and a return as changes of every field", () => {
    const base = content({ a: 1 });
    const steps = line(base, null, base);
    expect(mergeContent({ base, live: content({ a: 2 }), head: base, steps })).toMatchObject({
      content: { spec: { a: 2 } },
      supersedes: [commit(2)],
    });
  });
});

describe("a list by cluster", () => {
  const split = (...entries: readonly (readonly [string, number])[]): JsonObject => ({
    split: entries.map(([cluster, weight]) => ({ cluster, weight })),
  });

  it.each<Case>([
    {
      when: "merges entry by entry",
      base: split(["a", 1], ["b", 1]),
      git: [split(["a", 1], ["b", 2])],
      live: split(["a", 2], ["b", 1]),
      gives: split(["a", 2], ["b", 2]),
      fromCluster: ["split[a].weight"],
      fromGit: ["split[b].weight"],
    },
    {
      when: "takes the entries that either side added, the head's before the cluster's",
      base: split(["a", 1]),
      git: [split(["a", 1], ["g", 1])],
      live: split(["a", 1], ["c", 1]),
      gives: split(["a", 1], ["g", 1], ["c", 1]),
      fromCluster: ["split[c]"],
      fromGit: ["split[g]"],
    },
    {
      when: "loses the entry that one side removed",
      base: split(["a", 1], ["b", 1], ["c", 1]),
      git: [split(["b", 1], ["c", 1])],
      live: split(["a", 1], ["b", 1]),
      gives: split(["b", 1]),
      fromCluster: ["split[c]"],
      fromGit: ["split[a]"],
    },
    {
      when: "keeps the entry that was removed in git and edited in the cluster",
      base: split(["a", 1], ["b", 1]),
      git: [split(["b", 1])],
      live: split(["a", 2], ["b", 1]),
      gives: split(["b", 1], ["a", 2]),
      fromCluster: ["split[a]"],
      fromGit: ["split"],
      supersedes: [1],
    },
    {
      when: "merges where both sides filled an empty one",
      base: { split: [] },
      git: [split(["g", 1])],
      live: split(["c", 1]),
      gives: split(["g", 1], ["c", 1]),
      fromCluster: ["split[c]"],
      fromGit: ["split[g]"],
    },
    {
      when: "merges where both sides brought one",
      base: {},
      git: [split(["a", 1], ["g", 1])],
      live: split(["a", 1], ["c", 1]),
      gives: split(["a", 1], ["g", 1], ["c", 1]),
      fromCluster: ["split[c]"],
      fromGit: ["split[g]"],
    },
    {
      when: "that the cluster put into another order is changed in the cluster",
      base: split(["a", 1], ["b", 1]),
      git: [],
      live: split(["b", 1], ["a", 1]),
      gives: split(["b", 1], ["a", 1]),
      fromCluster: ["split"],
    },
    {
      when: "that git put into another order is changed in git",
      base: split(["a", 1], ["b", 1]),
      git: [split(["b", 1], ["a", 1])],
      live: split(["a", 1], ["b", 1]),
      gives: split(["b", 1], ["a", 1]),
      fromGit: ["split"],
    },
    {
      when: "keeps the cluster's order where git changed an entry only",
      base: split(["a", 1], ["b", 1]),
      git: [split(["a", 2], ["b", 1])],
      live: split(["b", 1], ["a", 1]),
      gives: split(["b", 1], ["a", 2]),
      fromCluster: ["split"],
      fromGit: ["split[a].weight"],
    },
    {
      when: "that only the cluster has keeps its place where git did nothing to the list",
      base: split(["a", 1], ["b", 1]),
      git: [],
      live: split(["a", 1], ["c", 1], ["b", 1]),
      gives: split(["a", 1], ["c", 1], ["b", 1]),
      fromCluster: ["split[c]"],
    },
    {
      when: "that only the cluster has comes last where git took one away and brought it back",
      base: split(["a", 1], ["b", 1]),
      git: [split(["a", 1]), split(["a", 1], ["b", 1])],
      live: split(["c", 1], ["a", 1]),
      gives: split(["a", 1], ["b", 1], ["c", 1]),
      fromCluster: ["split[c]"],
      fromGit: ["split[b]"],
    },
    {
      when: "in an order that git had in between are an older state of git",
      base: split(["a", 1], ["b", 1], ["c", 1]),
      git: [split(["b", 1], ["a", 1]), split(["a", 1], ["b", 1], ["c", 1])],
      live: split(["b", 1], ["a", 1], ["c", 1]),
      gives: split(["a", 1], ["b", 1], ["c", 1]),
      fromGit: ["split"],
    },
    {
      when: "are in an order of their own where git had but one of them in between",
      base: split(["a", 1], ["b", 1], ["c", 1]),
      git: [split(["a", 1]), split(["a", 1], ["b", 1], ["c", 1])],
      live: split(["b", 1], ["a", 1], ["c", 1]),
      gives: split(["b", 1], ["a", 1], ["c", 1]),
      fromCluster: ["split"],
    },
  ])("$when", check);
});

describe("annotations", () => {
  it("are merged as the spec is", () => {
    const merged = mergeContent({
      base: content({}, { "amko.vmware.com/a": "1" }),
      live: content({}, { "amko.vmware.com/a": "1", "amko.vmware.com/amko-uuid": "u" }),
      head: content({}, { "amko.vmware.com/a": "2" }),
      steps: line(content({}, { "amko.vmware.com/a": "1" }), content({}, { "amko.vmware.com/a": "2" })),
    });
    expect(merged.content.annotations).toEqual({ "amko.vmware.com/a": "2", "amko.vmware.com/amko-uuid": "u" });
    expect(paths(merged.fromCluster)).toEqual(['annotations["amko.vmware.com/amko-uuid"]']);
  });
});

describe("whatever the contents are, a merge", () => {
  test("with an unchanged cluster gives git's side", () =>
    fc.assert(
      fc.property(contents(), contents(), (base, head) => {
        const merged = mergeContent({ base, live: base, head, steps: line(base, head) });
        expect(equalContent(merged.content, head)).toBe(true);
        expect(merged.supersedes).toEqual([]);
      }),
    ));

  test("with an unchanged git gives the cluster's side", () =>
    fc.assert(
      fc.property(contents(), contents(), (base, live) => {
        const merged = mergeContent({ base, live, head: base, steps: [] });
        expect(equalContent(merged.content, live)).toBe(true);
        expect(merged.supersedes).toEqual([]);
      }),
    ));

  test("with a cluster that holds any revision of the range gives the head", () =>
    fc.assert(
      fc.property(contents(), fc.array(contents(), { minLength: 1, maxLength: 4 }), fc.nat(), (base, git, pick) => {
        const live = [base, ...git][pick % (git.length + 1)] ?? base;
        const head = git.at(-1) ?? base;
        const merged = mergeContent({ base, live, head, steps: line(base, ...git) });
        expect(equalContent(merged.content, head)).toBe(true);
      }),
    ));

  test("names changes of the cluster exactly where it differs from the head, and of git where from the cluster", () =>
    fc.assert(
      fc.property(inputs(), (input) => {
        const merged = mergeContent(input);
        expect(merged.fromCluster.length > 0).toBe(!equalContent(merged.content, input.head));
        expect(merged.fromGit.length > 0).toBe(!equalContent(merged.content, input.live));
      }),
    ));

  test("names only commits of the range, newest first, and only with a change of the cluster", () =>
    fc.assert(
      fc.property(inputs(), (input) => {
        const { supersedes, fromCluster } = mergeContent(input);
        expect(input.steps.map((step) => step.commit).filter((id) => supersedes.includes(id))).toEqual(supersedes);
        if (fromCluster.length === 0) expect(supersedes).toEqual([]);
      }),
    ));

  test("never loses a field that was changed on one side only", () =>
    fc.assert(
      fc.property(contents(), edits(), edits(), (base, inCluster, inGit) => {
        const disjoint = inGit.filter(({ path }) => !inCluster.some((other) => meet(path, other.path)));
        const [live, head] = [edit(base, inCluster), edit(base, disjoint)];
        const merged = mergeContent({ base, live, head, steps: line(base, head) });
        for (const { path, value } of [...inCluster, ...disjoint]) {
          expect(at(merged.content.spec, path), path.join(".")).toEqual(value);
        }
        expect(diffFields(merged.content.spec, edit(live, disjoint).spec)).toEqual([]);
      }),
    ));
});

function inputs(): fc.Arbitrary<MergeInput> {
  return fc
    .tuple(contents(), contents(), fc.array(contents(), { maxLength: 4 }))
    .map(([base, live, git]) => ({ base, live, head: git.at(-1) ?? base, steps: line(base, ...git) }));
}

/** Few keys and values, so that sides meet often. */
function contents(): fc.Arbitrary<Content> {
  const scalar = fc.constantFrom<Json>(1, 2, "x", null);
  const entries = (key: string) =>
    fc
      .uniqueArray(fc.tuple(fc.constantFrom("c1", "c2", "c3"), scalar), { selector: ([name]) => name, maxLength: 3 })
      .map((list): Json => list.map(([name, weight]) => ({ [key]: name, weight })));
  const map = fc.dictionary(fc.constantFrom("x", "y"), fc.oneof(scalar, fc.dictionary(fc.constantFrom("z"), scalar)));
  const value = fc.oneof(
    scalar,
    map,
    entries("cluster"),
    entries("clusterContext"),
    fc.array(scalar, { maxLength: 2 }),
  );
  const annotations = fc.dictionary(
    fc.constantFrom("amko.vmware.com/a", "amko.vmware.com/b"),
    fc.constantFrom("1", "2"),
  );
  return fc.record({
    annotations,
    spec: fc.dictionary(fc.constantFrom("a", "b", "c"), value as fc.Arbitrary<Json>),
  });
}

interface Edit {
  readonly path: readonly string[];
  readonly value: number;
}

/** Sets fields to new values, none inside another. */
function edits(): fc.Arbitrary<readonly Edit[]> {
  const path = fc.tuple(fc.constantFrom("m", "n"), fc.constantFrom("x", "y"), fc.constantFrom("p", "q"));
  return fc.uniqueArray(
    fc.record({ path: path as fc.Arbitrary<readonly string[]>, value: fc.integer({ min: 100, max: 999 }) }),
    { selector: (one) => one.path.join("."), maxLength: 4 },
  );
}

function meet(a: readonly string[], b: readonly string[]): boolean {
  return a.join(".") === b.join(".");
}

function edit(base: Content, changes: readonly Edit[]): Content {
  const set = (value: Json | undefined, [step = "", ...rest]: readonly string[], leaf: Json): Json => {
    const map = typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
    return { ...map, [step]: rest.length === 0 ? leaf : set(map[step], rest, leaf) };
  };
  const spec = changes.reduce<Json>((result, { path, value }) => set(result, path, value), base.spec);
  return { ...base, spec: spec as JsonObject };
}

function at(value: Json | undefined, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>(
    (inner, step) =>
      typeof inner === "object" && inner !== null && !Array.isArray(inner) ? (inner as JsonObject)[step] : undefined,
    value,
  );
}
