import { describe, expect, it } from "vitest";
import type { ClusterName, CommitId, RevisionFile } from "../../src/core/model.ts";
import type { ClusterStanding } from "../../src/core/standing.ts";
import { planTakeover, type TakeoverFacts, type TakeoverRequest } from "../../src/core/takeover.ts";
import { evaluate } from "../../src/core/view.ts";
import {
  cluster,
  federation,
  file,
  globalDeploymentPolicy,
  gslbConfig,
  manifest,
  schemas,
  snapshotFile,
  withFiles,
  withoutFile,
} from "../support/builders.ts";

const APPLIED = "1".repeat(40) as CommitId;
const holds: ClusterStanding = { kind: "holds", applied: APPLIED };

interface Given {
  readonly files?: readonly RevisionFile[];
  readonly standing?: ClusterStanding;
  readonly inOffice?: readonly string[];
  readonly proposals?: readonly string[];
}

function facts({ files = federation(), standing = holds, inOffice = ["cluster1"], proposals = [] }: Given = {}) {
  return {
    files,
    view: evaluate(files, schemas()),
    schemas: schemas(),
    standings: new Map<ClusterName, ClusterStanding>([
      [cluster("cluster1"), holds],
      [cluster("cluster2"), standing],
    ]),
    inOffice: new Set(inOffice.map(cluster)),
    proposals: new Set(proposals),
  } satisfies TakeoverFacts;
}

function request(changes: Partial<TakeoverRequest> = {}): TakeoverRequest {
  const target = cluster("cluster2");
  return { kind: "switchover", target, controllerIp: null, handoverWithout: null, force: false, ...changes };
}

const failover = (changes: Partial<TakeoverRequest> = {}): TakeoverRequest => request({ kind: "failover", ...changes });
const withManifest = (name: string, fields: Parameters<typeof manifest>[1]): readonly RevisionFile[] =>
  withFiles(federation(), manifest(name, fields));
const conflict = withManifest("cluster3", { isLeader: true });
const unreadable = withFiles(federation(), file("clusters/cluster3/amkocluster.yaml", "{"));
const behind: ClusterStanding = { kind: "behind", applied: APPLIED, lacks: ["GSLBConfig"] };
const failing: ClusterStanding = { kind: "failing", applied: APPLIED, reason: "the CRD is older" };

describe("a takeover is refused", () => {
  it.each<[string, Given, TakeoverRequest, readonly string[]]>([
    ["to a cluster without a manifest", {}, request({ target: cluster("nowhere") }), ["AG5006"]],
    [
      "to a cluster whose manifest is invalid",
      { files: withManifest("cluster2", { version: "" }) },
      failover(),
      ["AG5010"],
    ],
    ["to the leader", {}, failover({ target: cluster("cluster1") }), ["AG5029"]],
    ["planned, to a cluster that is behind", { standing: behind }, request(), ["AG5026"]],
    ["planned, to a cluster that cannot apply", { standing: failing }, request(), ["AG5027"]],
    [
      "planned, to a cluster that never reported",
      { standing: { kind: "unreported" } },
      request({ force: true }),
      ["AG5028"],
    ],
    [
      "planned, to another version",
      { files: withManifest("cluster2", { version: "1.5.1" }) },
      request({ force: true }),
      ["AG5007"],
    ],
    [
      "planned, to a cluster that is no member",
      { files: withManifest("cluster1", { isLeader: true, clusters: ["cluster1", "cluster3"] }) },
      request({ force: true }),
      ["AG5005"],
    ],
    [
      "planned, while the leader's change waits",
      { proposals: ["propose/cluster1/config"] },
      request({ force: true }),
      ["AG5016"],
    ],
    ["planned, while two lead", { files: conflict }, request(), ["AG5002"]],
    ["planned, while nobody leads", { files: federation({ leader: null }) }, request(), ["AG5001"]],
    ["planned, while a manifest cannot be read", { files: unreadable }, request(), ["AG5003"]],
    [
      "after a disaster, where a manifest that cannot be read may still claim",
      { files: unreadable },
      failover(),
      ["AG5003"],
    ],
    [
      "where it would leave the others out",
      { files: withManifest("cluster2", { version: "1.5.1" }) },
      failover(),
      ["AG5007"],
    ],
    [
      "with another controller where there is no GSLBConfig",
      { files: withoutFile(federation(), "federation/gslbconfig/gc-1.yaml") },
      failover({ controllerIp: "10.20.20.20" }),
      ["AG5030"],
    ],
    [
      "with another controller where the GSLBConfig is deleted",
      { files: withFiles(federation(), snapshotFile(gslbConfig({ deleted: "gone" }))) },
      failover({ controllerIp: "10.20.20.20" }),
      ["AG5030"],
    ],
  ])("%s", (_, given, asked, codes) => {
    const { refusals } = planTakeover(facts(given), asked);
    expect(refusals.map(({ code }) => code)).toEqual(codes);
    for (const { remedy } of refusals) expect(remedy).not.toBe("");
  });
});

