import { expect, test } from "vitest";
import { problem } from "../../src/core/catalogue.ts";
import { checkMemberCredentials } from "../../src/core/check-cluster.ts";

const refused = problem("AG4007", "the context runs a program (exec)");
const leader = { cluster: "cluster1", clusters: ["cluster1", "cluster2"], isLeader: true };

test.each([
  ["every member has a context", { cluster2: null }, "ok"],
  ["one that is no member cannot be used", { cluster2: null, laptop: refused }, "ok"],
  ["the leader's own cannot be used", { cluster1: refused, cluster2: null }, "ok"],
  ["a member's cannot be used", { cluster2: refused }, "failed"],
  ["a member has none", { cluster1: null }, "failed"],
] as const)("the credentials of members, where %s", (_, contexts, result) => {
  expect(checkMemberCredentials(new Map(Object.entries(contexts)), leader).result).toBe(result);
});
