import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  type CommittedChange,
  type ExportMessage,
  formatExportMessage,
  formatPersonMessage,
  parseMessage,
  TRAILERS,
  trailerValues,
} from "../../src/core/message.ts";
import type { CommitId, FederatedKind, Json } from "../../src/core/model.ts";
import { cluster } from "../support/builders.ts";

const A = "a".repeat(40) as CommitId;
const B = "b".repeat(40) as CommitId;

function change(fields: Partial<CommittedChange> = {}): CommittedChange {
  return {
    action: "update",
    kind: "GlobalDeploymentPolicy",
    name: "global-gdp",
    fields: [{ path: ["spec", "ttl"], before: 10, after: 20 }],
    reason: null,
    changedWith: null,
    supersedes: [],
    ...fields,
  };
}

function message(fields: Partial<ExportMessage> = {}): string {
  return formatExportMessage({
    changes: [change()],
    cluster: cluster("cluster1"),
    amkoVersion: "1.4.2",
    exportId: "e1",
    ...fields,
  });
}

const because = (reason: string): string => message({ changes: [change({ reason })] });
const paragraphs = (text: string): readonly string[] => text.trimEnd().split("\n\n");

describe("the commit of an export", () => {
  it("is made for a reader", () => {
    const text = message({
      changes: [
        change({
          fields: [
            { path: ["spec", "trafficSplit", { entry: "cluster1" }, "weight"], before: 8, after: 5 },
            { path: ["spec", "ttl"], before: 10, after: undefined },
          ],
          reason: "CHG-4211 move 15 % to the second site",
          changedWith: "kubectl-edit",
        }),
      ],
    });
    expect(text).toBe(`federation: update GlobalDeploymentPolicy global-gdp

spec.trafficSplit[cluster1].weight: 8 -> 5
spec.ttl: 10 -> (removed)

CHG-4211 move 15 % to the second site

Federated-From: cluster1
Amko-Version: 1.4.2
Changed-With: kubectl-edit
Object: GlobalDeploymentPolicy avi-system/global-gdp
Export-Id: e1
`);
  });

  it("names each kind where there are two, and says a common reason and writer once", () => {
    const common = { reason: "Because", changedWith: "helm" };
    const fields = [{ path: ["spec", "logLevel"], before: "INFO", after: "DEBUG" }];
    const text = message({
      changes: [change({ ...common, kind: "GSLBConfig", name: "gc-1", fields }), change(common)],
    });
    expect(text).toBe(`federation: update GSLBConfig gc-1, update GlobalDeploymentPolicy global-gdp

GSLBConfig
spec.logLevel: INFO -> DEBUG

GlobalDeploymentPolicy
spec.ttl: 10 -> 20

Because

Federated-From: cluster1
Amko-Version: 1.4.2
Changed-With: helm
Object: GSLBConfig avi-system/gc-1
Object: GlobalDeploymentPolicy avi-system/global-gdp
Export-Id: e1
`);
  });

  it("of a deletion lists no fields", () => {
    expect(paragraphs(message({ changes: [change({ action: "delete", fields: [] })] }))).toHaveLength(2);
  });

  it("names each commit that it overrides once", () => {
    const parsed = parseMessage(message({ changes: [change({ supersedes: [A, B] }), change({ supersedes: [B] })] }));
    expect(trailerValues(parsed, TRAILERS.supersedes)).toEqual([A, B]);
  });

  it("counts the fields beyond fifty", () => {
    const fields = Array.from({ length: 53 }, (_, i) => ({ path: [`f${i}`], before: 1, after: 2 }));
    const lines = paragraphs(message({ changes: [change({ fields })] }))[1]?.split("\n") ?? [];
    expect(lines).toHaveLength(51);
    expect(lines.at(-1)).toBe("(3 more fields)");
  });
});

describe("the reason that a person gave", () => {
  it.each([
    ["is one paragraph", "first\n\nsecond\r\nthird", "first second third"],
    ["loses control characters", "a\u0000b\u001b[31mc", "a b [31mc"],
    ["loses what turns the direction of text", "safe\u202Eevil\u2066", "safeevil"],
    ["loses line separators", "a\u2028b\u2029c", "a b c"],
    ["loses half a character", "a\ud83d", "a"],
    ["forges no trailer", "Federated-From: cluster2", "> Federated-From: cluster2"],
    ["forges no trailer behind a line break", "x\n\nFederated-From: cluster2", "x Federated-From: cluster2"],
    ["forges no trailer with a space", "Object : GSLBConfig avi-system/x", "> Object : GSLBConfig avi-system/x"],
    ["forges no cherry-pick", "(cherry picked from commit 123)", "> (cherry picked from commit 123)"],
    ["skips no check", "quick [skip ci]", "quick (skip ci)"],
    ["skips no check in capitals", "[CI SKIP]", "(CI SKIP)"],
    ["skips no check with spaces", "[ skip  ci ]", "(skip  ci)"],
    ["skips no check of GitHub", "[no ci] [skip actions] [actions skip]", "(no ci) (skip actions) (actions skip)"],
    ["skips no check of one service", "[skip travis] [netlify skip]", "(skip travis) (netlify skip)"],
    ["skips no check by dashes", "[skip-ci]", "(skip-ci)"],
    ["skips no check of Azure", "***NO_CI***", "NO_CI"],
    ["skips no check by a trailer", "skip-checks: true", "> skip-checks: true"],
    ["keeps other brackets", "[CHG-1] scale [3]", "[CHG-1] scale [3]"],
    ["keeps every language", "zweiter Standort, 第二, 🚀", "zweiter Standort, 第二, 🚀"],
  ])("%s", (_, reason, told) => {
    expect(paragraphs(because(reason))[2]).toBe(told);
  });

  it.each(["", "   ", "\n\n", "\u0000", "\u200b"])("is left out when nothing is left of it: %j", (reason) => {
    expect(paragraphs(because(reason))).toHaveLength(3);
  });

  it("has 500 characters at most, none of them cut in half", () => {
    const told = paragraphs(because(`${"x".repeat(499)}🚀🚀`))[2] ?? "";
    expect(told).toBe(`${"x".repeat(499)}🚀`);
    expect(told.isWellFormed()).toBe(true);
  });
});

