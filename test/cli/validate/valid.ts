import type { RevisionFile } from "../../../src/core/model.ts";
import { file, manifest, withFiles, withoutFile } from "../../support/builders.ts";
import { edited, fixture, GC, GDP, replaced, textOf } from "./broken.ts";

const [ONE, TWO] = ["clusters/cluster1/amkocluster.yaml", "clusters/cluster2/amkocluster.yaml"] as const;

function beside(path: string, content: string): readonly RevisionFile[] {
  return withFiles(fixture(), file(path, content));
}

function asJson(): string {
  const metadata = { name: "amkocluster-federation", namespace: "avi-system" };
  const clusters = ["cluster1", "cluster2", "cluster3"];
  const spec = { clusterContext: "cluster2", isLeader: false, version: "1.4.2", clusters };
  return JSON.stringify({ apiVersion: "amko.vmware.com/v1alpha1", kind: "AMKOCluster", metadata, spec });
}

/** A federation with one member whose name needs encoding. */
function encoded(): readonly RevisionFile[] {
  const names = ["cluster1", "kubernetes-admin@prod"];
  return names.map((name, index) => manifest(name, { isLeader: index === 0, clusters: names }));
}

/** Repositories that must be accepted, by what is unusual about them. */
export const VALID: Readonly<Record<string, readonly RevisionFile[]>> = {
  "as it is": fixture(),
  "more comments": edited(TWO, "spec:", "# why not\nspec: # here"),
  "Windows line ends": replaced(TWO, textOf(TWO).replaceAll("\n", "\r\n")),
  "a byte order mark": replaced(TWO, `\ufeff${textOf(TWO)}`),
  "a manifest in JSON": replaced(TWO, asJson()),
  "quoted strings": edited(TWO, "clusterContext: cluster2", "clusterContext: 'cluster2'"),
  "a list in block style": edited(
    TWO,
    "[cluster1, cluster2, cluster3]",
    "\n    - cluster1\n    - cluster2\n    - cluster3",
  ),
  "a document's start mark": replaced(TWO, `---\n${textOf(TWO)}`),
  "no line break at the end": replaced(TWO, textOf(TWO).trimEnd()),
  "a name that needs encoding": encoded(),
  "a file that ends in .yml": withFiles(withoutFile(fixture(), TWO), file("clusters/cluster2/amko.yml", textOf(TWO))),
  "a README beside the folders": beside("clusters/README.md", "# Clusters\n"),
  "Helm values beside a manifest": beside("clusters/cluster2/values.yaml", "replicas: 1\n"),
  "a tombstone": edited(GC, "  annotations:", "  annotations:\n    amko-gitops.io/deleted: by hand"),
  "no GlobalDeploymentPolicy yet": withoutFile(fixture(), GDP),
  "neither object yet": withoutFile(withoutFile(fixture(), GDP), GC),
  "a leader that does not list itself": edited(ONE, "[cluster1, cluster2, cluster3]", "[cluster2, cluster3]"),
  "another order of members": edited(TWO, "[cluster1, cluster2, cluster3]", "[cluster3, cluster2, cluster1]"),
  "a cluster that is not listed, a warning": withFiles(fixture(), manifest("cluster4")),
  "lists that differ, a warning": edited(TWO, "[cluster1, cluster2, cluster3]", "[cluster1, cluster2]"),
  "a field that is newer than the schema, a warning": edited(GDP, "  ttl: 10", "  newField: 1\n  ttl: 10"),
  "a status in a snapshot, a warning": replaced(GC, `${textOf(GC)}status: {state: x}\n`),
  "a label in a snapshot, a warning": edited(GC, "  name: gc-1", "  labels: {a: b}\n  name: gc-1"),
  "labels on a manifest": edited(TWO, "  namespace", "  labels: {team: gslb}\n  namespace"),
};
