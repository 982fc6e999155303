import { describe, expect, it } from "vitest";
import { judgePush } from "../../src/core/gate.ts";
import {
  type CommitId,
  type FederationView,
  HANDOVER_WITHOUT_ANNOTATION,
  type JsonObject,
  type Leadership,
  NAMESPACE,
  type RevisionFile,
} from "../../src/core/model.ts";
import type { PushFacts, TrackedMove } from "../../src/core/push.ts";
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

function agent(name: string, { designates = false } = {}): Pusher {
  return { kind: "agent", cluster: cluster(name), designates };
}

function view(files: readonly RevisionFile[] = federation()): FederationView {
  return evaluate(files, schemas());
}

function moved(changes: Partial<TrackedMove> = {}): TrackedMove {
  const harmless = { isForward: true, bringsRoot: false, isOneCommit: true };
  return { ...harmless, before: view(), after: view(), changedPaths: [GDP], ...changes };
}

function facts(changes: Partial<PushFacts>, move: TrackedMove | null = null): PushFacts {
  const update = { ref: "refs/heads/main", before: OLD, after: NEW };
  const place = { branch: "main", refPrefix: "amko", path: "" };
  return { pusher: JO, user: "somebody", update, ...place, move, leadership: null, ...changes };
}

const TWO_LEADERS = withFiles(federation(), manifest("cluster2", { isLeader: true }));
const UNREADABLE = withFiles(federation(), file("clusters/cluster2/amkocluster.yaml", "a: [\n"));
const UUID = "amko.vmware.com/amko-uuid";
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
    {
      when: "a person merges what has no past in common with it",
      pusher: JO,
      move: moved({ isOneCommit: false, bringsRoot: true }),
      code: "AG5038",
    },
    {
      when: "a person does so in a repository of many things",
      pusher: JO,
      path: "site",
      move: moved({ isOneCommit: false, bringsRoot: true }),
      code: null,
    },
    {
      when: "the leader's agent takes another UUID that AMKO was given",
      pusher: agent("cluster1"),
      move: moved({
        after: view(withFiles(federation(), snapshotFile(gslbConfig({ annotations: { [UUID]: "new" } })))),
      }),
      code: null,
    },
    ...[
      "Federation/x.yaml",
      "federation",
      "federation.yaml",
      "clusters/federation/x.yaml",
      "federation/../clusters/x.yaml",
      "federation/.GIT/config",
    ].map((path) => ({
      when: `the leader's agent writes ${path}`,
      pusher: agent("cluster1"),
      move: moved({ changedPaths: [GDP, path] }),
      code: "AG5035",
    })),
    {
      when: "the leader's agent puts a link in place of a snapshot",
      pusher: agent("cluster1"),
      move: moved({ after: view(withFiles(withoutFile(federation(), GDP), { ...file(GDP, ""), type: "symlink" })) }),
      code: "AG1024",
    },
    { when: "a person rewrites it", pusher: JO, move: moved({ isForward: false }), code: "AG5036" },
    { when: "an agent rewrites it", pusher: agent("cluster1"), move: moved({ isForward: false }), code: "AG5036" },
    { when: "a person deletes it", pusher: JO, move: null, after: null, code: "AG5036" },
    { when: "somebody unknown moves it", pusher: NOBODY, move: moved(), code: "AG5032" },
  ])("when $when: $code", ({ pusher, move, after = NEW, path = "", code }) => {
    const update = { ref: "refs/heads/main", before: OLD, after };
    expect(judgePush(facts({ pusher, path, update }, move))?.code ?? null).toBe(code);
  });
});

/** cluster2 takes the leadership, as its agent would write it. */
function flip(changes: Partial<TrackedMove> = {}): TrackedMove {
  return moved({ after: view(federation({ leader: "cluster2" })), changedPaths: FLIPPED, ...changes });
}

const LEAVE = { [HANDOVER_WITHOUT_ANNOTATION]: "cluster1" };
const named = (rest: JsonObject) => ({ metadata: { name: "amkocluster-federation", namespace: NAMESPACE, ...rest } });
const WITHOUT = named({ annotations: LEAVE });

