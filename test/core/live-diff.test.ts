import { describe, expect, it } from "vitest";
import { formatFieldChange } from "../../src/core/diff.ts";
import { diffLive } from "../../src/core/live-diff.ts";
import type { JsonObject, LiveObject, RevisionFile } from "../../src/core/model.ts";
import { isEqual } from "../../src/core/revision-diff.ts";
import { evaluate } from "../../src/core/view.ts";
import {
  CLUSTERS,
  cluster,
  federation,
  file,
  globalDeploymentPolicy,
  gslbConfig,
  live,
  liveOf,
  manifest,
  manifestPath,
  policy,
  schemas,
  snapshotFile,
  withFiles,
  withoutFile,
} from "../support/builders.ts";

const GDP = "federation/globaldeploymentpolicy/global-gdp.yaml";

function tell({
  files = federation(),
  amkoCluster = {},
  policies = [liveOf(globalDeploymentPolicy())],
}: {
  readonly files?: readonly RevisionFile[];
  readonly amkoCluster?: JsonObject;
  readonly policies?: readonly LiveObject[];
}) {
  const name = cluster("cluster2");
  const { manifests, kinds } = evaluate(files, schemas());
  const spec = { clusterContext: name, isLeader: false, version: "1.4.2", clusters: CLUSTERS, ...amkoCluster };
  const found = diffLive({
    cluster: name,
    manifest: manifests.get(name) ?? null,
    git: kinds,
    amkoCluster: live("AMKOCluster", { name: "amkocluster-federation", spec }),
    live: { GSLBConfig: [liveOf(gslbConfig())], GlobalDeploymentPolicy: policies },
    schemas: schemas(),
  });
  return {
    equal: isEqual(found),
    clusters: found.clusters.map(({ before, fields }) => [before.state, ...fields.map(formatFieldChange)].join(" ")),
    objects: found.objects.map(
      ({ before, after, fields }) =>
        `${before.state} ${before.name} -> ${after.state} ${after.name} ${fields.map(formatFieldChange).join()}`,
    ),
  };
}

describe("a cluster that holds what git says", () => {
  it("differs in nothing", () => {
    expect(tell({})).toEqual({ equal: true, clusters: [], objects: [] });
  });

  it("may hold the schema's defaults, lack meaningless nulls, and have its own annotations and labels", () => {
    const files = withFiles(federation(), snapshotFile(policy({ trafficSplit: [{ cluster: "cluster1" }], ttl: null })));
    const { ttl: _, ...others } = globalDeploymentPolicy().spec;
    const spec = { ...others, trafficSplit: [{ cluster: "cluster1", weight: 1, priority: 10 }] };
    const own = { annotations: { "kubectl.kubernetes.io/x": "1" }, labels: { a: "b" } };
    const found = tell({ files, policies: [live("GlobalDeploymentPolicy", { name: "global-gdp", spec, ...own })] });
    expect(found).toEqual({ equal: true, clusters: [], objects: [] });
  });

  it("has itself in its list where git does not have it", () => {
    const files = withFiles(federation(), manifest("cluster2", { clusters: ["cluster1"] }));
    expect(tell({ files, amkoCluster: { clusters: ["cluster2", "cluster1"] } }).clusters).toEqual([]);
  });

  it.each([
    ["deletes", withFiles(federation(), snapshotFile(globalDeploymentPolicy({ deleted: "away" })))],
    ["does not have", withoutFile(federation(), GDP)],
    ["cannot use", withFiles(federation(), file(GDP, "{"))],
  ] as const)("has no object that git %s", (_, files) => {
    expect(tell({ files, policies: [] }).equal).toBe(true);
  });
});

describe("a cluster that differs from git", () => {
  it("is told by field, from git to the cluster", () => {
    const { objects } = tell({ policies: [liveOf(policy({ ttl: 60 }))] });
    expect(objects).toEqual(["present global-gdp -> present global-gdp spec.ttl: 10 -> 60"]);
  });

  it("lacks an object", () => {
    expect(tell({ policies: [] }).objects).toEqual(["present global-gdp -> absent null "]);
  });

  it("has an object that git deletes, whose tombstone is no field", () => {
    const files = withFiles(federation(), snapshotFile(globalDeploymentPolicy({ deleted: "away" })));
    expect(tell({ files }).objects).toEqual(["deleted global-gdp -> present global-gdp "]);
  });

  it("has an object that git has never had", () => {
    const { objects } = tell({ files: withoutFile(federation(), GDP) });
    expect(objects).toEqual([expect.stringMatching(/^absent null -> present global-gdp spec: /)]);
  });

  it("has the object under another name", () => {
    const { objects } = tell({ policies: [liveOf(policy({}, { name: "other" }))] });
    expect(objects).toEqual(["present global-gdp -> present other "]);
  });

  it("has a second object beside the one that git means", () => {
    const policies = [liveOf(policy({ ttl: 1 }, { name: "other" })), liveOf(globalDeploymentPolicy())];
    expect(tell({ policies }).objects).toEqual([expect.stringMatching(/^absent null -> present other spec: /)]);
  });

  it("says leader, has another version and another list", () => {
    const { clusters } = tell({ amkoCluster: { isLeader: true, version: "1.5.0", clusters: ["cluster2"] } });
    expect(clusters).toEqual([
      'valid spec.isLeader: false -> true spec.version: 1.4.2 -> 1.5.0 spec.clusters: ["cluster1","cluster2","cluster3"] -> ["cluster2"]',
    ]);
  });

  it("has no manifest in git", () => {
    expect(tell({ files: withoutFile(federation(), manifestPath("cluster2")) }).clusters).toEqual(["absent"]);
  });
});
