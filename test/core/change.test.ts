import { describe, expect, it } from "vitest";
import { judgeChange } from "../../src/core/change.ts";
import { describeEffect } from "../../src/core/describe-effect.ts";
import {
  type CommitId,
  HANDOVER_WITHOUT_ANNOTATION,
  NAMESPACE,
  type RevisionFile,
  UUID_ANNOTATION,
} from "../../src/core/model.ts";
import { evaluate } from "../../src/core/view.ts";
import {
  federation,
  file,
  globalDeploymentPolicy,
  gslbConfig,
  manifest,
  policy,
  schemas,
  snapshotFile,
  UUID,
  withFiles,
  withoutFile,
  withSpec,
} from "../support/builders.ts";

const GDP = "federation/globaldeploymentpolicy/global-gdp.yaml";
const GC = "federation/gslbconfig/gc-1.yaml";

function judge(
  base: readonly RevisionFile[],
  head: readonly RevisionFile[],
  messages: readonly string[] = [],
  held = base,
) {
  const commits = messages.map((message, index) => ({ commit: `${index}`.repeat(40) as CommitId, message }));
  const verdict = judgeChange({
    base: evaluate(base, schemas()),
    usable: evaluate(held, schemas()).kinds,
    head: evaluate(head, schemas()),
    files: head,
    commits,
  });
  return { problems: verdict.problems, sentences: verdict.effects.flatMap(describeEffect) };
}

function leaderSpec(fields: Readonly<Record<string, string>>): RevisionFile {
  const gslbLeader = gslbConfig().spec["gslbLeader"] as Readonly<Record<string, string>>;
  return snapshotFile(withSpec(gslbConfig(), { gslbLeader: { ...gslbLeader, ...fields } }));
}

const TOMBSTONE = snapshotFile(globalDeploymentPolicy({ deleted: "by hand" }));
const three = ["cluster1", "cluster2", "cluster3"];

interface EffectCase {
  readonly when: string;
  readonly base?: readonly RevisionFile[];
  readonly head: readonly RevisionFile[];
  readonly said: readonly string[];
}

