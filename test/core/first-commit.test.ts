import { expect, test } from "vitest";
import { firstFiles } from "../../src/core/first-commit.ts";
import { readTemplate } from "../../src/shipped.ts";
import { cluster } from "../support/builders.ts";

const README = "cluster1 leads.\n+++ b/clusters/cluster1/amkocluster.yaml\n+++ b/clusters/cluster2/amkocluster.yaml\n";

test.each([
  [["prod-cluster1", "prod-cluster2"], "prod-cluster1 leads.", "prod-cluster1", "prod-cluster2"],
  [["cluster2", "cluster1"], "cluster2 leads.", "cluster2", "cluster1"],
  [["arn:a/b", "cluster1"], "arn:a/b leads.", "arn%3Aa%2Fb", "cluster1"],
])("the README speaks of %j and of their folders", (names, sentence, first, second) => {
  const [leader = "", ...others] = names;
  const files = firstFiles(
    {
      clusters: [leader, ...others].map((name) => ({ name: cluster(name), version: "1.4.2", objectName: "a" })),
      leader: cluster(leader),
      snapshots: [],
      template: [{ path: "README.md", bytes: new TextEncoder().encode(README) }],
    },
    { branch: "main", refPrefix: "amko" },
  );
  const text = new TextDecoder().decode(files.find(({ path }) => path === "README.md")?.bytes);
  const manifestOf = (folder: string) => `clusters/${folder}/amkocluster.yaml`;
  expect(text.split("\n")).toEqual([sentence, `+++ b/${manifestOf(first)}`, `+++ b/${manifestOf(second)}`, ""]);
  expect(files.map(({ path }) => path)).toEqual(expect.arrayContaining([manifestOf(first), manifestOf(second)]));
});

test.each([
  ["trunk", "agents/federation"],
  ["main", "amko"],
])("README and gates speak of the branch %s and of the prefix %s", async (branch, refPrefix) => {
  const template = await readTemplate();
  const leader = cluster("cluster1");
  const clusters = ["cluster1", "cluster2", "cluster3"].map((name) => ({
    name: cluster(name),
    version: "1.4.2",
    objectName: "a",
  }));
  const files = firstFiles({ clusters, leader, snapshots: [], template }, { branch, refPrefix });
  for (const { path, bytes } of template) {
    const text = new TextDecoder().decode(files.find((file) => file.path === path)?.bytes);
    const [names, prefixes] = [text.match(/\bmain\b/g), text.match(/(?<![\w.-])amko\//g)];
    if (branch === "main") expect(path === "README.md" || text === new TextDecoder().decode(bytes)).toBe(true);
    else expect([names, prefixes]).toEqual([null, null]);
  }
  const gate = files.find(({ path }) => path.endsWith("validate.yaml"));
  expect(new TextDecoder().decode(gate?.bytes)).toContain(`branches: [${branch}]`);
});
