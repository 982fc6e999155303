import { describe, expect, it } from "vitest";
import { identityOrphan, readIdentity } from "../../src/core/identity.ts";
import {
  ACCEPT_REWRITE_ANNOTATION,
  type CommitId,
  REQUESTED_REVISION_ANNOTATION,
  type RevisionFile,
} from "../../src/core/model.ts";
import { federation, file, globalDeploymentPolicy, snapshotFile } from "../support/builders.ts";
import { runCommand } from "../support/command-line.ts";
import { blob, createFakeRemote, type FakeRemote } from "../support/fakes/repository.ts";
import { annotationsOf, clusterWithAmko, TERMINALS } from "./on-a-cluster.ts";

const SELF = "cluster2" as Parameters<typeof identityOrphan>[0];

function contentOf(files: readonly RevisionFile[]): Record<string, Uint8Array> {
  return Object.fromEntries(files.flatMap(({ path, bytes }) => (bytes === null ? [] : [[path, bytes]])));
}

function remoteWith(files = federation()): FakeRemote {
  const remote = createFakeRemote();
  remote.push("main", contentOf(files));
  return remote;
}

describe("accept-identity", () => {
  function knowing(namespaceUid: string, branch = "main"): FakeRemote {
    const remote = remoteWith();
    const { files, ref } = identityOrphan(SELF, { namespaceUid, branch, path: "" });
    const tree = new Map(files.map(({ path, bytes }) => [path, blob(bytes)]));
    remote.setBranch(`amko/${ref}`, remote.commit(tree));
    return remote;
  }

  it.each(TERMINALS)(
    "shows both clusters and, after a yes, replaces the one by the other (%s)",
    async (name, terminal) => {
      const remote = knowing("6f2c1a8e-0000-4000-8000-000000000001");
      const cluster = clusterWithAmko("cluster2");
      const { exitCode, stdout, questions } = await runCommand(["accept-identity"], {
        cluster,
        repository: remote.open(),
        answers: ["yes"],
        terminal,
      });
      expect(exitCode).toBe(0);
      expect(questions).toEqual(["Is this cluster cluster2? Type yes: "]);
      await expect(stdout).toMatchFileSnapshot(`golden/accept-identity-${name}.txt`);
      const text = remote.text(remote.branch("amko/identity/cluster2") as CommitId, "identity.yaml") ?? "";
      expect(readIdentity([file("identity.yaml", text)])).toEqual({
        namespaceUid: "cluster2-namespace",
        branch: "main",
        path: "",
      });
      expect(annotationsOf(cluster)[REQUESTED_REVISION_ANNOTATION]).toBe("2026-01-15T12:00:00.000Z");
    },
  );

  it.each([
    ["no", ["no"], [], 1],
    ["nobody's answer", [], [], 2],
    ["a dry run", [], ["--dry-run"], 0],
  ])("pushes nothing for %s", async (_, answers, flags, exit) => {
    const remote = knowing("another");
    const options = { cluster: clusterWithAmko("cluster2"), repository: remote.open(), answers };
    expect((await runCommand(["accept-identity", ...flags], options)).exitCode).toBe(exit);
    expect(remote.writes).toEqual([]);
  });

  it("has nothing to do for a cluster that is known, or whose name nobody has", async () => {
    for (const remote of [knowing("cluster2-namespace"), remoteWith()]) {
      const options = { cluster: clusterWithAmko("cluster2"), repository: remote.open() };
      const { exitCode, stdout } = await runCommand(["accept-identity", "-o", "json"], options);
      expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({ exitCode: 0, outcome: "unchanged" });
      expect(remote.writes).toEqual([]);
    }
  });

  it("accepts another branch too, and prints json", async () => {
    const remote = knowing("cluster2-namespace", "old-branch");
    const options = { cluster: clusterWithAmko("cluster2"), repository: remote.open() };
    const { stdout, stderr } = await runCommand(["accept-identity", "--yes", "-o", "json"], options);
    expect(stderr).toContain("old-branch");
    await expect(stdout).toMatchFileSnapshot("golden/accept-identity-json.txt");
  });
});

describe("accept-rewrite", () => {
  /** The agent judged a head that the branch does not hold any more. */
  function rewritten(how: "rewritten" | "put-back" | "forgotten") {
    const remote = remoteWith();
    const first = remote.branch("main") as CommitId;
    const edited = contentOf([snapshotFile(globalDeploymentPolicy({ spec: { ttl: 20 } }))]);
    const before = how === "forgotten" ? ("e".repeat(40) as CommitId) : remote.push("main", edited);
    remote.setBranch("main", first);
    if (how === "rewritten") remote.push("main", contentOf(federation({ leader: "cluster2" })));
    const cluster = clusterWithAmko("cluster3");
    cluster.setConfigMapData({ head: `main@sha1:${before}` });
    return { remote, cluster };
  }

  it.each(["rewritten", "put-back", "forgotten"] as const)(
    "shows what was %s and, after a yes, accepts the head",
    async (how) => {
      for (const [name, terminal] of TERMINALS) {
        const { remote, cluster } = rewritten(how);
        const options = { cluster, repository: remote.open(), answers: ["yes"], terminal };
        const { exitCode, stdout } = await runCommand(["accept-rewrite"], options);
        expect(exitCode).toBe(0);
        expect(annotationsOf(cluster)).toEqual({ [ACCEPT_REWRITE_ANNOTATION]: remote.branch("main") });
        await expect(stdout).toMatchFileSnapshot(`golden/accept-rewrite-${how}-${name}.txt`);
        const again = await runCommand(["accept-rewrite"], options);
        expect(again.stdout).toContain("accepted already");
      }
    },
  );

  it("prints json", async () => {
    const { remote, cluster } = rewritten("put-back");
    const options = { cluster, repository: remote.open() };
    const { stdout } = await runCommand(["accept-rewrite", "--dry-run", "-o", "json"], options);
    await expect(stdout).toMatchFileSnapshot("golden/accept-rewrite-json.txt");
    expect(cluster.writes).toEqual([]);
  });

  it.each([
    ["no", ["no"], 1],
    ["nobody's answer", [], 2],
  ])("accepts nothing for %s", async (_, answers, exit) => {
    const { remote, cluster } = rewritten("rewritten");
    const options = { cluster, repository: remote.open(), answers };
    expect((await runCommand(["accept-rewrite"], options)).exitCode).toBe(exit);
    expect(cluster.writes).toEqual([]);
  });

  it("says so when nothing is halted", async () => {
    const remote = remoteWith();
    for (const data of [null, { head: `main@sha1:${remote.branch("main")}` }]) {
      const cluster = clusterWithAmko("cluster3");
      cluster.setConfigMapData(data);
      remote.push("main", { "README.md": "more" });
      const { exitCode, stdout } = await runCommand(["accept-rewrite"], { cluster, repository: remote.open() });
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/nothing/);
    }
  });

  it("refuses another branch than the agent's, and exits with 3 without git", async () => {
    const { remote, cluster } = rewritten("rewritten");
    const other = await runCommand(["accept-rewrite", "--branch", "dev"], { cluster, repository: remote.open() });
    expect(other).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("follows main") });
    remote.fail({ on: "list", code: "AG2001" });
    expect((await runCommand(["accept-rewrite"], { cluster, repository: remote.open() })).exitCode).toBe(3);
  });
});
