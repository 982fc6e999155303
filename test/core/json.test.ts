import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { deepEqual, isObject, member, sortedEntries } from "../../src/core/json.ts";
import type { Json } from "../../src/core/model.ts";

const withOwnProto = JSON.parse('{"__proto__": {"a": 1}}') as Json;

describe("deepEqual", () => {
  it.each<[string, Json | undefined, Json | undefined, boolean]>([
    ["objects whose keys stand in another order", { a: 1, b: { c: [] } }, { b: { c: [] }, a: 1 }, true],
    ["lists in another order", [1, 2], [2, 1], false],
    ["a list that is longer", [1], [1, 2], false],
    ["an object with one key more", { a: 1 }, { a: 1, b: 2 }, false],
    ["null and no value", null, undefined, false],
    ["no value twice", undefined, undefined, true],
    ["a number and its text", 1, "1", false],
    ["an empty list and an empty object", [], {}, false],
    ["a list and an object with its indices", ["a"], { 0: "a" }, false],
    ["a key that the other only inherits", { toString: 1 }, { valueOf: 1 }, false],
    ["an own __proto__ and none", withOwnProto, {}, false],
    ["an own __proto__ twice", withOwnProto, JSON.parse('{"__proto__": {"a": 1}}'), true],
  ])("of %s", (_, a, b, equal) => {
    expect(deepEqual(a, b)).toBe(equal);
    expect(deepEqual(b, a)).toBe(equal);
  });

  test("is what JSON's text with sorted keys says", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(deepEqual(a as Json, structuredClone(a) as Json)).toBe(true);
        expect(deepEqual(a as Json, b as Json)).toBe(sortedText(a as Json) === sortedText(b as Json));
      }),
    );
  });
});

describe("member", () => {
  it("is what the object itself has", () => {
    expect(member({ a: null }, "a")).toBeNull();
    expect(member(withOwnProto, "__proto__")).toEqual({ a: 1 });
  });

  it.each<[string, Json | undefined, string]>([
    ["inherited", {}, "constructor"],
    ["the prototype", {}, "__proto__"],
    ["of a list", ["a"], "length"],
    ["of a text", "a", "length"],
    ["of nothing", undefined, "a"],
  ])("is undefined where it is %s", (_, value, key) => {
    expect(member(value, key)).toBeUndefined();
  });
});

test("entries are sorted by code units, in every locale alike", () => {
  expect(sortedEntries({ b: 1, ä: 2, B: 3, a: 4, 10: 5, 9: 6 }).map(([key]) => key)).toEqual([
    "10",
    "9",
    "B",
    "a",
    "b",
    "ä",
  ]);
});

function sortedText(value: Json): string {
  return JSON.stringify(value, (_, inner: Json) =>
    isObject(inner) ? Object.fromEntries(sortedEntries(inner).map(([key, entry]) => [`_${key}`, entry])) : inner,
  );
}
