import { describe, expect, it } from "vitest";
import { type GateFacts, judgePush, type TrackedMove } from "../../src/core/gate.ts";
import type { CommitId, FederationView, RevisionFile } from "../../src/core/model.ts";
import type { Pusher } from "../../src/core/pushers.ts";
import { evaluate } from "../../src/core/view.ts";
import {
  cluster,
  federation,
  file,
  gslbConfig,
  manifest,
  schemas,
  snapshotFile,
  withFiles,
  withoutFile,
} from "../support/builders.ts";

const OLD = "1".repeat(40) as CommitId;
const NEW = "2".repeat(40) as CommitId;
const GDP = "federation/globaldeploymentpolicy/global-gdp.yaml";
const JO: Pusher = { kind: "people" };
const NOBODY: Pusher = { kind: "unknown" };

function agent(name: string): Pusher {
  return { kind: "agent", cluster: cluster(name) };
}

function view(files: readonly RevisionFile[] = federation()): FederationView {
  return evaluate(files, schemas());
}

function moved(changes: Partial<TrackedMove> = {}): TrackedMove {
  return { isForward: true, isOneCommit: true, before: view(), after: view(), changedPaths: [GDP], ...changes };
}

function facts(changes: Partial<GateFacts>, move: TrackedMove | null = null): GateFacts {
  const update = { ref: "refs/heads/main", before: OLD, after: NEW };
  return { pusher: JO, user: "somebody", update, branch: "main", refPrefix: "amko", path: "", move, ...changes };
}

const TWO_LEADERS = withFiles(federation(), manifest("cluster2", { isLeader: true }));
const UNREADABLE = withFiles(federation(), file("clusters/cluster2/amkocluster.yaml", "a: [\n"));
const FLIPPED = ["clusters/cluster1/amkocluster.yaml", "clusters/cluster2/amkocluster.yaml"];

interface TrackedCase {
  readonly when: string;
  readonly pusher: Pusher;
  readonly move: TrackedMove | null;
  readonly after?: CommitId | null;
  readonly path?: string;
  readonly code: string | null;
}

describe("the tracked branch", () => {
  it.each<TrackedCase>([
    { when: "the leader's agent exports", pusher: agent("cluster1"), move: moved(), code: null },
    { when: "a follower's agent exports", pusher: agent("cluster2"), move: moved(), code: "AG5034" },
    {
      when: "an agent pushes two commits at once, or a merge",
      pusher: agent("cluster1"),
      move: moved({ isOneCommit: false }),
      code: "AG5035",
    },
    { when: "a person merges", pusher: JO, move: moved({ isOneCommit: false }), code: null },
    {
      when: "an agent leaves something unusable in place of a snapshot",
      pusher: agent("cluster1"),
      move: moved({ after: view(withFiles(federation(), file(GDP, "x: [\n"))) }),
      code: "AG1024",
    },
    {
      when: "an agent takes the UUID off",
      pusher: agent("cluster1"),
      move: moved({ after: view(withFiles(federation(), snapshotFile(gslbConfig({ annotations: {} })))) }),
      code: "AG1025",
    },
    {
      when: "an agent heals what nobody could use",
      pusher: agent("cluster1"),
      move: moved({ before: view(withFiles(federation(), file(GDP, "x: [\n"))) }),
      code: null,
    },
    {
      when: "a follower elects itself",
      pusher: agent("cluster2"),
      move: moved({ after: view(federation({ leader: "cluster2" })), changedPaths: FLIPPED }),
      code: "AG5034",
    },
    {
      when: "a deposed leader exports",
      pusher: agent("cluster1"),
      move: moved({ before: view(federation({ leader: "cluster2" })) }),
      code: "AG5034",
    },
    {
      when: "an agent exports while two lead",
      pusher: agent("cluster1"),
      move: moved({ before: view(TWO_LEADERS) }),
      code: "AG5034",
    },
    {
      when: "an agent begins the branch",
      pusher: agent("cluster1"),
      move: moved({ before: null }),
      code: "AG5034",
    },
    {
      when: "the leader's agent changes a manifest",
      pusher: agent("cluster1"),
      move: moved({ changedPaths: [GDP, FLIPPED[0] ?? ""] }),
      code: "AG5035",
    },
    {
      when: "the leader's agent changes a workflow",
      pusher: agent("cluster1"),
      move: moved({ changedPaths: [".github/workflows/validate.yaml"] }),
      code: "AG5035",
    },
    {
      when: "the leader's agent writes beside the federation's folder",
      pusher: agent("cluster1"),
      path: "site",
      move: moved({ changedPaths: [GDP] }),
      code: "AG5035",
    },
    {
      when: "the leader's agent writes below the federation's folder",
      pusher: agent("cluster1"),
      path: "site",
      move: moved({ changedPaths: [`site/${GDP}`] }),
      code: null,
    },
    {
      when: "the leader's agent loses a snapshot's file",
      pusher: agent("cluster1"),
      move: moved({ after: view(withoutFile(federation(), GDP)) }),
      code: "AG1024",
    },
    {
      when: "a person flips the leader",
      pusher: JO,
      move: moved({ after: view(federation({ leader: "cluster2" })), changedPaths: FLIPPED }),
      code: null,
    },
    { when: "a person begins the branch", pusher: JO, move: moved({ before: null }), code: null },
    { when: "a person makes two lead", pusher: JO, move: moved({ after: view(TWO_LEADERS) }), code: "AG5002" },
    { when: "a person breaks a manifest", pusher: JO, move: moved({ after: view(UNREADABLE) }), code: "AG5003" },
    { when: "a person rewrites it", pusher: JO, move: moved({ isForward: false }), code: "AG5036" },
    { when: "an agent rewrites it", pusher: agent("cluster1"), move: moved({ isForward: false }), code: "AG5036" },
    { when: "a person deletes it", pusher: JO, move: null, after: null, code: "AG5036" },
    { when: "somebody unknown moves it", pusher: NOBODY, move: moved(), code: "AG5032" },
  ])("when $when: $code", ({ pusher, move, after = NEW, path = "", code }) => {
    const update = { ref: "refs/heads/main", before: OLD, after };
    expect(judgePush(facts({ pusher, path, update }, move))?.code ?? null).toBe(code);
  });
});