describe("a takeover is planned", () => {
  it.each<[string, Given, TakeoverRequest]>([
    ["to a member that holds all", {}, request()],
    ["to a member that is behind, by force", { standing: behind }, request({ force: true })],
    ["to a member that cannot apply, by force", { standing: failing }, request({ force: true })],
    ["after a disaster, to one that is behind", { standing: behind }, failover()],
    ["after a disaster, to one that cannot apply", { standing: failing }, failover()],
    ["after a disaster, to one that never reported", { standing: { kind: "unreported" } }, failover()],
    ["after a disaster, with the leader's change open", { proposals: ["propose/cluster1/config"] }, failover()],
    ["from two leaders", { files: conflict }, failover()],
    ["from two leaders to one of them", { files: withManifest("cluster2", { isLeader: true }) }, failover()],
    ["from no leader", { files: federation({ leader: null }) }, failover()],
    [
      "from a leader whose manifest is invalid",
      { files: withManifest("cluster1", { isLeader: true, version: "" }) },
      failover(),
    ],
    [
      "after a disaster in the middle of an upgrade, to the one that was upgraded",
      {
        files: [
          ...federation().filter(({ path }) => !path.startsWith("clusters/")),
          manifest("cluster1", { isLeader: true, clusters: ["cluster1", "cluster2"] }),
          manifest("cluster2", { version: "1.5.1", clusters: ["cluster1", "cluster2"] }),
        ],
      },
      failover(),
    ],
    ["beside a member that was left out before", { files: withManifest("cluster3", { version: "1.5.1" }) }, request()],
    [
      "beside a kind that was unusable before",
      { files: withFiles(federation(), file("federation/globaldeploymentpolicy/global-gdp.yaml", "{")) },
      failover({ controllerIp: "10.20.20.20" }),
    ],
  ])("%s", (_, given, asked) => {
    const { refusals, after, changes } = planTakeover(facts(given), asked);
    expect(refusals).toEqual([]);
    expect(after.filter(({ role }) => role === "leader").map((entry) => entry.cluster)).toEqual(["cluster2"]);
    expect(changes.length).toBeGreaterThan(0);
  });

  it("names whoever is not waited for, and takes an earlier name off", () => {
    const plan = planTakeover(facts({ files: conflict }), failover());
    const text = (path: string): string =>
      new TextDecoder().decode(plan.changes.find((change) => change.path === path)?.bytes ?? new Uint8Array());
    expect(text("clusters/cluster2/amkocluster.yaml")).toContain("cluster1,cluster3");
    const later = withFiles(
      conflict,
      ...plan.changes.flatMap(({ path, bytes }) => (bytes === null ? [] : [file(path, bytes)])),
    );
    const back = planTakeover(facts({ files: later }), failover({ kind: "switchover", target: cluster("cluster1") }));
    expect(back.refusals).toEqual([]);
    for (const { bytes } of back.changes)
      expect(new TextDecoder().decode(bytes ?? undefined)).not.toContain("handover");
  });

  it("does not wait for whoever is in office where nobody claims, unless told otherwise", () => {
    const given = facts({ files: federation({ leader: null }), inOffice: ["cluster3"] });
    const written = (asked: TakeoverRequest): string =>
      planTakeover(given, asked)
        .changes.map(({ bytes }) => new TextDecoder().decode(bytes ?? undefined))
        .join("");
    expect(written(failover())).toContain('"amko-gitops.io/handover-without": "cluster3"');
    expect(written(failover({ handoverWithout: [] }))).not.toContain("handover-without");
  });
});

describe("a takeover tells", () => {
  it.each<[string, Given, TakeoverRequest, RegExp]>([
    ["that the former leader's AMKO acts a little longer", {}, request(), /cluster1 may act for some 30 s more/],
    ["what never reached git", {}, failover(), /changed in cluster1 and never reached git/],
    [
      "what waits for a review",
      { proposals: ["propose/cluster1/version"] },
      failover(),
      /propose\/cluster1\/version is open/,
    ],
    [
      "that the former leader will be left out",
      { files: withManifest("cluster2", { version: "1.5.1" }) },
      failover(),
      /cluster1 is left out when it comes back, until that is mended: version mismatch/,
    ],
    ["that nobody waits for the former leader", {}, failover(), /does not wait for cluster1/],
    ["that another is in office", { inOffice: ["cluster1", "cluster3"] }, request(), /cluster3 is in office too/],
    ["that the target has work to do", { standing: behind }, failover(), /holds 11111111: it applies the newest/],
    ["that the target may be dead", { standing: { kind: "unreported" } }, failover(), /nobody will lead/],
    [
      "who is not in the federation of the new leader",
      { files: withManifest("cluster2", { clusters: ["cluster1", "cluster2"] }) },
      request(),
      /cluster3 is not in spec\.clusters of cluster2: it applies nothing any more/,
    ],
    ["that AMKO restarts", {}, request(), /AMKO in cluster2 restarts/],
    [
      "which controller is programmed",
      {},
      failover({ controllerIp: "10.9.9.9" }),
      /10\.9\.9\.9 instead of 10\.10\.10\.10/,
    ],
    [
      "that the target was no member",
      { files: withManifest("cluster1", { isLeader: true, clusters: ["cluster1", "cluster3"] }) },
      failover(),
      /cluster2 was no member/,
    ],
  ])("%s", (_, given, asked, words) => {
    expect(planTakeover(facts(given), asked).warnings.join("\n")).toMatch(words);
  });

  it("nothing of a controller that stays the same", () => {
    const plan = planTakeover(facts(), failover({ controllerIp: "10.10.10.10" }));
    expect(plan.changes.map(({ path }) => path)).not.toContain("federation/gslbconfig/gc-1.yaml");
    expect(plan.warnings.join("\n")).not.toContain("controller");
  });

  it("never a snapshot's other fields", () => {
    const files = withFiles(federation(), snapshotFile(globalDeploymentPolicy({ deleted: "away" })));
    const plan = planTakeover(facts({ files }), failover({ controllerIp: "10.9.9.9" }));
    expect(plan.snapshots.flatMap(({ fields }) => fields)).toHaveLength(1);
  });
});
