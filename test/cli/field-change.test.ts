import { expect, it } from "vitest";
import { renderFieldChange } from "../../src/cli/render/field-change.ts";
import type { Json } from "../../src/core/model.ts";

function render(before: Json | undefined, after: Json | undefined, columns = Number.POSITIVE_INFINITY): string {
  const stream = { write: () => undefined, isTerminal: false, colour: false, columns };
  return renderFieldChange({ path: ["spec", "x"], before, after }, stream);
}

const long = Array.from({ length: 100 }, (_, index) => `site-${index}`);

it.each<[string, Json | undefined, Json | undefined, string]>([
  ["numbers", 1, 2, "  spec.x: 1 -> 2\n"],
  ["a value that comes", undefined, "a b", '  spec.x: (none) -> "a b"\n'],
  ["a value that goes", null, undefined, "  spec.x: null -> (removed)\n"],
  ["a short list", ["a"], ["a", "b"], '  spec.x: ["a"] -> ["a","b"]\n'],
  ["an empty map", {}, [], "  spec.x: {} -> []\n"],
  ["a map that comes", undefined, { a: 1, b: [] }, "  spec.x:\n    + a: 1\n    + b: []\n"],
  ["a map that becomes a word", { a: 1 }, "a", "  spec.x:\n    - a: 1\n    + a\n"],
  ["a list of maps", [{ a: 1, b: 2 }], [{ a: 1, b: 3 }], "  spec.x:\n      - a: 1\n    -   b: 2\n    +   b: 3\n"],
])("shows %s", (_, before, after, expected) => {
  expect(render(before, after)).toBe(expected);
});

it("shows where a long list differs, however far from its start", () => {
  const lines = render(long, long.with(90, "other")).split("\n");
  expect(lines.filter((line) => /^ {4}[-+]/.test(line))).toEqual(["    - - site-90", "    + - other"]);
  expect(lines.length).toBeLessThan(15);
});

it("shows long text whole, and what nobody sees by its number", () => {
  const text = "x".repeat(300);
  expect(render(`${text}1`, `${text}2`)).toBe(`  spec.x:\n    - ${text}1\n    + ${text}2\n`);
  expect(render("a", "a\u200b")).toBe('  spec.x: a -> "a\\u{200b}"\n');
});

it("goes below the field where a terminal is narrow", () => {
  expect(render("one two", "three four", 20)).toBe("  spec.x:\n    - one two\n    + three four\n");
});
