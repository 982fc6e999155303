import { describe, expect, it } from "vitest";
import { type ClusterStanding, type ClusterWord, describeStanding, standingAt } from "../../src/core/standing.ts";
import { commitId, federation, file, policy, revision, snapshotFile, withFiles } from "../support/builders.ts";

const HEAD = commitId("a");
const OLD = commitId("b");

const head = revision("a", federation());
const otherPolicy = withFiles(federation(), snapshotFile(policy({ ttl: 20 })));

interface Case {
  readonly when: string;
  readonly word: Partial<ClusterWord>;
  readonly expected: ClusterStanding;
  readonly told: string;
}

describe("where a cluster stands", () => {
  it.each<Case>([
    {
      when: "it acknowledged the head",
      word: { applied: HEAD, held: head },
      expected: { kind: "holds", applied: HEAD },
      told: "up to date",
    },
    {
      when: "nothing that is applied changed since",
      word: {
        applied: OLD,
        held: revision("b", withFiles(federation(), file("federation/gslbconfig/README.md", "x"))),
      },
      expected: { kind: "holds", applied: OLD },
      told: "up to date",
    },
    {
      when: "one kind changed since",
      word: { applied: OLD, held: revision("b", otherPolicy) },
      expected: { kind: "behind", applied: OLD, lacks: ["GlobalDeploymentPolicy"] },
      told: "behind, at bbbbbbbb",
    },
    {
      when: "what it acknowledged is not in the head's past",
      word: { applied: OLD },
      expected: { kind: "behind", applied: OLD, lacks: ["GSLBConfig", "GlobalDeploymentPolicy"] },
      told: "behind, at bbbbbbbb",
    },
    {
      when: "it says that it cannot apply, whatever it holds",
      word: { applied: HEAD, held: head, failure: "quota" },
      expected: { kind: "failing", applied: HEAD, reason: "quota" },
      told: "cannot apply: quota",
    },
    { when: "it said nothing", word: {}, expected: { kind: "unreported" }, told: "never reported" },
  ])("is $expected.kind when $when", ({ word, expected, told }) => {
    const standing = standingAt(head, { applied: null, held: null, failure: null, ...word });
    expect(standing).toEqual(expected);
    expect(describeStanding(standing)).toBe(told);
  });
});
