import { expect, test } from "vitest";
import { firstFiles } from "../../src/core/first-commit.ts";
import { cluster } from "../support/builders.ts";

const README = "cluster1 leads.\n+++ b/clusters/cluster1/amkocluster.yaml\n+++ b/clusters/cluster2/amkocluster.yaml\n";

test.each([
  [["prod-cluster1", "prod-cluster2"], "prod-cluster1 leads.", "prod-cluster1", "prod-cluster2"],
  [["cluster2", "cluster1"], "cluster2 leads.", "cluster2", "cluster1"],
  [["arn:a/b", "cluster1"], "arn:a/b leads.", "arn%3Aa%2Fb", "cluster1"],
])("the README speaks of %j and of their folders", (names, sentence, first, second) => {
  const [leader = "", ...others] = names;
  const files = firstFiles({
    clusters: [leader, ...others].map((name) => ({ name: cluster(name), version: "1.4.2", objectName: "a" })),
    leader: cluster(leader),
    snapshots: [],
    template: [{ path: "README.md", bytes: new TextEncoder().encode(README) }],
  });
  const text = new TextDecoder().decode(files.find(({ path }) => path === "README.md")?.bytes);
  const manifestOf = (folder: string) => `clusters/${folder}/amkocluster.yaml`;
  expect(text.split("\n")).toEqual([sentence, `+++ b/${manifestOf(first)}`, `+++ b/${manifestOf(second)}`, ""]);
  expect(files.map(({ path }) => path)).toEqual(expect.arrayContaining([manifestOf(first), manifestOf(second)]));
});
