import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makePatchedCopy } from "./patched-copy.ts";

const FILE = "src/core/canonical.ts";
const PATCH = { file: FILE, search: "export function canonicalYaml", replacement: "export function canonical$&" };

describe("a patched copy", () => {
  it("is broken in one place, put back, and gone in the end, while the project stays as it is", async () => {
    const before = await readFile(FILE, "utf8");
    const copy = await makePatchedCopy();
    await copy.apply(PATCH);
    expect(await readFile(join(copy.path, FILE), "utf8")).toBe(before.replace(PATCH.search, () => PATCH.replacement));
    expect(await readFile(FILE, "utf8")).toBe(before);
    await copy.restore();
    expect(await readFile(join(copy.path, FILE), "utf8")).toBe(before);
    await copy[Symbol.asyncDispose]();
    expect(existsSync(copy.path)).toBe(false);
  });

  it("is not made of a place that is not there, or there twice", async () => {
    await using copy = await makePatchedCopy();
    await expect(copy.apply({ ...PATCH, search: "no such words" })).rejects.toThrow("0 times, and not once");
    await expect(copy.apply({ ...PATCH, search: "return" })).rejects.toThrow(/\d+ times, and not once/);
  });
});
