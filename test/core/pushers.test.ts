import { describe, expect, it } from "vitest";
import { readPushers } from "../../src/core/pushers.ts";
import { file } from "../support/builders.ts";

describe("the mapping of pushers", () => {
  it("names agents and people", () => {
    const read = readPushers(file("pushers.yaml", "# users\nagent-east: kubernetes-admin@east\njo: people\n"));
    expect(read.ok && [...read.pushers]).toEqual([
      ["agent-east", { kind: "agent", cluster: "kubernetes-admin@east" }],
      ["jo", { kind: "people" }],
    ]);
  });

  it.each([
    ["nothing", "", null],
    ["a list", "- jo\n", null],
    ["a number", "jo: people\nmax: 7\n", 2],
    ["an empty name", 'jo: ""\n', 1],
    ["a user twice", "jo: people\njo: cluster1\n", 2],
  ])("is refused when it holds %s", (_, text, line) => {
    expect(readPushers(file("pushers.yaml", text))).toMatchObject({ ok: false, problem: { line } });
  });
});
