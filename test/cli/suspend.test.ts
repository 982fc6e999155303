import { describe, expect, it } from "vitest";
import { SUSPEND_REASON_ANNOTATION, SUSPENDED_UNTIL_ANNOTATION } from "../../src/core/model.ts";
import { runCommand } from "../support/command-line.ts";
import { annotationsOf, clusterWithAmko, TERMINALS } from "./on-a-cluster.ts";

const REASON = "CHG-4211 migration of the GSLB pool";
const ARGS = ["suspend", "--context", "cluster2", "--for", "2h", "--reason", REASON];
const SUSPENDED = {
  [SUSPENDED_UNTIL_ANNOTATION]: "2026-01-15T14:00:00Z",
  [SUSPEND_REASON_ANNOTATION]: REASON,
};

describe("suspend", () => {
  it("writes an end and a reason, and nothing else", async () => {
    const cluster = clusterWithAmko("cluster2", { annotations: { keep: "me" } });
    const { exitCode } = await runCommand(ARGS, { cluster });
    expect(exitCode).toBe(0);
    expect(annotationsOf(cluster)).toEqual({ keep: "me", ...SUSPENDED });
    expect(cluster.writes).toEqual([{ method: "patch", kind: "AMKOCluster", name: "amkocluster-federation" }]);
  });

  it.each(TERMINALS)("tells what it means (%s)", async (name, terminal) => {
    const { stdout } = await runCommand(ARGS, { cluster: clusterWithAmko("cluster2"), terminal });
    await expect(stdout).toMatchFileSnapshot(`golden/suspend-${name}.txt`);
  });

  it("warns on a leader, and shows the suspension that it replaces", async () => {
    const annotations = {
      [SUSPENDED_UNTIL_ANNOTATION]: "2026-01-15T12:10:00Z",
      [SUSPEND_REASON_ANNOTATION]: "old\u001b[2J",
    };
    const cluster = clusterWithAmko("cluster1", { isLeader: true, annotations });
    const args = ["suspend", "--until", "2026-01-15T16:00:00+02:00", "--reason", REASON];
    const { stdout } = await runCommand(args, { cluster, terminal: { columns: 80, colour: false } });
    await expect(stdout).toMatchFileSnapshot("golden/suspend-leader.txt");
    expect(annotationsOf(cluster)).toEqual(SUSPENDED);
  });

  it("prints json", async () => {
    const annotations = { [SUSPENDED_UNTIL_ANNOTATION]: "2026-01-15T12:10:00Z", [SUSPEND_REASON_ANNOTATION]: "old" };
    const { stdout } = await runCommand([...ARGS, "-o", "json"], {
      cluster: clusterWithAmko("cluster2", { annotations }),
    });
    await expect(stdout).toMatchFileSnapshot("golden/suspend-json.txt");
  });

  it.each([
    ["no end", ["--reason", "x"]],
    ["no reason", ["--for", "2h"]],
    ["an end without a zone", ["--until", "2026-01-15T14:00:00", "--reason", "x"]],
    ["an end that is no time", ["--until", "2026-13-45T14:00:00Z", "--reason", "x"]],
    ["a length of days", ["--for", "192h", "--reason", "x"]],
  ])("exits with 2 and writes nothing for %s", async (_, flags) => {
    const cluster = clusterWithAmko("cluster2");
    const { exitCode, stderr } = await runCommand(["suspend", ...flags], { cluster });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^error: AG4002 --(for|until|reason)/);
    expect(cluster.writes).toEqual([]);
  });

  it("reads again where the agent was faster, five times at most", async () => {
    const cluster = clusterWithAmko("cluster2");
    cluster.fail({ on: "patch", code: "AG3004", times: 4 });
    expect((await runCommand(ARGS, { cluster })).exitCode).toBe(0);
    cluster.drop("AMKOCluster");
    const busy = clusterWithAmko("cluster2");
    busy.fail({ on: "patch", code: "AG3004", times: 5 });
    expect((await runCommand(ARGS, { cluster: busy })).stderr).toContain("AG3004");
    expect(busy.writes).toEqual([]);
  });

  it("says when AMKO is not here, or twice, and when the API server is away", async () => {
    const none = clusterWithAmko("cluster2");
    none.drop("AMKOCluster");
    expect((await runCommand(ARGS, { cluster: none })).stderr).toContain("AG3011");
    const two = clusterWithAmko("cluster2");
    two.put({ ...(two.only("AMKOCluster") ?? {}), metadata: { name: "second" } } as never);
    expect((await runCommand(ARGS, { cluster: two })).stderr).toContain("AG3012");
    const away = clusterWithAmko("cluster2");
    away.fail({ on: "list", code: "AG3001" });
    expect((await runCommand(ARGS, { cluster: away })).exitCode).toBe(3);
  });
});

describe("resume", () => {
  it.each([
    ["plain", null],
    ["narrow", { columns: 60, colour: false }],
    ["colour", { columns: 120, colour: true }],
  ] as const)("takes off both annotations and no other, on a terminal that is %s", async (name, terminal) => {
    const cluster = clusterWithAmko("cluster2", { annotations: { keep: "me", ...SUSPENDED } });
    const { exitCode, stdout } = await runCommand(["resume", "--context", "cluster2"], { cluster, terminal });
    expect(exitCode).toBe(0);
    expect(annotationsOf(cluster)).toEqual({ keep: "me" });
    await expect(stdout).toMatchFileSnapshot(`golden/resume-${name}.txt`);
  });

  it("says so where the agent was not suspended, or is not any more", async () => {
    for (const annotations of [{}, { ...SUSPENDED, [SUSPENDED_UNTIL_ANNOTATION]: "2026-01-15T11:00:00Z" }]) {
      const cluster = clusterWithAmko("cluster2", { annotations });
      const { exitCode, stdout } = await runCommand(["resume"], { cluster });
      expect(exitCode).toBe(0);
      expect(stdout).toBe("The agent of cluster2 is not suspended: nothing to do.\n");
      expect(annotationsOf(cluster)).toEqual({});
    }
  });

  it("prints json", async () => {
    const cluster = clusterWithAmko("cluster2", { annotations: SUSPENDED });
    const { stdout } = await runCommand(["resume", "-o", "json"], { cluster });
    await expect(stdout).toMatchFileSnapshot("golden/resume-json.txt");
  });
});
