import { describe, expect, it } from "vitest";
import { formatFieldPath } from "../../src/core/diff.ts";
import type { KindState, RevisionFile } from "../../src/core/model.ts";
import { HANDOVER_WITHOUT_ANNOTATION, NAMESPACE } from "../../src/core/model.ts";
import { diffRevisions, isEqual } from "../../src/core/revision-diff.ts";
import { evaluate } from "../../src/core/view.ts";
import {
  CLUSTERS,
  federation,
  file,
  gslbConfig,
  manifest,
  manifestPath,
  policy,
  schemas,
  snapshotFile,
  withFiles,
  withoutFile,
  withSpec,
} from "../support/builders.ts";

const GC = "federation/gslbconfig/gc-1.yaml";
const GDP = "federation/globaldeploymentpolicy/global-gdp.yaml";
const TOMBSTONE = snapshotFile(gslbConfig({ deleted: "CHG-1" }));
const four = [...CLUSTERS, "cluster4"];

function tell(before: readonly RevisionFile[], after: readonly RevisionFile[]) {
  const diff = diffRevisions(evaluate(before, schemas()), evaluate(after, schemas()));
  const { leadership, members, clusters, objects, notes } = diff;
  const paths = (fields: (typeof objects)[number]["fields"]) => fields.map(({ path }) => formatFieldPath(path)).join();
  const side = (one: { readonly state: string; readonly name?: string | null }) => `${one.state} ${one.name ?? "-"}`;
  return {
    equal: isEqual(diff),
    leader: leadership === null ? null : `${leadership.before.kind} -> ${leadership.after.kind}`,
    members: members.map(({ cluster, change }) => `${cluster} ${change}`),
    clusters: clusters.map((one) => `${one.cluster} ${one.before.state} -> ${one.after.state}: ${paths(one.fields)}`),
    objects: objects.map((one) => `${one.kind} ${side(one.before)} -> ${side(one.after)}: ${paths(one.fields)}`),
    notes,
  };
}

describe("comparing manifests", () => {
  it("finds nothing where nothing differs, comments and order of keys included", () => {
    const text = new TextDecoder().decode(snapshotFile(gslbConfig()).bytes ?? undefined);
    const commented = withFiles(federation(), file(GC, `# on call: team\n${text}`));
    for (const after of [federation(), commented])
      expect(tell(federation(), after)).toEqual({
        equal: true,
        leader: null,
        members: [],
        clusters: [],
        objects: [],
        notes: [],
      });
  });

  it("tells of a flip by field, and that nobody joins or leaves", () => {
    const after = federation({ leader: "cluster2" });
    expect(tell(federation(), after)).toMatchObject({
      equal: false,
      leader: "leader -> leader",
      members: [],
      clusters: ["cluster1 valid -> valid: spec.isLeader", "cluster2 valid -> valid: spec.isLeader"],
    });
  });

  it.each([
    ["leaderless", federation({ leader: null })],
    ["conflict", withFiles(federation(), manifest("cluster2", { isLeader: true }))],
    ["unknown", withFiles(federation(), file(manifestPath("cluster2"), "{"))],
    ["invalid", withFiles(federation(), manifest("cluster1", { isLeader: true, version: "" }))],
  ] as const)("tells that the leadership is %s", (kind, after) => {
    expect(tell(federation(), after).leader).toBe(`leader -> ${kind}`);
    expect(tell(after, federation()).leader).toBe(`${kind} -> leader`);
    expect(tell(after, after).equal).toBe(true);
  });

  it("tells who joins and who leaves, and the lists that say so", () => {
    const grown = [
      ...CLUSTERS.map((name) => manifest(name, { isLeader: name === "cluster1", clusters: four })),
      manifest("cluster4", { clusters: four }),
    ];
    const after = withFiles(federation(), ...grown);
    const lists = CLUSTERS.map((name) => `${name} valid -> valid: spec.clusters`);
    expect(tell(federation(), after)).toMatchObject({
      members: ["cluster4 joins"],
      clusters: [...lists, "cluster4 absent -> valid: spec.isLeader,spec.version,spec.clusters"],
    });
    expect(tell(after, federation())).toMatchObject({
      members: ["cluster4 leaves"],
      clusters: [...lists, "cluster4 valid -> absent: "],
    });
  });

  it("tells who is left out for its version, and who takes part again", () => {
    const after = withFiles(federation(), manifest("cluster3", { version: "1.5.0" }));
    expect(tell(federation(), after)).toMatchObject({
      members: ["cluster3 excluded"],
      clusters: ["cluster3 valid -> valid: spec.version"],
    });
    expect(tell(after, federation()).members).toEqual(["cluster3 included"]);
  });

  it("tells of a member without manifest", () => {
    const after = withoutFile(federation(), manifestPath("cluster3"));
    expect(tell(federation(), after)).toMatchObject({
      members: ["cluster3 excluded"],
      clusters: ["cluster3 valid -> absent: "],
    });
  });

  it("tells of a manifest that is invalid now, also where no field that is compared differs", () => {
    const moved = manifest("cluster3", {}, { metadata: { name: "amkocluster-federation", namespace: "default" } });
    const found = tell(federation(), withFiles(federation(), moved));
    expect(found.clusters).toEqual(["cluster3 valid -> invalid: "]);
  });

  it("tells of a manifest that cannot be read any more, which is not gone", () => {
    const after = withFiles(federation(), file(manifestPath("cluster2"), "{"));
    expect(tell(federation(), after).clusters).toEqual(["cluster2 valid -> unreadable: "]);
    expect(tell(after, federation()).clusters[0]).toContain("cluster2 unreadable -> valid: ");
  });

  it("tells of annotations, and notes a handover that does not wait", () => {
    const annotations = { [HANDOVER_WITHOUT_ANNOTATION]: "cluster1" };
    const metadata = { name: "amkocluster-federation", namespace: NAMESPACE, annotations };
    const leader = manifest("cluster2", { isLeader: true }, { metadata });
    const found = tell(federation(), withFiles(federation({ leader: null }), leader));
    expect(found.clusters[1]).toBe(
      `cluster2 valid -> valid: annotations["${HANDOVER_WITHOUT_ANNOTATION}"],spec.isLeader`,
    );
    expect(found.notes).toEqual([expect.stringContaining("without waiting for cluster1")]);
  });
});

