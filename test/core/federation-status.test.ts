import { describe, expect, it } from "vitest";
import { federationStatus, type HeldRevision, lacksSince, type StatusFacts } from "../../src/core/federation-status.ts";
import type { CommitId } from "../../src/core/model.ts";
import { evaluate } from "../../src/core/view.ts";
import {
  cluster,
  commitId,
  federation,
  globalDeploymentPolicy,
  manifest,
  revision,
  schemas,
  snapshotFile,
  withFiles,
  withoutFile,
} from "../support/builders.ts";

function facts(files = federation(), refs: Readonly<Record<string, CommitId>> = {}): StatusFacts {
  const head = revision("a", files);
  const policy = snapshotFile(globalDeploymentPolicy({ spec: {} }));
  const old = { revision: revision("b", withFiles(federation(), policy)), lacksSinceSeconds: 50 };
  const all: Record<string, CommitId> = { "leading/cluster1": commitId("e"), ...refs };
  for (const name of ["cluster1", "cluster2", "cluster3"]) all[`applied/${name}`] ??= commitId("a");
  return {
    head,
    view: evaluate(files, schemas()),
    refs: new Map<string, CommitId>(Object.entries(all)),
    held: new Map<CommitId, HeldRevision | null>([
      [commitId("a"), { revision: head, lacksSinceSeconds: null }],
      [commitId("b"), old],
      [commitId("c"), null],
    ]),
    failures: new Map(),
  };
}

const roleIn = (given: StatusFacts, name: string) =>
  federationStatus(given).clusters.find((one) => one.cluster === name)?.role;

describe("federationStatus", () => {
  it("is well when one leads, is in office, and all hold the head", () => {
    const status = federationStatus(facts());
    expect(status.well).toBe(true);
    expect(status.clusters.map(({ role }) => role)).toEqual(["leader", "follower", "follower"]);
  });

  it("tells by kind what a cluster that is behind lacks, and since when", () => {
    const status = federationStatus(facts(federation(), { "applied/cluster2": commitId("b") }));
    expect(status.well).toBe(false);
    expect(status.clusters[1]).toMatchObject({
      kinds: { GSLBConfig: "holds", GlobalDeploymentPolicy: "behind" },
      behindSinceSeconds: 50,
    });
  });

  it("does not count a revision that the branch does not have as held", () => {
    const status = federationStatus(facts(federation(), { "applied/cluster2": commitId("c") }));
    expect(status.clusters[1]).toMatchObject({ kinds: { GSLBConfig: "behind" }, well: false });
    expect(status.clusters[1]?.errors).toHaveLength(1);
  });

  it("counts a cluster that cannot apply as failed in every kind", () => {
    const status = federationStatus({ ...facts(), failures: new Map([[cluster("cluster2"), "quota"]]) });
    expect(status.clusters[1]).toMatchObject({ kinds: { GSLBConfig: "failed" }, errors: ["quota"], well: false });
  });

  it("tells who is in office from who is designated", () => {
    const both = facts(federation({ leader: "cluster2" }));
    expect([roleIn(both, "cluster1"), roleIn(both, "cluster2")]).toEqual([
      "former leader, not stepped down",
      "leader, taking office",
    ]);
    expect(federationStatus(both).well).toBe(false);
  });

  it("shows who is excluded, who has no manifest, and who claims", () => {
    const files = withFiles(federation(), manifest("cluster2", { version: "1.4.1" }));
    const missing = withoutFile(files, "clusters/cluster3/amkocluster.yaml");
    const given = facts(missing, { "applied/cluster9": commitId("a") });
    expect([2, 3, 9].map((n) => roleIn(given, `cluster${n}`))).toEqual(["excluded", "no manifest", "no manifest"]);
    const conflict = facts(withFiles(federation(), manifest("cluster2", { isLeader: true })));
    expect(roleIn(conflict, "cluster2")).toBe("claims to lead");
    expect(federationStatus(conflict).well).toBe(false);
  });
});

describe("lacksSince", () => {
  it("answers the oldest missing revision that changed the folder", () => {
    const held = revision("1", []);
    const tree = held.tree;
    const idle = revision("2", [], { parents: [held.commit], tree, committedAtSeconds: 10 });
    const first = revision("3", [], { parents: [idle.commit], committedAtSeconds: 20 });
    const second = revision("4", [], { parents: [first.commit], committedAtSeconds: 30 });
    expect(lacksSince([second, first, idle], held)).toBe(20);
    expect(lacksSince([idle], held)).toBeNull();
  });
});
