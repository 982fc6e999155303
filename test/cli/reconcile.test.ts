import { describe, expect, it } from "vitest";
import { REQUESTED_REVISION_ANNOTATION } from "../../src/core/model.ts";
import { readSynced } from "../../src/core/synced.ts";
import { runCommand } from "../support/command-line.ts";
import type { FakeCluster } from "../support/fakes/cluster.ts";
import { annotationsOf, clusterWithAmko, sayRevision, TERMINALS } from "./on-a-cluster.ts";

const REVISION = `main@sha1:${"a".repeat(40)}`;

/** Its agent answers after it was asked, as soon as somebody looks. */
function clusterThatAnswers(status: string, reason: string): FakeCluster {
  let looks = 0;
  const cluster: FakeCluster = clusterWithAmko(
    "cluster2",
    {},
    {
      gate: async (label) => {
        if (label !== "cluster2 list AMKOCluster") return;
        looks += 1;
        if (looks === 5) sayRevision(cluster, status, reason);
      },
    },
  );
  sayRevision(cluster, "True", REVISION);
  return cluster;
}

describe("reconcile", () => {
  it("asks the agent with a value that is another each time", async () => {
    const cluster = clusterWithAmko("cluster2");
    const { exitCode, stdout } = await runCommand(["reconcile"], { cluster });
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: "Asked the agent of cluster2 to read git now and to act on it.\n",
    });
    expect(annotationsOf(cluster)).toEqual({ [REQUESTED_REVISION_ANNOTATION]: "2026-01-15T12:00:00.000Z" });
    await runCommand(["reconcile"], { cluster, nowMs: Date.UTC(2026, 0, 15, 12, 0, 1) });
    expect(cluster.writes.length).toBe(2);
  });

  it("takes no answer from before the question", async () => {
    const cluster = clusterWithAmko("cluster2");
    sayRevision(cluster, "True", REVISION);
    const { exitCode, stdout } = await runCommand(["reconcile", "--wait", "--timeout", "3s"], { cluster });
    expect(exitCode).toBe(1);
    await expect(stdout).toMatchFileSnapshot("golden/reconcile-no-answer.txt");
    expect(readSynced(cluster.only("AMKOCluster") as never)?.status).toBe("Unknown");
  });

  it.each([
    ["True", REVISION, 0],
    [
      "False",
      "AG5007 version mismatch, current AMKO: 1.4.2, AMKO in cluster cluster1: 1.5.0. Bring AMKO to the same version in all clusters, and mend the manifests.\u001b[2J",
      1,
    ],
    ["Unknown", "AG2001 https://git.example.com/federation.git cannot be reached (ECONNREFUSED).", 1],
  ])("waits for the answer %s", async (status, reason, exit) => {
    for (const [name, terminal] of TERMINALS) {
      const cluster = clusterThatAnswers(status, reason);
      const { exitCode, stdout } = await runCommand(["reconcile", "--wait"], { cluster, terminal });
      expect(exitCode).toBe(exit);
      await expect(stdout).toMatchFileSnapshot(`golden/reconcile-${status.toLowerCase()}-${name}.txt`);
    }
  });

  it("prints json", async () => {
    const cluster = clusterThatAnswers("True", REVISION);
    const { stdout } = await runCommand(["reconcile", "--wait", "-o", "json"], { cluster });
    await expect(stdout).toMatchFileSnapshot("golden/reconcile-json.txt");
  });

  it("says that a suspended agent will do nothing", async () => {
    const cluster = clusterWithAmko("cluster2");
    await runCommand(["suspend", "--for", "1h", "--reason", "CHG-4211"], { cluster });
    const { stdout } = await runCommand(["reconcile"], { cluster });
    expect(stdout).toContain(
      "It is suspended until 2026-01-15T13:00:00Z, which is in 1h: CHG-4211; it will do nothing",
    );
  });

  it("exits with 3 when the API server is away", async () => {
    const cluster = clusterWithAmko("cluster2");
    cluster.fail({ on: "list", code: "AG3001" });
    expect((await runCommand(["reconcile"], { cluster })).exitCode).toBe(3);
  });
});
