import { describe, expect, it } from "vitest";
import { FEDERATED_KINDS, type FederatedKind, type RevisionFile, UUID_ANNOTATION } from "../../src/core/model.ts";
import { planRollback } from "../../src/core/rollback.ts";
import { evaluate } from "../../src/core/view.ts";
import {
  federation,
  file,
  globalDeploymentPolicy,
  gslbConfig,
  policy,
  schemas,
  snapshotFile,
  UUID,
  withFiles,
  withoutFile,
} from "../support/builders.ts";

const GDP = "federation/globaldeploymentpolicy/global-gdp.yaml";
const CONFIG = "federation/gslbconfig/gc-1.yaml";
const tombstone = snapshotFile(globalDeploymentPolicy({ deleted: "CHG-1" }));

function plan(
  today: readonly RevisionFile[],
  then: readonly RevisionFile[],
  withDeletions = false,
  kinds: readonly FederatedKind[] = FEDERATED_KINDS,
  held: readonly RevisionFile[] = today,
) {
  const view = evaluate(today, schemas());
  const usable = evaluate(held, schemas()).kinds;
  const facts = {
    files: today,
    view,
    usable,
    schemas: schemas(),
    past: evaluate(then, schemas()),
    name: "main@12345678",
  };
  const result = planRollback(facts, { withDeletions, kinds });
  const texts = result.changes.map(({ path, bytes }) => [path, new TextDecoder().decode(bytes ?? undefined)] as const);
  return { ...result, texts: Object.fromEntries(texts) };
}

describe("a rollback", () => {
  it("writes the fields of then, and nothing that is equal", () => {
    const { texts, snapshots, refusals, notes } = plan(
      federation(),
      withFiles(federation(), snapshotFile(policy({ ttl: 60 }))),
    );
    expect(Object.keys(texts)).toEqual([GDP]);
    expect(texts[GDP]).toContain("ttl: 60");
    expect(snapshots).toEqual([
      {
        kind: "GlobalDeploymentPolicy",
        action: "update",
        fields: [{ path: ["spec", "ttl"], before: 10, after: 60 }],
      },
    ]);
    expect([refusals, notes]).toEqual([[], []]);
  });

  it.each([
    [
      "cannot be used",
      [...federation(), snapshotFile(gslbConfig({ spec: { ...gslbConfig().spec, logLevel: "SILLY" } }))],
    ],
    ["is gone", withoutFile(federation(), CONFIG)],
  ])("keeps the UUID and the name that clusters hold while the file of today %s", (_, today) => {
    const then = withFiles(
      withoutFile(federation(), CONFIG),
      snapshotFile(gslbConfig({ name: "gc-0", annotations: {} })),
    );
    const { texts, refusals } = plan(withFiles([], ...today), then, false, ["GSLBConfig"], federation());
    expect(refusals).toEqual([]);
    expect(texts[CONFIG]).toContain(UUID);
  });

  it("is refused where a second file would keep the kind unusable", () => {
    const today = withFiles(federation(), snapshotFile(policy({ ttl: 3 }, { name: "other-gdp" })));
    const { refusals } = plan(today, withFiles(federation(), snapshotFile(policy({ ttl: 60 }))));
    expect(refusals.map(({ code }) => code)).toContain("AG1015");
  });

  it("touches only the kinds that are asked for", () => {
    const config = snapshotFile(gslbConfig({ spec: { ...gslbConfig().spec, logLevel: "DEBUG" } }));
    const then = withFiles(federation(), snapshotFile(policy({ ttl: 60 })), config);
    expect(plan(federation(), then).changes).toHaveLength(2);
    expect(Object.keys(plan(federation(), then, false, ["GlobalDeploymentPolicy"]).texts)).toEqual([GDP]);
  });

  it("says that another controller would be programmed", () => {
    const spec = { ...gslbConfig().spec, gslbLeader: { controllerIP: "10.9.9.9" } };
    const { notes } = plan(federation(), withFiles(federation(), snapshotFile(gslbConfig({ spec }))));
    expect(notes.join()).toContain("controllerIP: 10.10.10.10 -> 10.9.9.9");
  });

  it("leaves the manifests alone, whoever led then", () => {
    expect(plan(federation({ leader: "cluster2" }), federation())).toMatchObject({ changes: [], refusals: [] });
  });

  it("keeps the UUID of today, also where then had none or another", () => {
    for (const annotations of [{}, { [UUID_ANNOTATION]: "another" }]) {
      const then = withFiles(
        federation(),
        snapshotFile(gslbConfig({ annotations, spec: { ...gslbConfig().spec, logLevel: "DEBUG" } })),
      );
      expect(plan(federation(), then).texts["federation/gslbconfig/gc-1.yaml"]).toContain(UUID);
      const same = withFiles(federation(), snapshotFile(gslbConfig({ annotations })));
      expect(plan(federation(), same).changes).toEqual([]);
    }
  });

  it("keeps today's name", () => {
    const then = withFiles(withoutFile(federation(), GDP), snapshotFile(policy({ ttl: 60 }, { name: "old-gdp" })));
    const { texts, notes } = plan(federation(), then);
    expect(Object.keys(texts)).toEqual([GDP]);
    expect(notes.join()).toContain("old-gdp");
  });

  it("deletes nothing that was not there then", () => {
    const { changes, notes } = plan(federation(), withoutFile(federation(), GDP), true);
    expect([changes, notes.length]).toEqual([[], 1]);
  });

  it("restores a tombstone only with --with-deletions", () => {
    const then = withFiles(federation(), tombstone);
    expect(plan(federation(), then)).toMatchObject({
      changes: [],
      notes: [expect.stringContaining("--with-deletions")],
    });
    const { texts, snapshots } = plan(federation(), then, true);
    expect(texts[GDP]).toContain("amko-gitops.io/deleted: CHG-1");
    expect(snapshots).toMatchObject([{ action: "delete" }]);
    expect(plan(then, then, true).changes).toEqual([]);
  });

  it("brings back what is deleted today, and says so", () => {
    const { texts, notes } = plan(withFiles(federation(), tombstone), federation());
    expect(texts[GDP]).not.toContain("deleted");
    expect(notes.join()).toContain("comes back");
  });

  it("heals what is unusable today, in its own file", () => {
    const { texts, refusals } = plan(withFiles(federation(), file(GDP, "{")), federation());
    expect([Object.keys(texts), refusals]).toEqual([[GDP], []]);
  });

  it("refuses what does not fit the schemas of today", () => {
    const then = withFiles(federation(), snapshotFile(globalDeploymentPolicy({ spec: { ttl: "ten" } })));
    const { refusals } = plan(federation(), then);
    expect(refusals).toMatchObject([
      { code: "AG1012", message: expect.stringContaining("main@12345678 cannot be restored") },
    ]);
  });
});