describe("what a change does", () => {
  it.each<EffectCase>([
    { when: "nothing changes", head: federation(), said: [] },
    {
      when: "the leader flips",
      head: federation({ leader: "cluster2" }),
      said: ["the leadership moves from cluster1 to cluster2"],
    },
    {
      when: "nobody leads any more",
      head: federation({ leader: null }),
      said: ["leader: cluster1 -> nobody; every cluster holds"],
    },
    {
      when: "a second cluster claims",
      head: withFiles(federation(), manifest("cluster2", { isLeader: true })),
      said: ["leader: cluster1 -> cluster1 and cluster2 in conflict; every cluster holds"],
    },
    {
      when: "a manifest breaks",
      head: withFiles(federation(), file("clusters/cluster2/amkocluster.yaml", "a: [")),
      said: ["leader: cluster1 -> unknown; every cluster holds"],
    },
    {
      when: "a member leaves",
      head: withFiles(federation(), manifest("cluster1", { isLeader: true, clusters: three.slice(0, 2) })),
      said: ["cluster3 leaves the federation: it keeps what it has and applies nothing more"],
    },
    {
      when: "a member joins without a manifest",
      head: withFiles(federation(), manifest("cluster1", { isLeader: true, clusters: [...three, "cluster4"] })),
      said: [
        "cluster4 joins the federation",
        "cluster4 is left out: AMKO in cluster cluster4 has no AMKOCluster manifest",
      ],
    },
    {
      when: "one version changes",
      head: withFiles(federation(), manifest("cluster2", { version: "1.5.0" })),
      said: [
        "cluster2 is left out: version mismatch, current AMKO: 1.4.2, AMKO in cluster cluster2: 1.5.0",
        "AMKO in cluster2: 1.4.2 -> 1.5.0",
      ],
    },
    {
      when: "a version is mended",
      base: withFiles(federation(), manifest("cluster2", { version: "1.5.0" })),
      head: federation(),
      said: ["cluster2 takes part again", "AMKO in cluster2: 1.5.0 -> 1.4.2"],
    },
    {
      when: "an object is deleted",
      head: withFiles(federation(), TOMBSTONE),
      said: ["GlobalDeploymentPolicy global-gdp is deleted in every cluster"],
    },
    {
      when: "an object comes back",
      base: withFiles(federation(), TOMBSTONE),
      head: federation(),
      said: ["GlobalDeploymentPolicy global-gdp is no longer deleted: it is created again in every cluster"],
    },
    {
      when: "an object is new",
      base: withoutFile(federation(), GDP),
      head: federation(),
      said: ["GlobalDeploymentPolicy global-gdp is added: clusters that do not have it create it"],
    },
    {
      when: "an object that was broken is mended",
      base: withFiles(federation(), file(GDP, "a: [")),
      head: federation(),
      said: ["GlobalDeploymentPolicy global-gdp can be used again: clusters take it"],
    },
    {
      when: "a manifest that cannot lead claims instead of the leader",
      head: withFiles(federation({ leader: null }), manifest("cluster2", { isLeader: true, version: "" })),
      said: [
        "cluster2 claims to lead instead of cluster1, and cannot; every cluster holds",
        "AMKO in cluster2: 1.4.2 -> ",
      ],
    },
    {
      when: "the leader's manifest becomes invalid",
      head: withFiles(federation(), manifest("cluster1", { isLeader: true, version: "" })),
      said: ["cluster1 can lead no longer; every cluster holds", "AMKO in cluster1: 1.4.2 -> "],
    },
    {
      when: "an object breaks",
      head: withFiles(federation(), file(GDP, "a: [")),
      said: ["GlobalDeploymentPolicy cannot be used any more: clusters keep the newest one that can"],
    },
    {
      when: "traffic moves",
      head: withFiles(
        federation(),
        snapshotFile(
          policy({
            trafficSplit: three.map((cluster) => ({ cluster, priority: 10, weight: cluster === "cluster1" ? 1 : 5 })),
            ttl: 20,
          }),
        ),
      ),
      said: [
        "GlobalDeploymentPolicy changes",
        "  weight of cluster1 in the traffic split: 5 -> 1",
        "  spec.ttl: 10 -> 20",
      ],
    },
    {
      when: "a cluster no longer matches",
      head: withFiles(
        federation(),
        snapshotFile(policy({ matchClusters: three.slice(1).map((cluster) => ({ cluster })) })),
      ),
      said: ["GlobalDeploymentPolicy changes", "  cluster1 is taken out of the matched clusters"],
    },
    {
      when: "AMKO restarts by itself",
      head: withFiles(federation(), leaderSpec({ controllerIP: "10.0.0.1", tenant: "other" })),
      said: [
        "GSLBConfig changes",
        "  spec.gslbLeader.controllerIP: 10.10.10.10 -> 10.0.0.1",
        "  spec.gslbLeader.tenant: admin -> other",
        "AMKO on the leader restarts by itself: spec.gslbLeader.controllerIP",
      ],
    },
    {
      when: "AMKO has to be restarted",
      head: withFiles(federation(), leaderSpec({ tenant: "other" })),
      said: [
        "GSLBConfig changes",
        "  spec.gslbLeader.tenant: admin -> other",
        "AMKO on the leader has to be restarted by hand to read spec.gslbLeader.tenant",
      ],
    },
  ])("when $when", ({ base = federation(), head, said }) => {
    expect(judge(base, head).sentences).toEqual(said);
  });
});

interface ProblemCase {
  readonly when: string;
  readonly base?: readonly RevisionFile[];
  readonly head?: readonly RevisionFile[];
  /** What clusters hold, where the base says nothing. */
  readonly held?: readonly RevisionFile[];
  readonly messages?: readonly string[];
  readonly found: readonly string[];
}

const withoutUuid = withFiles(federation(), snapshotFile(gslbConfig({ annotations: {} })));
const otherUuid = snapshotFile(gslbConfig({ annotations: { [UUID_ANNOTATION]: `${UUID.slice(0, -1)}4` } }));

function handover(isLeader: boolean, version = "1.4.2"): RevisionFile {
  const annotations = { [HANDOVER_WITHOUT_ANNOTATION]: "cluster1" };
  return manifest("cluster2", { isLeader, version }, { metadata: { name: "a", namespace: NAMESPACE, annotations } });
}

