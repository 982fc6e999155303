import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { CATALOGUE } from "../src/core/catalogue.ts";

const SRC = fileURLToPath(new URL("../src/", import.meta.url));
const LINES_MAX = 300;

/** Given out, and used by nothing yet or by nothing any more: they are never given to something else. */
const RESERVED_CODES: ReadonlySet<string> = new Set(["AG5012"]);

const filesBelow = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.[jt]s$/.test(path))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(`${folder}${path}`, "utf8") }));
const FILES = filesBelow(SRC);
const TESTS = filesBelow(fileURLToPath(new URL("./", import.meta.url)));

/** Without comments: words may name what code must not use. */
function codeOf(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/(^|\s)\/\/.*$/gm, "");
}

const core = FILES.filter(({ path }) => path.startsWith("core/"));

describe("the core", () => {
  it.each(core)("$path knows neither clock nor chance nor world", ({ text }) => {
    expect(codeOf(text)).not.toMatch(
      /\bMath\.random\b|\bDate\b|\bperformance\.now\b|\bprocess\.|\bfetch\(|\bsetTimeout\b/,
    );
  });

  it.each(core)("$path imports nothing above it", ({ text }) => {
    const imports = [...text.matchAll(/from "([^"]+)"/g)].map(([, name = ""]) => name);
    expect(imports.filter((name) => !name.startsWith("./") && name !== "yaml")).toEqual([]);
  });
});

describe("the sources", () => {
  it.each(FILES)(`$path has ${LINES_MAX} lines at most`, ({ text }) => {
    expect(text.split("\n").length - 1).toBeLessThanOrEqual(LINES_MAX);
  });

  it.each(FILES)("$path throws what people can act on, in adapters and agent", ({ path, text }) => {
    if (!/^(agent|git|kubernetes)\//.test(path)) return;
    expect(codeOf(text)).not.toMatch(/throw new Error\(/);
  });

  it("export no value that nobody else uses", () => {
    const words = [...FILES, ...TESTS].map(({ path, text }) => ({ path, words: new Set(text.match(/\w+/g)) }));
    const unused = FILES.flatMap(({ path, text }) =>
      [...text.matchAll(/^export (?:async )?(?:function\*?|const|class) (\w+)/gm)]
        .map(([, name = ""]) => name)
        .filter((name) => !words.some((other) => other.path !== path && other.words.has(name)))
        .map((name) => `${path} ${name}`),
    );
    expect(unused).toEqual([]);
  });

  it("match no error by its text", () => {
    const matching = FILES.filter(({ text }) => /\.message\.(includes|match|startsWith|endsWith)\(/.test(codeOf(text)));
    expect(matching.map(({ path }) => path)).toEqual([]);
  });
});

describe("the catalogue", () => {
  const rest = FILES.filter(({ path }) => path !== "core/catalogue.ts")
    .map(({ text }) => text)
    .join("\n");

  it("knows every code that the sources name", () => {
    const named = new Set([...rest.matchAll(/"(AG\d{4})"/g)].map(([, code = ""]) => code));
    expect([...named].filter((code) => !Object.hasOwn(CATALOGUE, code))).toEqual([]);
  });

  it("holds no code that nothing uses", () => {
    const unused = Object.keys(CATALOGUE).filter((code) => !rest.includes(code) && !RESERVED_CODES.has(code));
    expect(unused).toEqual([]);
  });
});
