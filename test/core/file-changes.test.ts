import { expect, it } from "vitest";
import { changesBetween, isAllThatChanged } from "../../src/core/file-changes.ts";
import type { ObjectId, RevisionFile } from "../../src/core/model.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function file(path: string, text: string): RevisionFile {
  return { path, type: "file", id: text as ObjectId, size: text.length, bytes: bytesOf(text) };
}

const BEFORE = [file("kept", "1"), file("edited", "1"), file("gone", "1")];
const AFTER = [file("kept", "1"), file("edited", "2"), file("added", "1")];
const CHANGES = [
  { path: "gone", bytes: null },
  { path: "added", bytes: bytesOf("1") },
  { path: "edited", bytes: bytesOf("2") },
];

it("finds what was edited, added and removed", () => {
  const found = changesBetween(BEFORE, AFTER).map(({ path, bytes }) => [
    path,
    bytes && new TextDecoder().decode(bytes),
  ]);
  expect(Object.fromEntries(found)).toEqual({ gone: null, added: "1", edited: "2" });
});

it("tells changes from others: one less, one more, or another one", () => {
  expect(isAllThatChanged(CHANGES, BEFORE, AFTER)).toBe(true);
  expect(isAllThatChanged([...CHANGES, { path: "kept", bytes: bytesOf("1") }], BEFORE, AFTER)).toBe(true);
  for (const one of CHANGES) {
    expect(
      isAllThatChanged(
        CHANGES.filter((other) => other !== one),
        BEFORE,
        AFTER,
      ),
      one.path,
    ).toBe(false);
  }
  expect(isAllThatChanged([...CHANGES, { path: "kept", bytes: bytesOf("2") }], BEFORE, AFTER)).toBe(false);
});