/** The cluster that was upgraded first takes over from the one that was lost meanwhile; the third follows, or cannot. */
function takeover({ named, others = "1.4.2" }: { readonly named: boolean; readonly others?: string }) {
  const flip = named ? handover(true, "1.4.3") : manifest("cluster2", { isLeader: true, version: "1.4.3" });
  return withFiles(federation({ leader: null }), flip, manifest("cluster3", { version: others }));
}

const strange = [
  manifest("team[no-ci]", { isLeader: true, clusters: ["team[no-ci]"] }),
  snapshotFile(gslbConfig()),
  snapshotFile(globalDeploymentPolicy()),
];

describe("what is wrong with a change", () => {
  it.each<ProblemCase>([
    { when: "a snapshot's file goes", head: withoutFile(federation(), GDP), found: [`error AG1024 ${GDP}:null`] },
    {
      when: "a tombstone's file goes",
      base: withFiles(federation(), TOMBSTONE),
      head: withoutFile(federation(), GDP),
      found: [`warning AG1024 ${GDP}:null`],
    },
    { when: "a tombstone is added", head: withFiles(federation(), TOMBSTONE), found: [] },
    { when: "the UUID goes", head: withoutUuid, found: [`error AG1025 ${GC}:3`] },
    { when: "the UUID changes", head: withFiles(federation(), otherUuid), found: [`error AG1025 ${GC}:5`] },
    {
      when: "the UUID goes by way of a missing file",
      base: withoutFile(federation(), GC),
      held: federation(),
      head: withoutUuid,
      found: [`error AG1025 ${GC}:3`],
    },
    {
      when: "the file comes back as it was",
      base: withoutFile(federation(), GC),
      held: federation(),
      found: [],
    },
    { when: "the UUID is added", base: withoutUuid, head: federation(), found: [] },
    { when: "the leader exports", messages: ["x\n\nFederated-From: cluster1\n"], found: [] },
    {
      when: "a follower exports",
      messages: ["x\n\nFederated-From: cluster2\n"],
      found: ["error AG1026 federation:null"],
    },
    {
      when: "a leader exports whose name reads like a word to the CI",
      base: strange,
      head: strange,
      messages: ["x\n\nFederated-From: team(no-ci)\n"],
      found: [],
    },
    { when: "a person commits", messages: ["A change\n", "Another\n"], found: [] },
    {
      when: "somebody exports while nobody leads",
      base: federation({ leader: null }),
      messages: ["x\n\nFederated-From: cluster1\n"],
      found: ["error AG1026 federation:null"],
    },
    {
      when: "a follower is to take office without a word",
      head: withFiles(federation(), handover(false)),
      found: ["error AG1027 clusters/cluster2/amkocluster.yaml:8"],
    },
    {
      when: "a new leader is to take office without a word",
      head: withFiles(federation({ leader: null }), handover(true)),
      found: [],
    },
    {
      when: "the lost leader, of another version, is taken over without a word",
      head: takeover({ named: true, others: "1.4.3" }),
      found: ["warning AG5007 clusters/cluster1/amkocluster.yaml:11"],
    },
    {
      when: "the former leader, of another version, is left out and not said to be lost",
      head: takeover({ named: false, others: "1.4.3" }),
      found: ["error AG5007 clusters/cluster1/amkocluster.yaml:11"],
    },
    {
      when: "a living member is left out with the lost leader",
      head: takeover({ named: true }),
      found: [
        "warning AG5007 clusters/cluster1/amkocluster.yaml:11",
        "error AG5007 clusters/cluster3/amkocluster.yaml:11",
      ],
    },
    {
      when: "the lost leader is still left out after the commit that took over without it",
      base: takeover({ named: true, others: "1.4.3" }),
      head: takeover({ named: true, others: "1.4.3" }),
      found: ["error AG5007 clusters/cluster1/amkocluster.yaml:11"],
    },
  ])("when $when", ({ base = federation(), head = federation(), held, messages, found }) => {
    const { problems } = judge(base, head, messages, held);
    expect(problems.map(({ severity, code, path, line }) => `${severity} ${code} ${path}:${line}`)).toEqual(found);
  });
});
