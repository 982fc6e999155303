import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseExactJson } from "../../src/kubernetes/json.ts";

describe("reading JSON", () => {
  it("reads what JSON.parse reads, as long as every integer is safe", () =>
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        // fast-check's doubles may be written as integers beyond 2^53; those are the other test's.
        fc.pre(!/(?<![.\deE])-?\d{16,}(?![.\deE])/.test(text.replace(/"(?:[^"\\]|\\.)*"/g, '""')));
        expect(parseExactJson(text)).toEqual(JSON.parse(text));
      }),
    ));

  it.each([
    ['{"spec":{"ttl":9007199254740993}}', "spec.ttl is 9007199254740993"],
    ['{"items":[{"spec":1},{"spec":[0,-9007199254740992]}]}', "items[1].spec[1] is -9007199254740992"],
    ['{"spec":{"ttl":1e999}}', "spec.ttl is 1e999"],
  ])("refuses %s and names the field", (text, message) => {
    expect(() => parseExactJson(text)).toThrow(expect.objectContaining({ code: "AG1014" }));
    expect(() => parseExactJson(text)).toThrow(message);
  });

  it.each([
    ['{"ttl":9007199254740991}', { ttl: 9_007_199_254_740_991 }],
    ['{"text":"9007199254740993"}', { text: "9007199254740993" }],
    ['{"share":0.1}', { share: 0.1 }],
  ])("keeps %s", (text, value) => {
    expect(parseExactJson(text)).toEqual(value);
  });
});
