import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { isMap, isScalar, isSeq, parseDocument } from "yaml";
import { canonicalYaml } from "../../src/core/canonical.ts";
import { readDocument } from "../../src/core/document.ts";
import type { Json, JsonObject } from "../../src/core/model.ts";
import { file } from "../support/builders.ts";

describe("canonical YAML", () => {
  it("sorts keys, indents by two spaces and ends with one newline", () => {
    const object = { spec: { list: [{ b: 1, a: [] }, [1, [2]], {}], map: { z: null } }, kind: "X", apiVersion: "v1" };
    expect(canonicalYaml(object)).toBe(
      [
        ...["apiVersion: v1", "kind: X", "spec:", "  list:", "    - a: []", "      b: 1", "    - - 1", "      - - 2"],
        ...["    - {}", "  map:", "    z: null", ""],
      ].join("\n"),
    );
  });

  it("writes nothing as a map", () => {
    expect(canonicalYaml({})).toBe("{}\n");
  });

  it.each([
    ["a word", "cluster1", "cluster1"],
    ["words", "two words", "two words"],
    ["a version", "1.4.2", "1.4.2"],
    ["an address", "10.10.10.10", "10.10.10.10"],
    ["a UUID", "8ca0b8b6-4a5f-11ec-9f4e-0242ac130003", "8ca0b8b6-4a5f-11ec-9f4e-0242ac130003"],
    ["a context's name", "arn:aws:eks:eu-west-1:1:cluster/a", "arn:aws:eks:eu-west-1:1:cluster/a"],
    ["a name with an at sign", "kubernetes-admin@prod", "kubernetes-admin@prod"],
    ["an empty text", "", '""'],
    ["a number's text", "20.1", '"20.1"'],
    ["an octal number's text", "014", '"014"'],
    ["a boolean's text", "yes", '"yes"'],
    ["a boolean's text of YAML 1.1", "off", '"off"'],
    ["the letter y", "y", '"y"'],
    ["a null's text", "~", '"~"'],
    ["a time of YAML 1.1", "12:30", '"12:30"'],
    ["a date", "2021-07-29", '"2021-07-29"'],
    ["a merge key", "<<", '"<<"'],
    ["what looks like a map", "a: b", '"a: b"'],
    ["what looks like a comment", "a #b", '"a #b"'],
    ["blanks around", " a ", '" a "'],
    ["quotes and backslashes", 'a"\\', '"a\\"\\\\"'],
    ["control characters", "a\u0000\u001b\u0085", '"a\\u0000\\u001B\\u0085"'],
    ["a byte order mark", "\ufeffa", '"\\uFEFFa"'],
    ["what turns the direction of text", "a\u202eb", '"a\\u202Eb"'],
    ["other scripts", "Zürich 🐑", '"Zürich 🐑"'],
  ])("writes %s readably and safely", (_, text, written) => {
    expect(canonicalYaml({ a: text })).toBe(`a: ${written}\n`);
  });

  it.each([
    ["a paragraph", "one\n  two\n\nthree", "a: |-\n  one\n    two\n\n  three\n"],
    ["a paragraph that ends its line", "one\n---\n", "a: |\n  one\n  ---\n"],
    ["a blank at a line's end, which editors would cut", "one \ntwo", 'a: "one \\ntwo"\n'],
    ["a blank at the start", " one\ntwo", 'a: " one\\ntwo"\n'],
    ["newlines at the end", "one\n\n", 'a: "one\\n\\n"\n'],
    ["a carriage return", "one\r\ntwo", 'a: "one\\u000D\\ntwo"\n'],
  ])("writes %s", (_, text, written) => {
    expect(canonicalYaml({ a: text })).toBe(written);
  });

  it.each([
    [0, "0"],
    [-0, "0"],
    [-12, "-12"],
    [0.5, "0.5"],
    [2 ** 53 - 1, "9007199254740991"],
    [2 ** 60, "1.152921504606847e+18"],
    [1e21, "1e+21"],
    [5e-324, "5e-324"],
  ])("writes the number %d as %s", (number, written) => {
    expect(canonicalYaml({ a: number })).toBe(`a: ${written}\n`);
  });

  it("announces a key that is too long for a simple one", () => {
    const long = "k".repeat(2000);
    expect(canonicalYaml({ a: [{ [long]: { b: 1 } }] })).toBe(`a:\n  - ? ${long}\n    :\n      b: 1\n`);
  });
});

