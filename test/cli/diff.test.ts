import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { House } from "../../src/cli/house.ts";
import type { KubernetesObject } from "../../src/core/model.ts";
import { runCommand } from "../support/command-line.ts";
import { createFakeRemote } from "../support/fakes/repository.ts";
import { fixtureFiles, fixtureRemote } from "../support/fixture-remote.ts";
import { clusterWithAmko } from "./on-a-cluster.ts";

const GDP = "federation/globaldeploymentpolicy/global-gdp.yaml";
const GC = "federation/gslbconfig/gc-1.yaml";
const manifestOf = (cluster: string): string => `clusters/${cluster}/amkocluster.yaml`;

const TERMINALS = [
  ["plain", null],
  ["colour", { columns: 120, colour: true }],
  ["wide", { columns: 120, colour: false }],
  ["narrow", { columns: 60, colour: false }],
] as const;

/** The file of fixtures/repo with parts of its text replaced. */
function edited(path: string, ...replacements: readonly (readonly [string, string])[]): Record<string, string> {
  return { [path]: replacements.reduce((text, [from, to]) => text.replace(from, to), fixtureFiles()[path] ?? "") };
}

/** One commit that does about everything that a commit can do. */
function changedRemote() {
  const { remote, head: first } = fixtureRemote();
  const second = remote.push("main", {
    ...edited(manifestOf("cluster1"), ["isLeader: true", "isLeader: false"]),
    ...edited(manifestOf("cluster2"), ["isLeader: false", "isLeader: true"], ["cluster3]", "cluster4]"]),
    ...edited(manifestOf("cluster3"), ["1.4.2", "1.5.0"]),
    ...edited(GC, ["10.10.10.10", "10.20.0.1"]),
    ...edited(
      GDP,
      ["    appSelector:\n      label:\n        app: gslb\n", "    appSelector:\n      label:\n        app: shop\n"],
      ["    - cluster: cluster3\n      priority: 5\n      weight: 1\n", ""],
      ["weight: 8", "weight: 1"],
      ["metadata:\n", 'metadata:\n  annotations:\n    amko.vmware.com/note: "a\\u202eb\\e[2Jc"\n'],
    ),
  });
  return { remote, first, second };
}

/** A cluster that holds the fixture's snapshots. */
function fixtureCluster() {
  const cluster = clusterWithAmko("cluster2");
  for (const path of [GC, GDP]) cluster.put(parse(fixtureFiles()[path] ?? "") as KubernetesObject);
  return cluster;
}

/** One that somebody edited in the night. */
function editedCluster() {
  const cluster = fixtureCluster();
  cluster.edit("GlobalDeploymentPolicy", (object) => ({ ...object, spec: { ...(object.spec as object), ttl: 60 } }));
  cluster.edit("AMKOCluster", (object) => ({ ...object, spec: { ...(object.spec as object), isLeader: true } }));
  cluster.drop("GSLBConfig");
  return cluster;
}

describe("diff of two revisions", () => {
  it.each(TERMINALS)("shows by field what the newest commit changed, %s", async (name, terminal) => {
    const { exitCode, stdout, stderr } = await runCommand(["diff"], {
      repository: changedRemote().remote.open(),
      terminal,
    });
    expect([exitCode, stderr]).toEqual([1, ""]);
    await expect(stdout).toMatchFileSnapshot(`golden/diff-${name}.txt`);
  });

  it("shows nobody's control characters, and does not hide that they are there", async () => {
    const { stdout } = await runCommand(["diff"], { repository: changedRemote().remote.open() });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there
    expect(stdout).not.toMatch(/[\u202e\u001b]/);
    expect(stdout).toContain("u{202e}");
  });

  it("prints data", async () => {
    const { exitCode, stdout } = await runCommand(["diff", "-o", "json"], {
      repository: changedRemote().remote.open(),
    });
    expect(exitCode).toBe(1);
    await expect(stdout).toMatchFileSnapshot("golden/diff-json.txt");
  });

  it("compares one revision with the head, and two in the order in which they are named", async () => {
    const { remote, first, second } = changedRemote();
    const third = remote.push("main", edited(GDP));
    const data = async (...args: readonly string[]) => {
      const { stdout } = await runCommand(["diff", ...args, "-o", "json"], { repository: remote.open() });
      const { equal, from, to } = JSON.parse(stdout) as Record<"equal" | "from" | "to", { revision: string }>;
      return [equal, from.revision, to.revision];
    };
    expect(await data(first.slice(0, 8))).toEqual([false, first, third]);
    expect(await data(second, first)).toEqual([false, second, first]);
    expect(await data("main~2", "HEAD~1")).toEqual([false, first, second]);
  });

  it("shows files that came, went, broke and were deleted", async () => {
    const { remote } = fixtureRemote();
    remote.push("main", {
      [manifestOf("cluster3")]: null,
      [manifestOf("cluster2")]: "kind: AMKOCluster\n{",
      [GC]: null,
    });
    const head = { repository: remote.open(), terminal: { columns: 80, colour: false } };
    await expect((await runCommand(["diff"], head)).stdout).toMatchFileSnapshot("golden/diff-lost.txt");
    await expect((await runCommand(["diff", "main", "main~1"], head)).stdout).toMatchFileSnapshot(
      "golden/diff-found.txt",
    );
    const annotated = "metadata:\n  annotations:\n    amko-gitops.io/deleted: CHG-4711\n";
    remote.push("main", { ...edited(GC), ...edited(GDP, ["metadata:\n", annotated]) });
    await expect((await runCommand(["diff", "main~2"], head)).stdout).toMatchFileSnapshot("golden/diff-deleted.txt");
  });

  it("compares the first revision with nothing", async () => {
    const { remote } = fixtureRemote();
    const { exitCode, stdout } = await runCommand(["diff"], { repository: remote.open() });
    expect([exitCode, stdout]).toEqual([1, expect.stringContaining("--- nothing, before the first revision\n")]);
    expect(stdout).toContain("leader: nobody -> cluster1\n");
  });

  it("says in one line that nothing differs, and exits with 0", async () => {
    const { remote } = fixtureRemote();
    remote.push("main", { "README.md": "About us.\n", [GDP]: `# comment\n${fixtureFiles()[GDP] ?? ""}` });
    const { exitCode, stdout } = await runCommand(["diff"], { repository: remote.open() });
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^[0-9a-f]{8} \(main~1\) and .* say the same\.\n$/)]);
    const { stdout: json } = await runCommand(["diff", "-o", "json"], { repository: remote.open() });
    expect(JSON.parse(json)).toMatchObject({ equal: true, leadership: null, members: [], clusters: [], objects: [] });
  });

  it("means two revisions whatever context the environment names", async () => {
    const options = { repository: changedRemote().remote.open(), environment: { AMKO_GITOPS_CONTEXT: "cluster1" } };
    expect((await runCommand(["diff", "main~1", "main"], options)).exitCode).toBe(1);
  });

  it.each([
    ["a name that means nothing", ["diff", "nowhere"], 2, "AG4009"],
    ["a commit that is not there", ["diff", "0".repeat(40)], 2, "AG4009"],
    ["a format that does not exist", ["diff", "-o", "yaml"], 2, "AG4002"],
    ["two revisions and a cluster", ["diff", "main~1", "main", "--context", "cluster2"], 2, "AG4002"],
  ] as const)("refuses %s", async (_, args, code, error) => {
    const { exitCode, stdout, stderr } = await runCommand(args, { repository: changedRemote().remote.open() });
    expect([exitCode, stdout, stderr]).toEqual([code, "", expect.stringContaining(error)]);
  });

  it("exits with 3 where the repository is out of reach, and with 1 where it has no commit", async () => {
    const { remote } = fixtureRemote();
    remote.fail({ on: "list", code: "AG2001" });
    expect((await runCommand(["diff"], { repository: remote.open() })).exitCode).toBe(3);
    const { exitCode, stderr } = await runCommand(["diff"], { repository: createFakeRemote().open() });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("AG2005")]);
  });
});

