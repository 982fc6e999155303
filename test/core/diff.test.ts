import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  diffFields,
  type FieldChange,
  type FieldPath,
  formatFieldChange,
  formatFieldPath,
  formatFieldValue,
  keyedEntries,
} from "../../src/core/diff.ts";
import { deepEqual } from "../../src/core/json.ts";
import type { Json } from "../../src/core/model.ts";

const words = (changes: readonly FieldChange[]): readonly string[] => changes.map(formatFieldChange);

describe("the fields that differ", () => {
  it.each<{ when: string; before: Json; after: Json; gives: readonly string[] }>([
    { when: "nothing differs", before: { a: 1 }, after: { a: 1 }, gives: [] },
    { when: "only the order of keys differs", before: { a: 1, b: 2 }, after: { b: 2, a: 1 }, gives: [] },
    { when: "a value changed", before: { a: { b: 1 } }, after: { a: { b: 2 } }, gives: ["a.b: 1 -> 2"] },
    { when: "a field was removed", before: { ttl: 10 }, after: {}, gives: ["ttl: 10 -> (removed)"] },
    { when: "a field was added", before: {}, after: { ttl: 10 }, gives: ["ttl: (none) -> 10"] },
    { when: "a field became null", before: { ttl: 10 }, after: { ttl: null }, gives: ["ttl: 10 -> null"] },
    { when: "a map became a value", before: { a: { b: 1 } }, after: { a: 1 }, gives: ['a: {"b":1} -> 1'] },
    { when: "an empty map came", before: {}, after: { a: {} }, gives: ["a: (none) -> {}"] },
    { when: "a plain list changed", before: { a: [1, 2] }, after: { a: [2, 1] }, gives: ["a: [1,2] -> [2,1]"] },
    {
      when: "an entry of a list by cluster changed",
      before: { split: [{ cluster: "a", weight: 1 }, { cluster: "b" }] },
      after: { split: [{ cluster: "a", weight: 2 }, { cluster: "b" }] },
      gives: ["split[a].weight: 1 -> 2"],
    },
    {
      when: "entries of a list by clusterContext came and went",
      before: { members: [{ clusterContext: "a" }] },
      after: { members: [{ clusterContext: "b" }] },
      gives: ['members[a]: {"clusterContext":"a"} -> (removed)', 'members[b]: (none) -> {"clusterContext":"b"}'],
    },
    {
      when: "only the order of a keyed list differs",
      before: { split: [{ cluster: "a" }, { cluster: "b" }] },
      after: { split: [{ cluster: "b" }, { cluster: "a" }] },
      gives: ['split: [{"cluster":"a"},{"cluster":"b"}] -> [{"cluster":"b"},{"cluster":"a"}]'],
    },
    {
      when: "the lists are keyed differently",
      before: { split: [{ cluster: "a" }] },
      after: { split: [{ clusterContext: "a" }] },
      gives: ['split: [{"cluster":"a"}] -> [{"clusterContext":"a"}]'],
    },
    {
      when: "a name stands twice in a list, so that entries cannot be told apart",
      before: { split: [{ cluster: "a" }] },
      after: { split: [{ cluster: "a" }, { cluster: "a" }] },
      gives: ['split: [{"cluster":"a"}] -> [{"cluster":"a"},{"cluster":"a"}]'],
    },
    {
      when: "keys are those that every object inherits",
      before: JSON.parse('{"__proto__":1}') as Json,
      after: { constructor: 1 },
      gives: ["__proto__: 1 -> (removed)", "constructor: (none) -> 1"],
    },
  ])("are told when $when", ({ before, after, gives }) => {
    expect(words(diffFields(before, after))).toEqual(gives);
  });

  it("are none between nothing and nothing, and all of it where one side is missing", () => {
    expect(diffFields(undefined, undefined)).toEqual([]);
    expect(diffFields(undefined, { a: 1 }, ["spec"])).toEqual([{ path: ["spec"], before: undefined, after: { a: 1 } }]);
  });

  test("are none exactly where the values are equal", () =>
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (before, after) => {
        expect(diffFields(before as Json, after as Json).length === 0).toBe(deepEqual(before as Json, after as Json));
      }),
    ));
});

describe("a list with keys", () => {
  it.each<[string, Json, string | null]>([
    ["entries with cluster", [{ cluster: "a" }, { cluster: "b" }], "cluster"],
    ["entries with clusterContext", [{ clusterContext: "a" }], "clusterContext"],
    ["no entries", [], null],
    ["an entry without the key", [{ cluster: "a" }, { weight: 1 }], null],
    ["a key that is no string", [{ cluster: 1 }], null],
    ["an inherited key", [{}], null],
    ["one name twice", [{ cluster: "a" }, { cluster: "a" }], null],
    ["no list at all", { cluster: "a" }, null],
  ])("is judged: %s", (_, value, key) => {
    expect(keyedEntries(value)?.key ?? null).toBe(key);
  });
});

describe("a path", () => {
  it.each<[FieldPath, string]>([
    [["spec", "ttl"], "spec.ttl"],
    [["spec", "trafficSplit", { entry: "cluster1" }, "weight"], "spec.trafficSplit[cluster1].weight"],
    [["spec", "label", "app.io/name"], 'spec.label["app.io/name"]'],
    [["spec", { entry: "two words" }], 'spec["two words"]'],
    [["spec", { entry: "arn:aws:eks:eu-west-1:1:cluster/a" }], "spec[arn:aws:eks:eu-west-1:1:cluster/a]"],
    [["1st"], '["1st"]'],
    [["a", 'say "hi"\n'], 'a["say \\"hi\\"\\n"]'],
  ])("%j is written %s", (path, text) => {
    expect(formatFieldPath(path)).toBe(text);
  });
});

describe("a value", () => {
  it.each<[Json | undefined, string]>([
    ["INFO", "INFO"],
    ["10.10.10.10", "10.10.10.10"],
    ["two words", '"two words"'],
    ["(removed)", '"(removed)"'],
    ["", '""'],
    ["line\nbreak", '"line\\nbreak"'],
    [true, "true"],
    [null, "null"],
    [[1, "a"], '[1,"a"]'],
    [undefined, "(none)"],
  ])("%j is written %s", (value, text) => {
    expect(formatFieldValue(value, "(none)")).toBe(text);
  });

  it("is cut where it is long", () => {
    expect(formatFieldValue("x".repeat(1000), "")).toBe(`${"x".repeat(200)}…`);
  });
});
