import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  canonicalSegment,
  decodeClusterName,
  ENCODED_NAME_MAX_BYTES,
  encodeClusterName,
  parseClusterName,
} from "../../src/core/names.ts";
import { cluster } from "../support/builders.ts";

describe("a cluster's name", () => {
  it.each([
    ["cluster1", "cluster1"],
    ["kubernetes-admin@prod", "kubernetes-admin%40prod"],
    ["arn:aws:eks:eu-west-1:1:cluster/a", "arn%3Aaws%3Aeks%3Aeu-west-1%3A1%3Acluster%2Fa"],
    ["gke_project_europe-west3_a", "gke_project_europe-west3_a"],
    ["100%", "100%25"],
    ["two words", "two%20words"],
    ["Zürich", "Z%C3%BCrich"],
    ["🐑", "%F0%9F%90%91"],
    [".", "%2E"],
    ["..", "%2E%2E"],
    ["...", "%2E%2E%2E"],
    [".hidden", "%2Ehidden"],
    ["end.", "end%2E"],
    ["a..b", "a%2E%2Eb"],
    ["a.b.c", "a.b.c"],
    ["main.lock", "main%2Elock"],
    [".lock", "%2Elock"],
    ["a.lock.b", "a.lock.b"],
    ["a.lock.", "a.lock%2E"],
    ["@", "%40"],
    ["a@{1}", "a%40%7B1%7D"],
    ["-flag", "-flag"],
    ["..\\..\\etc", "%2E%2E%5C%2E%2E%5Cetc"],
    ["../../etc/passwd", "%2E%2E%2F%2E%2E%2Fetc%2Fpasswd"],
  ])("%j is spelled %s", (name, segment) => {
    expect(encodeClusterName(cluster(name))).toBe(segment);
    expect(decodeClusterName(segment)).toBe(name);
  });

  it.each([
    ["it is empty", ""],
    ["it holds a control character", "a\nb"],
    ["it holds NUL", "a\0b"],
    ["it holds half of a surrogate pair", "a\ud800b"],
    ["it is too long", "a".repeat(ENCODED_NAME_MAX_BYTES + 1)],
    ["it is too long once encoded", "ü".repeat(ENCODED_NAME_MAX_BYTES / 6 + 1)],
  ])("is refused when %s", (_, text) => {
    expect(parseClusterName(text)).toBeNull();
  });

  it("may be as long as the limit", () => {
    expect(parseClusterName("a".repeat(ENCODED_NAME_MAX_BYTES))).not.toBeNull();
  });
});

describe("a folder's name", () => {
  it.each([
    ["a letter that need not be encoded", "%61", "a"],
    ["lower-case digits", "a%2fb", "a%2Fb"],
    ["a character that must be encoded", "a b", "a%20b"],
    ["an at sign as it is", "kubernetes-admin@prod", "kubernetes-admin%40prod"],
    ["a leading dot", ".git", "%2Egit"],
    ["a trailing dot", "a.", "a%2E"],
    ["two dots", "a..b", "a%2E%2Eb"],
    ["a lock file's ending", "a.lock", "a%2Elock"],
  ])("with %s is refused, and its right spelling is told", (_, segment, canonical) => {
    expect(decodeClusterName(segment)).toBeNull();
    expect(canonicalSegment(segment)).toBe(canonical);
  });

  it.each(["", "%", "%4", "%ZZ", "%FF", "%C3%28", "a%00b", "%ED%A0%80", "a".repeat(ENCODED_NAME_MAX_BYTES + 1)])(
    "%j names no cluster",
    (segment) => {
      expect(decodeClusterName(segment)).toBeNull();
    },
  );
});

const REF_CHARACTERS = [..."aZ0._-@/:~^?*[\\%{} ü🐑", "lock", ".lock", ".."];

function names() {
  return fc
    .oneof(fc.string({ unit: fc.constantFrom(...REF_CHARACTERS), maxLength: 20 }), fc.string({ unit: "binary" }))
    .map(parseClusterName)
    .filter((name) => name !== null);
}

test("every name has one spelling, which is safe as a path segment and decodes back", () => {
  fc.assert(
    fc.property(names(), (name) => {
      const segment = encodeClusterName(name);
      expect(segment).toMatch(/^(?![.])[A-Za-z0-9._%-]+$/);
      expect(segment.length).toBeLessThanOrEqual(ENCODED_NAME_MAX_BYTES);
      expect(decodeClusterName(segment)).toBe(name);
    }),
  );
});

test("git accepts every name as a segment of a ref", () => {
  fc.assert(
    fc.property(names(), (name) => {
      const ref = `refs/heads/amko/applied/${encodeClusterName(name)}`;
      expect(spawnSync("git", ["check-ref-format", ref]).status, ref).toBe(0);
    }),
    { numRuns: 200 },
  );
});

test("any text decodes to nothing, or to a name with that very spelling", () => {
  const segments = fc.string({ unit: fc.constantFrom(..."aA.%2E0fFC3BC-_@ ", "lock"), maxLength: 12 });
  fc.assert(
    fc.property(fc.oneof(segments, fc.string({ unit: "binary" })), (segment) => {
      const name = decodeClusterName(segment);
      if (name !== null) expect(encodeClusterName(name)).toBe(segment);
    }),
  );
});
