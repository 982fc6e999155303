import { describe, expect, it } from "vitest";
import { type AdoptFacts, planAdopt } from "../../src/core/adopt.ts";
import type { CommitId, LiveObject, RevisionFile, Snapshot } from "../../src/core/model.ts";
import { evaluate } from "../../src/core/view.ts";
import {
  cluster,
  federation,
  file,
  globalDeploymentPolicy,
  gslbConfig,
  liveOf,
  policy,
  schemas,
  snapshotFile,
  UUID,
  withFiles,
  withoutFile,
} from "../support/builders.ts";

const GDP = "federation/globaldeploymentpolicy/global-gdp.yaml";
function plan({
  files = federation(),
  policies = [liveOf(globalDeploymentPolicy())],
  configs = [liveOf(gslbConfig())],
  base = null,
  held = files,
}: {
  readonly files?: readonly RevisionFile[];
  readonly policies?: readonly LiveObject[];
  readonly configs?: readonly LiveObject[];
  readonly base?: Snapshot | null;
  readonly held?: readonly RevisionFile[];
}) {
  const facts: AdoptFacts = {
    cluster: cluster("cluster2"),
    head: "1".repeat(40) as CommitId,
    files,
    view: evaluate(files, schemas()),
    usable: evaluate(held, schemas()).kinds,
    schemas: schemas(),
    live: { GSLBConfig: configs, GlobalDeploymentPolicy: policies },
    bases: { GSLBConfig: null, GlobalDeploymentPolicy: base },
  };
  const result = planAdopt(facts);
  const fields = result.snapshots.flatMap((change) => change.fields.map(({ path }) => path.join(".")));
  const texts = result.changes.map(({ path, bytes }) => [path, new TextDecoder().decode(bytes ?? undefined)] as const);
  return { ...result, fields, texts: Object.fromEntries(texts) };
}

describe("adopting", () => {
  it("proposes nothing of a cluster that holds what git says", () => {
    expect(plan({})).toMatchObject({ changes: [], notes: [], refusals: [] });
  });

  it("takes what was edited in the cluster", () => {
    const { fields, texts } = plan({ policies: [liveOf(policy({ ttl: 60 }))] });
    expect([fields, Object.keys(texts)]).toEqual([["spec.ttl"], [GDP]]);
  });

  it("leaves out what git changed since", () => {
    const files = withFiles(federation(), snapshotFile(policy({ ttl: 99 })));
    const edited = { trafficSplit: [{ cluster: "cluster1", priority: 10, weight: 9 }] };
    const { texts } = plan({ files, policies: [liveOf(policy(edited))], base: globalDeploymentPolicy() });
    expect(texts[GDP]).toContain("ttl: 99");
    expect(texts[GDP]).toContain("weight: 9");
  });

  it("proposes nothing of a cluster that is only behind", () => {
    const files = withFiles(federation(), snapshotFile(policy({ ttl: 99 })));
    expect(plan({ files, base: globalDeploymentPolicy() }).changes).toEqual([]);
  });

  it("keeps the UUID that clusters hold while what is on the branch cannot be used", () => {
    const broken = snapshotFile(gslbConfig({ spec: { ...gslbConfig().spec, logLevel: "SILLY" } }));
    const configs = [liveOf(gslbConfig({ annotations: {} }))];
    const { texts } = plan({ files: withFiles(federation(), broken), configs, held: federation() });
    expect(texts["federation/gslbconfig/gc-1.yaml"]).toContain(UUID);
  });

  it("keeps the UUID that is on the branch", () => {
    const bare = liveOf(gslbConfig({ annotations: {} }));
    expect(plan({ configs: [bare] }).changes).toEqual([]);
    const edited = liveOf(gslbConfig({ annotations: {}, spec: { ...gslbConfig().spec, logLevel: "DEBUG" } }));
    expect(plan({ configs: [edited] }).texts["federation/gslbconfig/gc-1.yaml"]).toContain(UUID);
  });

  it("deletes nothing that the cluster does not have", () => {
    expect(plan({ policies: [] })).toMatchObject({ changes: [], notes: [expect.stringContaining("deletes nothing")] });
  });

  it("brings in what git does not have", () => {
    const { snapshots, texts } = plan({ files: withoutFile(federation(), GDP) });
    expect([snapshots.map(({ action }) => action), Object.keys(texts)]).toEqual([["create"], [GDP]]);
  });

  it.each([
    ["is deleted in git", snapshotFile(globalDeploymentPolicy({ deleted: "away" })), "brings it back"],
    ["is unusable in git", file(GDP, "{"), "takes its place"],
  ] as const)("says so of what %s", (_, there, words) => {
    const { notes, changes, refusals } = plan({ files: withFiles(federation(), there) });
    expect([notes.join(), changes.length, refusals]).toEqual([expect.stringContaining(words), 1, []]);
  });

  it("keeps the name in git", () => {
    const { texts, notes } = plan({ policies: [liveOf(policy({ ttl: 60 }, { name: "other" }))] });
    expect([Object.keys(texts), notes.join()]).toEqual([[GDP], expect.stringContaining("called other")]);
  });

  it("refuses two objects of a kind", () => {
    const two = [liveOf(globalDeploymentPolicy()), liveOf(policy({}, { name: "other" }))];
    expect(plan({ policies: two }).refusals).toMatchObject([{ code: "AG3013" }]);
  });
});
