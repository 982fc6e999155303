import { describe, expect, it } from "vitest";
import { readPushers } from "../../src/core/pushers.ts";
import { file } from "../support/builders.ts";

describe("the mapping of pushers", () => {
  it("names agents and people", () => {
    const read = readPushers(file("pushers.yaml", "# users\nagent-east: kubernetes-admin@east\njo: people\n"));
    expect(read.ok && [...read.pushers]).toEqual([
      ["agent-east", { kind: "agent", cluster: "kubernetes-admin@east", designates: false }],
      ["jo", { kind: "people" }],
    ]);
  });

  it("says which agents may make their own cluster the leader", () => {
    const text = "agent-east: { cluster: east, designates: true }\nagent-west:\n  cluster: west\n";
    const read = readPushers(file("pushers.yaml", text));
    expect(read.ok && [...read.pushers]).toEqual([
      ["agent-east", { kind: "agent", cluster: "east", designates: true }],
      ["agent-west", { kind: "agent", cluster: "west", designates: false }],
    ]);
  });

  it("says how a name is to be written that is spelled as folders spell it", () => {
    const read = readPushers(file("pushers.yaml", "jo: people\nagent: arn%3Aaws%3Aeks\n"));
    expect(read).toMatchObject({
      ok: false,
      problem: { line: 2, message: expect.stringContaining("write arn:aws:eks") },
    });
  });

  it.each([
    ["nothing", "", null],
    ["a list", "- jo\n", null],
    ["a number", "jo: people\nmax: 7\n", 2],
    ["an empty name", 'jo: ""\n', 1],
    ["a grant that is no yes or no", "agent: { cluster: east, designates: often }\n", 1],
    ["a grant that nobody knows", "agent: { cluster: east, exports: true }\n", 1],
    ["a grant for no cluster", "agent: { designates: true }\n", 1],
    ["a cluster that is called people", "agent: { cluster: people }\n", 1],
    ["a user twice", "jo: people\njo: cluster1\n", 2],
  ])("is refused when it holds %s", (_, text, line) => {
    expect(readPushers(file("pushers.yaml", text))).toMatchObject({ ok: false, problem: { line } });
  });
});
