import { describe, expect, it } from "vitest";
import { runCommand } from "../support/command-line.ts";
import { fixtureFiles, fixtureRemote } from "../support/fixture-remote.ts";
import { clusterWithAmko } from "./on-a-cluster.ts";

const PATH = "federation/globaldeploymentpolicy/global-gdp.yaml";
const LEADER = "clusters/cluster1/amkocluster.yaml";

function changedRemote() {
  const { remote } = fixtureRemote();
  const files = fixtureFiles();
  remote.push("main", {
    [PATH]: (files[PATH] ?? "").replace("ttl: 10", "ttl: 60"),
    [LEADER]: (files[LEADER] ?? "").replace("isLeader: true", "isLeader: false"),
  });
  return remote;
}

describe("diff", () => {
  it.each([
    ["wide", { columns: 120, colour: false }],
    ["narrow", { columns: 60, colour: false }],
    ["colour", { columns: 120, colour: true }],
  ] as const)("shows the head against its parent, %s", async (name, terminal) => {
    const { exitCode, stdout } = await runCommand(["diff"], { repository: changedRemote().open(), terminal });
    expect(exitCode).toBe(1);
    await expect(stdout).toMatchFileSnapshot(`golden/diff-${name}.txt`);
  });

  it("prints data", async () => {
    const { stdout } = await runCommand(["diff", "-o", "json"], { repository: changedRemote().open() });
    await expect(stdout).toMatchFileSnapshot("golden/diff-json.txt");
  });

  it("exits with 0 where nothing differs", async () => {
    const { exitCode, stdout } = await runCommand(["diff", "main", "main"], { repository: changedRemote().open() });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "Nothing differs.\n" });
  });

  it("compares the head with a live cluster", async () => {
    const cluster = clusterWithAmko("cluster2");
    const options = { repository: fixtureRemote().remote.open(), cluster };
    const { exitCode, stdout } = await runCommand(["diff", "--context", "cluster2"], options);
    expect(exitCode).toBe(1);
    expect(stdout).toContain("GSLBConfig gc-1 removed\n");
  });

  it("refuses revisions and a cluster at once", async () => {
    const { exitCode } = await runCommand(["diff", "main", "--context", "cluster2"]);
    expect(exitCode).toBe(2);
  });
});
