import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { type ReadableDocument, readDocument, TOKENS_MAX } from "../../src/core/document.ts";
import { FILE_SIZE_MAX_BYTES, type Json, type RevisionFile } from "../../src/core/model.ts";
import { file, notAFile } from "../support/builders.ts";

const PATH = "clusters/cluster1/amkocluster.yaml";

function read(content: string | Uint8Array) {
  return readDocument(file(PATH, content));
}

function readable(content: string | Uint8Array): ReadableDocument {
  const document = read(content);
  if (!document.ok) throw new Error(document.problem.message);
  return document;
}

describe("a document is read as Kubernetes reads it", () => {
  it.each<[string, string | Uint8Array, Json]>([
    [
      "text, numbers and words",
      "a: x\nb: 12\nc: yes\nd: 014\ne: ~\nf:",
      { a: "x", b: 12, c: true, d: 12, e: null, f: null },
    ],
    ["quoted scalars", `a: "yes"\nb: '014'\nc: "~"`, { a: "yes", b: "014", c: "~" }],
    ["times and dates, which are text", "a: 12:30\nb: 2001-01-01", { a: "12:30", b: "2001-01-01" }],
    ["block scalars", "a: |\n  x\n   y\nb: >-\n  x\n  y\n", { a: "x\n y\n", b: "x y" }],
    ["flow collections", "{a: [1, {b: 2}, x], c}", { a: [1, { b: 2 }, "x"], c: null }],
    ["JSON", '{"a": ["\\u00e9", 1e3, true, null]}', { a: ["é", 1000, true, null] }],
    ["carriage returns before line feeds", "a:\r\n  b: |\r\n    x\r\n    y\r\n", { a: { b: "x\ny\n" } }],
    ["a byte order mark at the start", new Uint8Array([0xef, 0xbb, 0xbf, ...Buffer.from("a: 1")]), { a: 1 }],
    ["document marks around one document", "# c\n---\na: 1\n...\n# d\n", { a: 1 }],
    ["escapes in double quotes", '"\\x41\\u0085\\U0001F600\\ud83d\\ude00"', "A\u0085😀😀"],
    ["a quoted merge key, which is a key", '"<<": {a: 1}', { "<<": { a: 1 } }],
    ["a list alone", "- a\n- b", ["a", "b"]],
    ["nothing but comments", "# nothing\n", null],
    ["nothing", "", null],
  ])("%s", (_, text, value) => {
    expect(readable(text).value).toEqual(value);
  });

  it("keeps keys of prototypes as data", () => {
    const { value } = readable("__proto__: {polluted: true}\nconstructor: {prototype: {polluted: true}}\n");
    expect(Object.keys(value as object)).toEqual(["__proto__", "constructor"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe("a document is refused", () => {
  const refusals: readonly [string, string, number | null, string | Uint8Array][] = [
    ["that is a Git LFS pointer", "AG1003", 1, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"],
    ["that is not UTF-8", "AG1004", null, new Uint8Array([0x61, 0x3a, 0x20, 0xe9])],
    ["in UTF-16", "AG1004", null, new Uint8Array([0xff, 0xfe, 0x61, 0x00])],
    ["with surrogates in UTF-8", "AG1004", null, new Uint8Array([0xed, 0xa0, 0x80])],
    ["that is malformed", "AG1005", 2, "a: 1\nb: 'open"],
    ["with a bracket too many", "AG1005", 3, "a: [1]\nb: 2\n]\n"],
    ["with a directive", "AG1005", 1, "%YAML 1.1\n---\na: yes\n"],
    ["with a key beside a text", "AG1005", 2, "a: 1\nb: c: d\n"],
    ["indented by tabs", "AG1005", 2, "a:\n\tb: 1\n"],
    ["with control characters", "AG1005", 2, "a: 1\nb: \u0007\n"],
    ["with a line separator, which some readers take for a line break", "AG1005", 2, "a: 1\nb: x\u2028y\n"],
    ["with NEL", "AG1005", 1, "a: x\u0085y\n"],
    ["with a byte order mark inside", "AG1005", 1, "a: \ufeffb\n"],
    ["with a carriage return that ends no line", "AG1005", 1, "a: x\ry\n"],
    ["with half of a surrogate pair", "AG1005", 2, 'a: 1\nb: "\\ud800"\n'],
    ["with a tag", "AG1005", 2, "a: 1\nb: !!str 014\n"],
    ["with a tag of one's own", "AG1005", 1, "a: !secret x\n"],
    ["with a number as key", "AG1005", 2, "a: x\n1: y\n"],
    ["with a boolean as key", "AG1005", 1, "on: y\n"],
    ["with a list as key", "AG1005", 1, "? [a]\n: b\n"],
    ["with an empty key", "AG1005", 1, ": b\n"],
    ["that is nested too deep", "AG1005", 1, "[".repeat(101) + "]".repeat(101)],
    ["with a second document", "AG1006", 2, "a: 1\n---\nb: 1\n"],
    ["with an empty second document", "AG1006", 2, "a: 1\n---\n"],
    ["with a duplicate key", "AG1007", 3, "a: 1\nb: 2\na: 3\n"],
    ["with a duplicate key inside, spelled in two ways", "AG1007", 3, "x:\n  a: 1\n  'a': 3\n"],
    ["with an anchor", "AG1008", 1, "a: &x 1\n"],
    ["with an alias", "AG1008", 2, "a: 1\nb: *x\n"],
    ["with an anchor at a key", "AG1008", 1, "&x a: 1\n"],
    ["with a merge key", "AG1008", 2, "a: 1\n<<: {b: 2}\n"],
    ["with an integer that JavaScript rounds", "AG1014", 2, "a: 1\nb: 9007199254740993\n"],
    ["with infinity", "AG1014", 1, "a: .inf\n"],
  ];
  it.each(refusals)("%s: %s", (_, code, line, content) => {
    const document = read(content);
    expect(document).toMatchObject({ ok: false, problem: { code, line, path: PATH, severity: "error" } });
  });

  it.each<[string, string, RevisionFile]>([
    ["that is a symlink", "AG1001", notAFile(PATH, "symlink")],
    ["that is a submodule", "AG1001", notAFile(PATH, "submodule")],
    ["that was too large to be read", "AG1002", { ...file(PATH, ""), size: FILE_SIZE_MAX_BYTES + 1, bytes: null }],
    ["that is too large", "AG1002", file(PATH, new Uint8Array(FILE_SIZE_MAX_BYTES + 1).fill(0x20))],
  ])("%s: %s", (_, code, refused) => {
    expect(readDocument(refused)).toMatchObject({ ok: false, problem: { code, path: PATH } });
  });
});

describe("lines", () => {
  const { lineOf } = readable("a: 1\n# comment\nb:\n  c:\n    - d: 1\n      e: 2\n    - f\n");

  it.each([
    [["b"], 3],
    [["b", "c", 0, "e"], 6],
    [["b", "c", 1], 7],
    [["b", "missing"], 3],
    [["b", "c", 5], 4],
    [["missing"], 1],
    [[], 1],
  ])("%j is found at line %i", (path, line) => {
    expect(lineOf(path)).toBe(line);
  });

  it("are none in an empty file", () => {
    expect(readable("").lineOf(["a"])).toBeNull();
  });
});

describe("hostile text", () => {
  const filled = (unit: string): string => unit.repeat(Math.floor(FILE_SIZE_MAX_BYTES / unit.length));
  it.each([
    ["opening brackets", filled("[")],
    ["opening braces", filled("{a: ")],
    ["dashes", filled("- ")],
    ["question marks", filled("? ")],
    ["closing brackets", filled("]")],
    ["commas", `[${filled(",").slice(2)}]`],
    ["anchors", filled("&a ")],
    ["tags", filled("!a ")],
    ["directives", filled("%a\n")],
    ["documents", filled("---\n")],
    ["keys", Array.from({ length: 80_000 }, (_, index) => `k${index}: 1\n`).join("")],
    ["bad escapes", `"${filled("\\z").slice(2)}"`],
    ["an open quote", `"${filled("a\n").slice(1)}`],
    ["comments", filled("#\n")],
  ])("of nothing but %s is settled within seconds, without an exception", { timeout: 20_000 }, (_, text) => {
    expect(read(text)).toBeDefined();
  });

  it("is told as too large when it has too many tokens", () => {
    expect(read(`[${"a,".repeat(TOKENS_MAX / 2)}]`)).toMatchObject({ ok: false, problem: { code: "AG1002" } });
  });
});

test("any bytes are read or refused, never thrown about", () => {
  const yamlish = fc.string({
    unit: fc.constantFrom(..."ab:- \n\t\"'[]{}?|>&*!%#,0.~\r\ufeff\u0085", "---\n", "<<", "__proto__"),
  });
  const contents = fc.oneof(yamlish, fc.string({ unit: "binary" }), fc.uint8Array({ maxLength: 200 }));
  fc.assert(
    fc.property(contents, (content) => {
      const document = read(content);
      if (document.ok) expect(() => JSON.stringify(document.value)).not.toThrow();
      else expect(document.problem.path).toBe(PATH);
    }),
    { numRuns: 2000 },
  );
  expect(Object.keys(Object.prototype)).toEqual([]);
});