describe("diff of git and a cluster", () => {
  it("says in one line that a cluster is in sync, and exits with 0", async () => {
    const { remote, head } = fixtureRemote();
    const cluster = fixtureCluster();
    const { exitCode, stdout } = await runCommand(["diff", "--context", "cluster2"], {
      repository: remote.open(),
      cluster,
    });
    expect([exitCode, stdout]).toEqual([0, `Cluster cluster2 holds what main@${head.slice(0, 8)} says.\n`]);
    expect(cluster.writes).toEqual([]);
  });

  it.each(TERMINALS)("shows what differs there, %s", async (name, terminal) => {
    const options = { repository: fixtureRemote().remote.open(), cluster: editedCluster(), terminal };
    const { exitCode, stdout } = await runCommand(["diff", "--context", "cluster2"], options);
    expect(exitCode).toBe(1);
    await expect(stdout).toMatchFileSnapshot(`golden/diff-live-${name}.txt`);
  });

  it("prints data", async () => {
    const options = { repository: fixtureRemote().remote.open(), cluster: editedCluster() };
    const { stdout } = await runCommand(["diff", "--context", "cluster2", "-o", "json"], options);
    await expect(stdout).toMatchFileSnapshot("golden/diff-live-json.txt");
  });

  it("compares a named revision, and asks the cluster that the flags name", async () => {
    const asked: unknown[] = [];
    const cluster = fixtureCluster();
    const house: Partial<House> = {
      async openCluster(connection) {
        asked.push(connection);
        return cluster;
      },
    };
    const args = ["diff", "main~1", "--kubeconfig", "/tmp/config", "--kube-timeout", "2s"];
    const { exitCode } = await runCommand(args, { repository: changedRemote().remote.open(), house });
    expect([exitCode, asked]).toEqual([0, [{ kubeconfig: "/tmp/config", context: null, timeoutMs: 2000 }]]);
  });

  it.each([
    ["removed", null],
    ["broken", "{"],
  ])("counts the newest snapshot that can be used where the head's is %s, and says so", async (_, text) => {
    const { remote, head } = fixtureRemote();
    remote.push("main", { [GC]: text });
    const options = { repository: remote.open(), cluster: fixtureCluster() };
    const { exitCode, stdout } = await runCommand(["diff", "--context", "cluster2"], options);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`holds what .* says\\.\nGSLBConfig: .* before it counts, of ${head.slice(0, 8)}\\.\n$`),
    );
  });

  it.each([
    ["does not answer", "AG3001"],
    ["has no AMKOCluster", "AG3011"],
  ] as const)("says in its exit code whether the cluster %s", async (_, code) => {
    const cluster = fixtureCluster();
    if (code === "AG3001") cluster.fail({ on: "list", code });
    else cluster.drop("AMKOCluster");
    const options = { repository: fixtureRemote().remote.open(), cluster };
    const { exitCode, stderr } = await runCommand(["diff", "--context", "cluster2"], options);
    expect([exitCode, stderr]).toEqual([code === "AG3001" ? 3 : 1, expect.stringContaining(code)]);
  });
});
