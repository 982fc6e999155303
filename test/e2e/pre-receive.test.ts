import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { manifest } from "../support/builders.ts";
import { git } from "../support/git.ts";
import { type GuardedServer, startGuardedServer } from "../support/guarded-server.ts";
import { federationFiles } from "../support/world.ts";

/** Each push starts a program; a small machine may share its cores between many suites. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const GDP = "federation/globaldeploymentpolicy/global-gdp.yaml";

let server: GuardedServer;

beforeAll(async () => {
  server = await startGuardedServer(["agent-1", "agent-2", "agent-3", "jo", "stranger"], {
    "agent-1": "cluster1",
    "agent-2": "cluster2",
    "agent-3": { cluster: "cluster3", designates: true },
    jo: "people",
  });
  await server.commit(federationFiles());
  expect(await server.push("jo", "HEAD:refs/heads/main")).toBe("taken");
});

afterAll(() => server.stop());

function flip(leaders: readonly string[]): Readonly<Record<string, string>> {
  const files = ["cluster1", "cluster2", "cluster3"].map((name) =>
    manifest(name, { isLeader: leaders.includes(name) }),
  );
  return Object.fromEntries(files.map(({ path, bytes }) => [path, new TextDecoder().decode(bytes ?? undefined)]));
}

function policy(ttl: number): Readonly<Record<string, string>> {
  return { [GDP]: (federationFiles()[GDP] ?? "").replace("ttl: 10", `ttl: ${ttl}`) };
}

describe("the pre-receive hook on a real server", () => {
  it("takes the leader's export and refuses a follower's", async () => {
    expect(await server.attempt("agent-1", policy(20))).toBe("taken");
    expect(await server.attempt("agent-2", policy(30))).toBe("AG5034");
  });

  it("refuses two leaders, whoever makes them", async () => {
    expect(await server.attempt("jo", flip(["cluster1", "cluster2"]))).toBe("AG5002");
  });

  it("refuses a follower that elects itself, and a leader that touches more than snapshots", async () => {
    expect(await server.attempt("agent-2", flip(["cluster2"]))).toBe("AG5034");
    expect(await server.attempt("agent-1", { ".github/workflows/validate.yaml": "on: push\n" })).toBe("AG5035");
  });

  it("refuses a snapshot's loss by an agent", async () => {
    expect(await server.attempt("agent-1", { [GDP]: null })).toBe("AG1024");
  });

  it("keeps every agent to its own refs", async () => {
    expect(await server.push("agent-2", "HEAD:refs/heads/amko/applied/cluster2")).toBe("taken");
    expect(await server.push("agent-2", "HEAD:refs/heads/amko/applied/cluster1")).toBe("AG5033");
    expect(await server.push("agent-2", "HEAD:refs/heads/amko/leading/cluster2")).toBe("taken");
    expect(await server.push("agent-2", ":refs/heads/amko/leading/cluster2")).toBe("taken");
    expect(await server.push("jo", "HEAD:refs/heads/amko/applied/cluster1")).toBe("AG5033");
  });

  it("has a cluster's name given to another one by people only", async () => {
    const ref = "refs/heads/amko/identity/cluster2";
    expect(await server.push("agent-2", `HEAD:${ref}`)).toBe("taken");
    const { work } = server;
    const other = await git(work, ["commit-tree", "HEAD^{tree}", "-m", "Another cluster"]);
    expect(await server.push("agent-2", `+${other}:${ref}`)).toBe("AG5033");
    expect(await server.push("agent-2", `:${ref}`)).toBe("AG5033");
    expect(await server.push("jo", `+${other}:${ref}`)).toBe("taken");
  });

  it("keeps the claim of whoever may be in office, and lets people have done with what was rescued", async () => {
    expect(await server.push("agent-1", "HEAD:refs/heads/amko/leading/cluster1")).toBe("taken");
    expect(await server.push("jo", ":refs/heads/amko/leading/cluster1")).toBe("AG5037");
    expect(await server.push("agent-2", "HEAD:refs/heads/amko/rescue/cluster2/3f2a")).toBe("taken");
    expect(await server.push("jo", "+HEAD~1:refs/heads/amko/rescue/cluster2/3f2a")).toBe("AG5033");
    expect(await server.push("jo", ":refs/heads/amko/rescue/cluster2/3f2a")).toBe("taken");
  });

  it("refuses a pusher that nobody maps", async () => {
    expect(await server.push("stranger", "HEAD:refs/heads/feature")).toBe("AG5032");
  });

  it("takes one ref of a push only if it takes all", async () => {
    expect(await server.push("agent-2", "HEAD:refs/heads/amko/failed/cluster2", "HEAD:refs/heads/feature")).toBe(
      "AG5033",
    );
    expect(await git(server.bare, ["for-each-ref", "refs/heads/amko/failed"])).toBe("");
  });

  it("refuses that the branch is rewritten or deleted, by people too", async () => {
    expect(await server.push("jo", ":refs/heads/main")).toBe("AG5036");
    expect(await server.push("jo", "+HEAD~1:refs/heads/main")).toBe("AG5036");
  });

  it("refuses a history that began elsewhere", async () => {
    const { work } = server;
    const root = await git(work, ["commit-tree", "HEAD^{tree}", "-m", "Another beginning"]);
    const merge = await git(work, ["commit-tree", "HEAD^{tree}", "-p", "HEAD", "-p", root, "-m", "Join them"]);
    expect(await server.attemptCommit("jo", merge)).toBe("AG5038");
    expect(await server.push("jo", `${root}:refs/heads/elsewhere`)).toBe("taken");
  });

  it("takes a person's flip, and then refuses an export by the deposed leader", async () => {
    expect(await server.attempt("jo", flip(["cluster2"]))).toBe("taken");
    expect(await server.attempt("agent-1", policy(40))).toBe("AG5034");
    expect(await server.attempt("agent-2", policy(50))).toBe("taken");
    // Nobody waits for cluster1 any more: people may bury it.
    expect(await server.push("jo", ":refs/heads/amko/leading/cluster1")).toBe("taken");
  });

  it("takes a flip to its own cluster from an agent that was given leave for it, and nothing else with it", async () => {
    expect(await server.attempt("agent-1", flip(["cluster1"]))).toBe("AG5034");
    expect(await server.attempt("agent-3", flip(["cluster1"]))).toBe("AG5034");
    expect(await server.attempt("agent-3", { ...flip(["cluster3"]), ...policy(60) })).toBe("AG5034");
    expect(await server.attempt("agent-3", policy(60))).toBe("AG5034");
    expect(await server.attempt("agent-3", flip(["cluster3"]))).toBe("taken");
    expect(await server.attempt("agent-3", policy(60))).toBe("taken");
  });
});