interface RefCase {
  readonly who: string;
  readonly ref: string;
  readonly before?: CommitId | null;
  readonly after?: CommitId | null;
  readonly code: string | null;
}

describe("other refs", () => {
  it.each<RefCase>([
    { who: "cluster2", ref: "amko/applied/cluster2", code: null },
    { who: "cluster2", ref: "amko/leading/cluster2", code: null },
    { who: "cluster2", ref: "amko/leading/cluster2", after: null, code: null },
    { who: "cluster2", ref: "amko/failed/cluster2", code: null },
    { who: "cluster2", ref: "amko/propose/cluster2/version", code: null },
    { who: "cluster2", ref: "amko/rescue/cluster2/3f2a", code: null },
    { who: "cluster2", ref: "amko/identity/cluster2", before: null, code: null },
    { who: "cluster2", ref: "amko/identity/cluster2", code: "AG5033" },
    { who: "cluster2", ref: "amko/identity/cluster2", after: null, code: "AG5033" },
    { who: "cluster2", ref: "amko/applied/cluster1", code: "AG5033" },
    { who: "cluster2", ref: "amko/leading/cluster1", after: null, code: "AG5033" },
    { who: "cluster2", ref: "amko/applied/cluster2/more", code: "AG5033" },
    { who: "cluster2", ref: "amko/propose/cluster2", code: "AG5033" },
    { who: "cluster2", ref: "amko/propose/cluster1/leader", code: "AG5033" },
    { who: "cluster2", ref: "amko/other/cluster2", code: "AG5033" },
    { who: "cluster2", ref: "amko/constructor/cluster2", code: "AG5033" },
    { who: "cluster2", ref: "feature", code: "AG5033" },
    { who: "a@b", ref: "amko/applied/a%40b", code: null },
    { who: "a@b", ref: "amko/applied/a@b", code: "AG5033" },
    { who: "people", ref: "feature", code: null },
    { who: "people", ref: "amko/propose/cluster1/leader", code: null },
    { who: "people", ref: "amko/identity/cluster1", code: null },
    { who: "people", ref: "amko/applied/cluster1", code: "AG5033" },
    { who: "people", ref: "amko/leading/cluster1", before: null, code: "AG5033" },
    { who: "people", ref: "amko/leading/cluster1", after: null, code: null },
  ])("$who moves $ref from $before to $after: $code", ({ who, ref, before = OLD, after = NEW, code }) => {
    const pusher = who === "people" ? JO : agent(who);
    const update = { ref: `refs/heads/${ref}`, before, after };
    expect(judgePush(facts({ pusher, update }))?.code ?? null).toBe(code);
  });

  it("refuses tags of agents, and everything of somebody unknown", () => {
    const update = { ref: "refs/tags/v1", before: null, after: NEW };
    expect(judgePush(facts({ pusher: agent("cluster1"), update }))?.code).toBe("AG5033");
    expect(judgePush(facts({ pusher: NOBODY, user: null, update }))?.message).toContain("does not say");
  });
});
