import { expect, test } from "vitest";
import type { Json, JsonObject } from "../../../src/core/model.ts";
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch } from "../../../src/sandbox/api-server/patch.ts";

test.each<{ when: string; target: JsonObject; patch: Json; expected: Json }>([
  { when: "a value is given", target: { a: 1 }, patch: { a: 2, b: 3 }, expected: { a: 2, b: 3 } },
  { when: "null removes", target: { a: { b: 1, c: 2 } }, patch: { a: { b: null } }, expected: { a: { c: 2 } } },
  { when: "lists are replaced", target: { a: [1, 2] }, patch: { a: [3] }, expected: { a: [3] } },
  { when: "a text becomes an object", target: { a: "x" }, patch: { a: { b: null, c: 1 } }, expected: { a: { c: 1 } } },
])("merge patch: $when", ({ target, patch, expected }) => {
  expect(applyMergePatch(target, patch)).toEqual(expected);
});

test("a merge patch may not reach a prototype", () => {
  const patched = applyMergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}'));
  expect(JSON.stringify(patched)).toBe('{"__proto__":{"polluted":true}}');
  expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
});

test("a JSON patch is applied whole or not at all, and leaves its target as it was", () => {
  const target = { a: { b: 1 } };
  expect(applyJsonPatch(target, [{ op: "add", path: "/a/c", value: 2 }])).toEqual({ a: { b: 1, c: 2 } });
  const failing = [
    { op: "remove", path: "/a/b" },
    { op: "test", path: "/a/b", value: 1 },
  ];
  expect(() => applyJsonPatch(target, failing)).toThrow(expect.objectContaining({ code: 422 }));
  expect(target).toEqual({ a: { b: 1 } });
});

test.each<{ what: string; patch: Json; code: number }>([
  { what: "that is no list", patch: {}, code: 400 },
  { what: "that removes what is not there", patch: [{ op: "remove", path: "/x" }], code: 422 },
  { what: "that replaces what is not there", patch: [{ op: "replace", path: "/x", value: 1 }], code: 422 },
  { what: "with an unknown operation", patch: [{ op: "explode", path: "/a" }], code: 422 },
  { what: "that reaches for a prototype", patch: [{ op: "add", path: "/__proto__/x", value: 1 }], code: 422 },
  {
    what: "that is too long",
    patch: Array.from({ length: 10_001 }, () => ({ op: "test", path: "/a", value: 1 })),
    code: 413,
  },
])("refuses a JSON patch $what with $code", ({ patch, code }) => {
  expect(() => applyJsonPatch({ a: 1 }, patch)).toThrow(expect.objectContaining({ code }));
});

test.each<{ when: string; target: JsonObject; patch: Json; expected: Json }>([
  {
    when: "maps merge",
    target: { data: { a: "1" } },
    patch: { data: { b: "2" } },
    expected: { data: { a: "1", b: "2" } },
  },
  {
    when: "finalizers add up",
    target: { finalizers: ["a"] },
    patch: { finalizers: ["b"] },
    expected: { finalizers: ["a", "b"] },
  },
  {
    when: "a finalizer is taken out",
    target: { finalizers: ["a", "b"] },
    patch: { "$deleteFromPrimitiveList/finalizers": ["a"] },
    expected: { finalizers: ["b"] },
  },
  {
    when: "conditions merge by type",
    target: { conditions: [{ type: "A", status: "True", reason: "r" }, { type: "B" }] },
    patch: { conditions: [{ type: "A", status: "False" }, { type: "C" }, { type: "B", $patch: "delete" }] },
    expected: { conditions: [{ type: "A", status: "False", reason: "r" }, { type: "C" }] },
  },
  {
    when: "a map is replaced on demand",
    target: { data: { a: "1" } },
    patch: { data: { $patch: "replace", b: "2" } },
    expected: { data: { b: "2" } },
  },
  {
    when: "only some keys are retained",
    target: { source: { a: 1, b: 2 } },
    patch: { source: { $retainKeys: ["a", "c"], c: 3 } },
    expected: { source: { a: 1, c: 3 } },
  },
  {
    when: "the order of lists is asked for",
    target: { finalizers: ["a"] },
    patch: { "$setElementOrder/finalizers": ["a"] },
    expected: { finalizers: ["a"] },
  },
])("strategic merge patch: $when", ({ target, patch, expected }) => {
  expect(applyStrategicMergePatch(target, patch)).toEqual(expected);
});