test("any object comes back from its canonical bytes, whoever reads them", () => {
  fc.assert(
    fc.property(objects(), (object) => {
      const text = canonicalYaml(object);
      const document = readDocument(file("x.yaml", text));
      if (!document.ok) throw new Error(document.problem.message);
      expect(document.value).toEqual(object);
      expect(canonicalYaml(document.value as JsonObject)).toBe(text);
      expect(readWithLibrary(text, "1.1")).toEqual(object);
      expect(readWithLibrary(text, "1.2")).toEqual(object);
    }),
    { numRuns: 1000 },
  );
});

test("the order in which keys were added leaves no trace", () => {
  fc.assert(
    fc.property(objects(), (object) => {
      const reversed = Object.fromEntries(Object.entries(object).reverse());
      expect(canonicalYaml(reversed)).toBe(canonicalYaml(object));
    }),
  );
});

const SURPRISES = [
  ...[
    "",
    " ",
    "a ",
    "\n",
    "a\n",
    "a\n\n",
    "\na",
    "a\nb",
    "a\n b\n",
    "a \nb",
    "---",
    "a\n---\nb",
    "...",
    "\t",
    "#",
    "a: b",
  ],
  ...[
    "a:",
    ":a",
    "- a",
    "? a",
    "yes",
    "on",
    "n",
    "014",
    "1_000",
    "12:30",
    "0x1F",
    "1e3",
    "e0",
    "2001-01-01",
    "~",
    "null",
    "=",
  ],
  ...[
    "<<",
    ".inf",
    "-.inf",
    ".nan",
    "1.4.2",
    "\u0085",
    "a\u2028b",
    "\ufeff",
    "😀",
    "é",
    "\u0000",
    '"',
    "'",
    "\\",
    "%a",
    "@a",
  ],
  ...[
    "`a",
    "*a",
    "&a",
    "!a",
    "|",
    ">",
    "{",
    "}",
    "[",
    "]",
    ",",
    "0o14",
    "+1",
    "-",
    "1,000",
    "0b1",
    "1.",
    ".5",
    "\r\n",
    "\uffff",
  ],
  ...["__proto__", "constructor", "x".repeat(2000), "a\n# b", "#a\nb"],
];

/** No negative zero, which JSON does not know, and only well-formed text, as a cluster holds it. */
function objects(): fc.Arbitrary<JsonObject> {
  const text = fc.oneof(
    fc.constantFrom(...SURPRISES),
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom(..."a0.-: \n#e_+x,y\"'") }),
  );
  const number = fc.oneof(fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true })).map((n) => n || 0);
  const { object } = fc.letrec<{ value: Json; object: JsonObject }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      text,
      number,
      fc.boolean(),
      fc.constant(null),
      fc.array(tie("value"), { maxLength: 4 }),
      tie("object"),
    ),
    object: fc.array(fc.tuple(text, tie("value")), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
  }));
  return object;
}

/** By the library's nodes, since its own conversion would lose a key such as `__proto__`. */
function readWithLibrary(text: string, version: "1.1" | "1.2"): Json {
  const document = parseDocument(text, { version });
  expect(document.errors).toEqual([]);
  const convert = (node: unknown): Json => {
    if (isSeq(node)) return node.items.map(convert);
    if (isMap(node)) return Object.fromEntries(node.items.map(({ key, value }) => [convert(key), convert(value)]));
    return isScalar(node) ? (node.value as Json) : null;
  };
  return convert(document.contents);
}