interface FlipCase {
  readonly when: string;
  readonly move: TrackedMove;
  readonly path?: string;
  readonly code: string | null;
}

describe("an agent that may make its own cluster the leader", () => {
  it.each<FlipCase>([
    { when: "does that and nothing else", move: flip(), code: null },
    {
      when: "does it below the federation's folder",
      path: "site",
      move: flip({ changedPaths: FLIPPED.map((path) => `site/${path}`) }),
      code: null,
    },
    {
      when: "takes off leave of an earlier failover",
      move: flip({ before: view(withFiles(federation(), manifest("cluster1", { isLeader: true }, WITHOUT))) }),
      code: null,
    },
    {
      when: "gives itself leave not to wait",
      move: flip({
        after: view(withFiles(federation({ leader: "cluster2" }), manifest("cluster2", { isLeader: true }, WITHOUT))),
      }),
      code: "AG5034",
    },
    {
      when: "makes somebody else the leader",
      move: flip({ after: view(federation({ leader: "cluster3" })) }),
      code: "AG5034",
    },
    { when: "makes nobody the leader", move: flip({ after: view(federation({ leader: null })) }), code: "AG5034" },
    {
      when: "takes a leadership that nobody has",
      move: flip({ before: view(federation({ leader: null })) }),
      code: "AG5034",
    },
    { when: "decides between two leaders", move: flip({ before: view(TWO_LEADERS) }), code: "AG5034" },
    { when: "leaves the other one leading too", move: flip({ after: view(TWO_LEADERS) }), code: "AG5002" },
    {
      when: "changes its version with it",
      move: flip({
        after: view(
          withFiles(federation({ leader: "cluster2" }), manifest("cluster2", { isLeader: true, version: "1.5.0" })),
        ),
      }),
      code: "AG5034",
    },
    {
      when: "leaves somebody out with it",
      move: flip({
        after: view(
          withFiles(
            federation({ leader: "cluster2" }),
            manifest("cluster2", { isLeader: true, clusters: ["cluster1", "cluster2"] }),
          ),
        ),
      }),
      code: "AG5034",
    },
    {
      when: "takes a manifest away with it",
      move: flip({
        after: view(withoutFile(federation({ leader: "cluster2" }), "clusters/cluster3/amkocluster.yaml")),
      }),
      code: "AG5034",
    },
    {
      when: "spoils the former leader's manifest with it",
      move: flip({
        after: view(
          withFiles(federation({ leader: "cluster2" }), manifest("cluster1", {}, named({ namespace: "default" }))),
        ),
      }),
      code: "AG5034",
    },
    {
      when: "annotates a manifest with it",
      move: flip({
        after: view(
          withFiles(
            federation({ leader: "cluster2" }),
            manifest("cluster1", {}, named({ annotations: { note: "x" } })),
          ),
        ),
      }),
      code: "AG5034",
    },
    {
      when: "changes its manifest while it leads already",
      move: flip({
        before: view(withFiles(federation({ leader: "cluster2" }), manifest("cluster2", { isLeader: true }, WITHOUT))),
      }),
      code: "AG5035",
    },
    { when: "changes a snapshot with it", move: flip({ changedPaths: [...FLIPPED, GDP] }), code: "AG5034" },
    {
      when: "changes a workflow with it",
      move: flip({ changedPaths: [...FLIPPED, ".gitlab-ci.yml"] }),
      code: "AG5034",
    },
    { when: "hides it under another commit, or in a merge", move: flip({ isOneCommit: false }), code: "AG5034" },
    { when: "begins the branch with it", move: flip({ before: null }), code: "AG5034" },
    { when: "rewrites the branch with it", move: flip({ isForward: false }), code: "AG5036" },
    { when: "exports while another leads", move: moved(), code: "AG5034" },
    {
      when: "exports while it leads",
      move: moved({
        before: view(federation({ leader: "cluster2" })),
        after: view(federation({ leader: "cluster2" })),
      }),
      code: null,
    },
  ])("$when: $code", ({ move, path = "", code }) => {
    const pusher = agent("cluster2", { designates: true });
    expect(judgePush(facts({ pusher, path }, move))?.code ?? null).toBe(code);
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
    { who: "people", ref: "amko/failed/cluster1", before: null, code: "AG5033" },
    { who: "people", ref: "amko/failed/cluster1", after: null, code: null },
    { who: "people", ref: "amko/rescue/cluster1/3f2a", code: "AG5033" },
    { who: "people", ref: "amko/rescue/cluster1/3f2a", after: null, code: null },
    { who: "people", ref: "amko/applied/cluster1", after: null, code: null },
    { who: "people", ref: "amko/identity/cluster1/more", before: null, code: "AG5033" },
    { who: "people", ref: "amko/propose/cluster1", before: null, code: "AG5033" },
    { who: "people", ref: "amko/other", before: null, code: "AG5033" },
    { who: "people", ref: "amko", before: null, code: "AG5033" },
    { who: "people", ref: "AMKO/applied/cluster1", before: null, code: "AG5033" },
    { who: "people", ref: "Main", before: null, code: "AG5033" },
    { who: "people", ref: "amkoland", code: null },
    { who: "people", ref: "mainland", code: null },
    { who: "cluster2", ref: "amko", before: null, code: "AG5033" },
    { who: "cluster2", ref: "Main", before: null, code: "AG5033" },
    { who: "cluster2", ref: "amko/Applied/cluster2", before: null, code: "AG5033" },
    { who: "cluster2", ref: "amko/applied/Cluster2", before: null, code: "AG5033" },
    { who: "cluster2", ref: "amko/applied/cluster", before: null, code: "AG5033" },
    { who: "cluster2", ref: "amko/propose/cluster2//x", before: null, code: "AG5033" },
  ])("$who moves $ref from $before to $after: $code", ({ who, ref, before = OLD, after = NEW, code }) => {
    const pusher = who === "people" ? JO : agent(who);
    const update = { ref: `refs/heads/${ref}`, before, after };
    expect(judgePush(facts({ pusher, update }))?.code ?? null).toBe(code);
  });

  it.each<{ readonly who: string; readonly leadership: Leadership | null; readonly code: string | null }>([
    { who: "the leader", leadership: view().leadership, code: "AG5037" },
    {
      who: "a cluster that was failed over from",
      leadership: view(federation({ leader: "cluster2" })).leadership,
      code: null,
    },
    { who: "a cluster while two lead", leadership: view(TWO_LEADERS).leadership, code: "AG5037" },
    { who: "a cluster while nobody leads", leadership: view(federation({ leader: null })).leadership, code: "AG5037" },
    { who: "a cluster while a manifest cannot be read", leadership: view(UNREADABLE).leadership, code: "AG5037" },
    { who: "a cluster where the branch is not there", leadership: null, code: "AG5037" },
  ])("lets people take the claim of $who away: $code", ({ leadership, code }) => {
    const update = { ref: "refs/heads/amko/leading/cluster1", before: OLD, after: null };
    expect(judgePush(facts({ update, leadership }))?.code ?? null).toBe(code);
    expect(judgePush(facts({ update, leadership, pusher: agent("cluster1") }))).toBeNull();
  });

  it("knows a prefix of several folders", () => {
    const under = (ref: string, pusher: Pusher) =>
      judgePush(facts({ pusher, refPrefix: "team/amko", update: { ref, before: null, after: NEW } }))?.code ?? null;
    expect(under("refs/heads/team/amko/applied/cluster2", agent("cluster2"))).toBeNull();
    expect(under("refs/heads/team/amko/applied/cluster2", JO)).toBe("AG5033");
    expect(under("refs/heads/team", JO)).toBe("AG5033");
    expect(under("refs/heads/team/feature", JO)).toBeNull();
  });

  it("refuses tags of agents, and everything of somebody unknown", () => {
    const update = { ref: "refs/tags/v1", before: null, after: NEW };
    expect(judgePush(facts({ pusher: agent("cluster1"), update }))?.code).toBe("AG5033");
    expect(judgePush(facts({ pusher: NOBODY, user: null, update }))?.message).toContain("does not say");
  });
});
