import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diffLines } from "../../src/core/line-diff.ts";

const brief = (before: string, after: string): readonly string[] =>
  diffLines(before, after).map(({ kind, text }) => `${{ same: " ", removed: "-", added: "+", gap: "~" }[kind]}${text}`);

describe("a comparison by line", () => {
  it.each<[string, string, string, readonly string[]]>([
    ["nothing of equal texts", "a\nb\n", "a\nb\n", []],
    ["a line that changed", "a\nb\nc\n", "a\nB\nc\n", [" a", "-b", "+B", " c"]],
    ["a line that came", "a\nc\n", "a\nb\nc\n", [" a", "+b", " c"]],
    ["a line that went", "a\nb\nc\n", "a\nc\n", [" a", "-b", " c"]],
    ["a new text", "", "a\n", ["+a"]],
    ["a text that went", "a\n", "", ["-a"]],
    [
      "three lines around, and a gap between",
      "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n",
      "x\n2\n3\n4\n5\n6\n7\n8\n9\n10\ny\n",
      ["-1", "+x", " 2", " 3", " 4", "~", " 8", " 9", " 10", "-11", "+y"],
    ],
  ])("shows %s", (_, before, after, lines) => {
    expect(brief(before, after)).toEqual(lines);
  });

  it("leads from one text to the other", () => {
    const texts = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 7 });
    fc.assert(
      fc.property(texts, texts, (a, b) => {
        const lines = diffLines(a.map((line) => `${line}\n`).join(""), b.map((line) => `${line}\n`).join(""));
        if (lines.some(({ kind }) => kind === "gap")) return;
        const removed = lines.filter(({ kind }) => kind === "removed").map(({ text }) => text);
        const added = lines.filter(({ kind }) => kind === "added").map(({ text }) => text);
        expect(a.length - removed.length).toBe(b.length - added.length);
      }),
    );
  });

  it("counts a middle that is too long as replaced", () => {
    const long = (word: string): string => Array.from({ length: 2500 }, (_, index) => `${word}${index}\n`).join("");
    expect(diffLines(long("a"), long("b"))).toHaveLength(5000);
  });
});
