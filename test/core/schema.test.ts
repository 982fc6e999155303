import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/model.ts";
import { readSchema } from "../../src/core/schema.ts";

describe("a schema", () => {
  it.each<readonly [string, JsonObject]>([
    [
      'type must be one of object, array, string, integer, number, boolean, but is "text"',
      { properties: { a: { type: "text" } } },
    ],
    ["a must be an object", { properties: { a: "string" } }],
    ["required must be a list", { required: "a" }],
    ["required[] must be a string", { required: [1] }],
    ["maximum must be a number", { maximum: "5" }],
    ["pattern is no regular expression: (", { pattern: "(" }],
    ['x-kubernetes-list-type must be atomic, set or map, but is "bag"', { "x-kubernetes-list-type": "bag" }],
  ])("is refused: %s", (message, source) => {
    expect(() => readSchema(source)).toThrow(new TypeError(message));
  });

  it("reads an escape that Unicode expressions refuse", () => {
    expect(readSchema({ pattern: "^a\\-b$" }).pattern?.test("a-b")).toBe(true);
  });

  it("has no default where an explicit null stands", () => {
    expect(readSchema({ default: null }).default).toBeUndefined();
  });
});
