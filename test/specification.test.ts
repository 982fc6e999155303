import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PROJECT } from "./support/process.ts";

/** What `test/SPEC.md` says of code and tests is so: files are there, and so are the functions and tests that it names. */

const specification = await readFile(join(PROJECT, "test/SPEC.md"), "utf8");
const rows = specification.split("\n").flatMap((line) => {
  const [, number, enforced = "", proved = ""] = /^\| (\d+) \| .* \| (.*) \| (.*) \|$/.exec(line) ?? [];
  return number === undefined ? [] : [{ number: Number(number), enforced, proved }];
});

it("numbers every invariant once, and leaves no number out", () => {
  expect(rows.map(({ number }) => number).toSorted((a, b) => a - b)).toEqual(rows.map((_, index) => index + 1));
});

describe.each(rows)("invariant $number", ({ enforced, proved }) => {
  it("is enforced by what is there", async () => {
    for (const [, path = "", functions = ""] of enforced.matchAll(/`([\w./-]+\.\w+)`((?: `\w+`,?)*)/g)) {
      const text = await textOf(path);
      for (const [, name = ""] of functions.matchAll(/`(\w+)`/g))
        expect(text, path).toMatch(new RegExp(`\\b${name}\\b`));
    }
  });

  it("is proved by tests that are there", async () => {
    for (const [, path = "", titles = ""] of proved.matchAll(/`([\w./-]+\.ts)`((?:,? "[^"]+")*)/g)) {
      const text = await textOf(path);
      for (const [, title = ""] of titles.matchAll(/"([^"]+)"/g)) expect(text, path).toMatch(patternOf(title));
    }
  });
});

async function textOf(path: string): Promise<string> {
  const found = ["src", "test", "deploy", "."]
    .map((folder) => join(PROJECT, folder, path))
    .find((one) => existsSync(one));
  expect(found, `${path} is there`).toBeDefined();
  return readFile(found ?? "", "utf8");
}

/** Titles are put together in tables; what stands for a part of them is an ellipsis. */
function patternOf(title: string): RegExp {
  return new RegExp(
    title
      .split("…")
      .map((part) => RegExp.escape(part.trim()))
      .join("[^]*"),
  );
}
