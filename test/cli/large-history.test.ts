import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HistoryReport, LeadersReport } from "../../src/cli/history-report.ts";
import type { StatusReport } from "../../src/cli/verbs/status.ts";
import { openSource } from "../../src/compose-git.ts";
import { runCommand } from "../support/command-line.ts";
import { git } from "../support/git.ts";
import { type GitWorld, makeGitWorld } from "../support/git-world.ts";
import { type LargeFederation, makeLargeFederation } from "../support/large-federation.ts";

const SPEC = { clusters: 12, commits: 1_100 } as const;

let world: GitWorld;
let made: LargeFederation;
let clone: string;

beforeAll(async () => {
  world = await makeGitWorld();
  made = await makeLargeFederation(world.folder, SPEC);
  clone = join(world.folder, "../clone");
  await git("/", ["clone", "--quiet", world.url, clone]);
});
afterAll(() => world.stop());

async function read<T>(args: readonly string[], from: "url" | "clone"): Promise<T> {
  const repo = from === "url" ? world.url : clone;
  const { stdout, stderr } = await runCommand([...args, "--repo", repo, "-o", "json"], {
    house: { openRepository: openSource },
  });
  expect(stderr).toBe("");
  return JSON.parse(stdout) as T;
}

describe.each(["url", "clone"] as const)("a long history of many clusters, read from a %s,", (from) => {
  it("tells who led when", async () => {
    const { head, terms } = await read<LeadersReport>(["history", "--leaders"], from);
    expect(head).toBe(`main@sha1:${made.head}`);
    expect(terms.map(({ clusters: [cluster], began }) => ({ cluster, began: began.commit }))).toEqual(made.terms);
  });

  it("finds every pull request that was merged, with what it brought", async () => {
    const { revisions, complete } = await read<HistoryReport>(
      ["history", "--kind", "gslbconfig", "--limit", "0"],
      from,
    );
    expect(complete).toBe(true);
    const merged = revisions.filter(({ brought }) => brought.length === 1);
    expect([merged.length, revisions.length]).toEqual([made.merges, made.merges + 1]);
  });

  it("tells where everybody stands, down to the cluster that holds the first revision", async () => {
    const { clusters, revision } = await read<StatusReport>(["status"], from);
    expect(revision).toBe(`main@sha1:${made.head}`);
    const standings = clusters.map(({ kinds, applied }) => [applied !== null, kinds.GlobalDeploymentPolicy]);
    const counts = Object.groupBy(standings, (standing) => standing.join());
    expect(Object.fromEntries(Object.entries(counts).map(([key, found]) => [key, found?.length]))).toEqual({
      "true,holds": 3,
      "true,behind": 8,
      "true,failed": 1,
    });
    expect(clusters.filter(({ behindSince }) => behindSince === "2023-11-14T22:33:20Z")).toHaveLength(1);
  });
});