describe("trailers", () => {
  it.each<[string, string, readonly string[]]>([
    ["are read of the last paragraph", "s\n\nb\n\nA: 1\nB-c: 2\n", ["A=1", "B-c=2"]],
    ["are none where a line of it is no trailer", "s\n\nA: 1\nand text\n", []],
    ["are none in the subject", "A: 1\n", []],
    ["are read with CRLF", "s\r\n\r\nA: 1\r\n", ["A=1"]],
    ["may have an empty value", "s\n\nA:\n", ["A="]],
    ["lose spaces around them", "s\n\nA :  1  \n", ["A=1"]],
    ["are read without a last line break", "s\n\nA: 1", ["A=1"]],
    ["are none of an empty message", "", []],
    ["ignore earlier paragraphs that look like them", "s\n\nObject: x\n\nA: 1\n", ["A=1"]],
  ])("%s", (_, text, expected) => {
    expect(parseMessage(text).trailers.map(({ key, value }) => `${key}=${value}`)).toEqual(expected);
  });

  it("are found whatever the case of their key", () => {
    expect(trailerValues(parseMessage("s\n\nEXPORT-ID: x\nexport-id: y\n"), TRAILERS.exportId)).toEqual(["x", "y"]);
  });

  it("are looked for in the first part of an endless message only", () => {
    expect(parseMessage(`${"x".repeat(100_000)}\n\nA: 1\n`).trailers).toEqual([]);
  });

  test("parse back exactly as given, and no others, whatever the object's values and annotations are", () =>
    fc.assert(
      fc.property(
        fc.array(hostileChange(), { minLength: 1, maxLength: 2 }),
        fc.stringMatching(/^[a-z][a-z0-9.-]{0,20}$/),
        fc.stringMatching(/^[0-9]\.[0-9]{1,2}\.[0-9]$/),
        fc.stringMatching(/^[0-9a-f]{32}$/),
        (changes, name, amkoVersion, exportId) => {
          const text = formatExportMessage({ changes, cluster: cluster(name), amkoVersion, exportId });
          const parsed = parseMessage(text);
          const { changedWith, ...told } = Object.fromEntries(
            Object.entries(TRAILERS).map(([what, key]) => [what, trailerValues(parsed, key)]),
          );
          expect(told).toEqual({
            from: [name],
            version: [amkoVersion],
            object: changes.map((one) => `${one.kind} avi-system/${one.name}`),
            supersedes: [...new Set(changes.flatMap(({ supersedes }) => supersedes))],
            exportId: [exportId],
          });
          expect(changedWith?.length).toBeLessThanOrEqual(changes.length);
          expect(parsed.trailers).toHaveLength([...Object.values(told), changedWith].flat().length);
          expect(parsed.subject).toMatch(/^federation: /);
          expect(text.isWellFormed()).toBe(true);
          expect(text).not.toMatch(/\[(skip|no|ci) ?(ci|skip)\]/i);
        },
      ),
    ));
});

/** Text that tries to look like something else. */
function hostileText(): fc.Arbitrary<string> {
  const tricks = ["\n\n", "\r\n", "Federated-From: evil", "Export-Id: 0", "[skip ci]", "\u2028", "\ud83d", ": ", "🚀"];
  return fc
    .array(fc.oneof(fc.constantFrom(...tricks), fc.string({ unit: "binary" })), { maxLength: 8 })
    .map((parts) => parts.join(""));
}

function hostileChange(): fc.Arbitrary<CommittedChange> {
  const value = fc.oneof(hostileText(), fc.integer(), fc.constant(undefined), fc.jsonValue()) as fc.Arbitrary<
    Json | undefined
  >;
  const step = fc.oneof(
    hostileText(),
    hostileText().map((entry) => ({ entry })),
  );
  return fc.record({
    action: fc.constantFrom("create", "update", "delete"),
    kind: fc.constantFrom<FederatedKind>("GSLBConfig", "GlobalDeploymentPolicy"),
    name: fc.stringMatching(/^[a-z][a-z0-9-]{0,20}[a-z0-9]$/),
    fields: fc.array(fc.record({ path: fc.array(step, { maxLength: 3 }), before: value, after: value }), {
      maxLength: 4,
    }),
    reason: fc.option(hostileText()),
    changedWith: fc.option(hostileText()),
    supersedes: fc.uniqueArray(fc.constantFrom(A, B)),
  });
}

describe("the message of a person's commit", () => {
  it.each([
    ["CHG-1 moved", "CHG-1 moved"],
    ["two\nlines\n\nand a paragraph", "two lines and a paragraph"],
    ["Federated-From: cluster2", "> Federated-From: cluster2"],
    ["a\n\nFederated-From: cluster2", "a Federated-From: cluster2"],
    ["quick [skip ci]", "quick (skip ci)"],
    ["\u001b[31mred\u202e", "[31mred"],
  ])("keeps %j as one paragraph that is no agent's word", (reason, paragraph) => {
    const message = formatPersonMessage({ subject: "switch over to cluster2", changes: [], reason });
    expect(message).toBe(`federation: switch over to cluster2\n\n${paragraph}\n`);
    expect(parseMessage(message).trailers).toEqual([]);
  });
});