describe("comparing snapshots", () => {
  it.each([
    ["created", withoutFile(federation(), GC), federation(), "absent - -> present gc-1: annotations,spec"],
    ["removed as a file", federation(), withoutFile(federation(), GC), "present gc-1 -> absent -: "],
    ["deleted", federation(), withFiles(federation(), TOMBSTONE), "present gc-1 -> deleted gc-1: deleted"],
    ["restored", withFiles(federation(), TOMBSTONE), federation(), "deleted gc-1 -> present gc-1: deleted"],
    ["broken", federation(), withFiles(federation(), file(GC, "{")), "present gc-1 -> unusable -: "],
    ["mended", withFiles(federation(), file(GC, "{")), federation(), "unusable - -> present gc-1: annotations,spec"],
    [
      "renamed",
      federation(),
      withFiles(withoutFile(federation(), GC), snapshotFile(gslbConfig({ name: "gc-2" }))),
      "present gc-1 -> present gc-2: ",
    ],
    [
      "changed",
      federation(),
      withFiles(federation(), snapshotFile(withSpec(gslbConfig(), { logLevel: "DEBUG" }))),
      "present gc-1 -> present gc-1: spec.logLevel",
    ],
    [
      "deleted for another reason",
      withFiles(federation(), TOMBSTONE),
      withFiles(federation(), snapshotFile(gslbConfig({ deleted: "CHG-2" }))),
      "deleted gc-1 -> deleted gc-1: deleted",
    ],
    [
      "broken in another way",
      withFiles(federation(), file(GC, "{")),
      withFiles(federation(), file(GC, "- a\n")),
      "unusable - -> unusable -: ",
    ],
  ] as const)("tells of an object that was %s", (_, before, after, said) => {
    const found = tell(before, after);
    expect([found.equal, found.objects]).toEqual([false, [`GSLBConfig ${said}`]]);
  });

  it("says nothing of what a new object does not say", () => {
    const { objects } = tell(withoutFile(federation(), GDP), federation());
    expect(objects).toEqual(["GlobalDeploymentPolicy absent - -> present global-gdp: spec"]);
  });

  it("compares lists of clusters by entry", () => {
    const trafficSplit = CLUSTERS.map((cluster, index) => ({ cluster, priority: 10, weight: index === 1 ? 6 : 5 }));
    const after = withFiles(federation(), snapshotFile(policy({ trafficSplit })));
    expect(tell(federation(), after).objects[0]).toContain(": spec.trafficSplit[cluster2].weight");
  });

  it("notes what AMKO has to be restarted for, which is no difference of its own", () => {
    const found = tell(
      federation(),
      withFiles(federation(), snapshotFile(withSpec(gslbConfig(), { refreshInterval: 60 }))),
    );
    expect(found.notes).toEqual([expect.stringContaining("restarted by hand to read spec.refreshInterval")]);
  });

  it("is equal exactly where nothing is told, in either direction", () => {
    const states: readonly KindState["kind"][] = ["present", "deleted", "absent", "unusable"];
    const filesOf = (state: KindState["kind"]): readonly RevisionFile[] =>
      ({
        present: federation(),
        deleted: withFiles(federation(), TOMBSTONE),
        absent: withoutFile(federation(), GC),
        unusable: withFiles(federation(), file(GC, "{")),
      })[state];
    for (const before of states)
      for (const after of states) expect(tell(filesOf(before), filesOf(after)).equal).toBe(before === after);
  });
});
