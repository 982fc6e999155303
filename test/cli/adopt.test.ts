import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { BASE_ANNOTATION, type LiveObject } from "../../src/core/model.ts";
import { live, schemas } from "../support/builders.ts";
import { runCommand } from "../support/command-line.ts";
import { createFakeCluster } from "../support/fakes/cluster.ts";
import { fixtureFiles, fixtureRemote } from "../support/fixture-remote.ts";

const PATHS = ["federation/gslbconfig/gc-1.yaml", "federation/globaldeploymentpolicy/global-gdp.yaml"];

function fixtureCluster(base: string | null = null) {
  const cluster = createFakeCluster({ name: "cluster2", schemas: schemas() });
  const spec = { clusterContext: "cluster2", isLeader: false, version: "1.4.2" };
  cluster.put(live("AMKOCluster", { name: "amkocluster-federation", spec }));
  for (const path of PATHS) {
    const object = parse(fixtureFiles()[path] ?? "") as LiveObject;
    const annotations = { ...object.metadata.annotations, ...(base !== null && { [BASE_ANNOTATION]: base }) };
    cluster.put({ ...object, metadata: { ...object.metadata, annotations } });
  }
  return cluster;
}

function editTtl(cluster: ReturnType<typeof fixtureCluster>): void {
  cluster.edit("GlobalDeploymentPolicy", (object) => ({ ...object, spec: { ...(object.spec as object), ttl: 60 } }));
}

describe("adopt", () => {
  it.each([
    ["wide", { columns: 120, colour: false }],
    ["narrow", { columns: 60, colour: false }],
    ["colour", { columns: 120, colour: true }],
  ] as const)("turns an edit in a cluster into a proposal, on a terminal that is %s", async (name, terminal) => {
    const { remote, head } = fixtureRemote();
    const cluster = fixtureCluster();
    editTtl(cluster);
    const options = { repository: remote.open(), cluster, terminal, answers: ["INC-7 by hand", "cluster2"] };
    const { exitCode, stdout } = await runCommand(["adopt", "--context", "cluster2"], options);
    expect([exitCode, remote.branch("main"), cluster.writes]).toEqual([0, head, []]);
    const proposed = remote.branch("amko/propose/cluster2/adopt");
    expect(proposed && remote.stored(proposed)).toMatchObject({
      parents: [head],
      message: "federation: adopt what cluster cluster2 holds\n\nspec.ttl: 10 -> 60\n\nINC-7 by hand\n",
    });
    await expect(stdout).toMatchFileSnapshot(`golden/adopt-${name}.txt`);
  });

  it("prints data", async () => {
    const { remote } = fixtureRemote();
    const cluster = fixtureCluster();
    editTtl(cluster);
    const args = ["adopt", "--context", "cluster2", "--reason", "INC-7", "--yes", "-o", "json"];
    const { stdout } = await runCommand(args, { repository: remote.open(), cluster });
    await expect(stdout).toMatchFileSnapshot("golden/adopt-json.txt");
  });

  it("says when there is nothing to adopt, also where the cluster is behind", async () => {
    const { remote, head } = fixtureRemote();
    const cluster = fixtureCluster(`main@sha1:${head}`);
    const options = { repository: remote.open(), cluster };
    const text = (fixtureFiles()[PATHS[1] ?? ""] ?? "").replace("ttl: 10", "ttl: 20");
    for (const _ of [1, 2]) {
      const { exitCode, stdout, questions } = await runCommand(["adopt", "--context", "cluster2"], options);
      expect([exitCode, questions]).toEqual([0, []]);
      expect(stdout).toContain("there is nothing to adopt");
      remote.push("main", { [PATHS[1] ?? ""]: text });
    }
  });

  it("exits with 3 where the cluster does not answer", async () => {
    const { remote } = fixtureRemote();
    const cluster = fixtureCluster();
    cluster.fail({ on: "list", code: "AG3001" });
    const { exitCode, stderr } = await runCommand(["adopt"], { repository: remote.open(), cluster });
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining("AG3001")]);
  });
});
