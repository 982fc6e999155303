import { FEDERATED_KINDS, type FederatedKind, KINDS, NAMESPACE, type Uid } from "../../src/core/model.ts";
import type { Backup } from "./acts.ts";
import { remove } from "./acts-in-clusters.ts";
import { pictureOf } from "./content.ts";
import { type ClusterLedger, clusterOf, fakeOf, type Ledger } from "./ledger.ts";
import type { Scene } from "./scene.ts";

/** Helm writes the chart's values again, which are those of the first day. */
export function helmUpgrade({ ledger, names }: Scene, at: string, newVersion: boolean): string | null {
  const fake = fakeOf(ledger, at);
  if (fake.only("AMKOCluster") === null) return null;
  const isLeader = at === names[0];
  const spec = { clusterContext: at, isLeader, version: newVersion ? "1.5.0" : "1.4.2", clusters: names };
  fake.edit("AMKOCluster", (object) => ({ ...object, spec }));
  if (isLeader) clusterOf(ledger, at).leadsByOtherHand = true;
  return `${at}: helm upgrade writes isLeader ${isLeader} and version ${spec.version}`;
}

export function restore({ ledger, backups }: Scene, at: string, what: Backup, back: number): string | null {
  const saved = backups.get(at) ?? [];
  const backup = saved[Math.max(0, saved.length - 1 - back)];
  if (backup === undefined) return null;
  const kinds = new Set([...backup.cluster.objects.values()].map(({ kind }) => kind));
  // Restoring single objects takes none away.
  if (what !== "everything" && what !== "ConfigMap" && !kinds.has(what)) return null;
  const fake = fakeOf(ledger, at);
  const cluster = clusterOf(ledger, at);
  cluster.leadsByOtherHand = true;
  cluster.lastWrites.clear();
  cluster.restoredOrder = ledger.order;
  cluster.gone = goneAfter(ledger, at, what, backup.gone);
  // What was written since the backup is what a restore means to undo.
  for (const kind of FEDERATED_KINDS) {
    for (const object of fake.objects(kind)) for (const one of pictureOf(object).tokens) ledger.owed.delete(one);
  }
  if (cluster.passesUnderWay > 0) cluster.rebuiltInPass = true;
  if (what === "everything") fake.restore(backup.cluster);
  else if (what === "ConfigMap") fake.setConfigMapData(backup.cluster.configMap?.data ?? null);
  else {
    fake.drop(what);
    fake.refuse(what, null);
    for (const object of backup.cluster.objects.values()) if (object.kind === what) fake.put(object);
  }
  return `${at}: ${what} is restored as it was ${back} steps ago`;
}

/** What counts as deleted by a person after a restore: under another AMKOCluster nothing does. */
function goneAfter(ledger: Ledger, at: string, what: Backup, then: ClusterLedger["gone"]): ClusterLedger["gone"] {
  if (what === "everything") return then;
  if (what === "ConfigMap") return goneByConfigMap(ledger, at);
  if (what === "AMKOCluster") return { GSLBConfig: null, GlobalDeploymentPolicy: null };
  return { ...clusterOf(ledger, at).gone, [what]: then[what] };
}

/**
 * A ConfigMap is all that an agent remembers a missing object by. An older one does not know that it went with its CRD,
 * or by a tombstone that people took back: nobody could tell it from one that was deleted by hand.
 */
function goneByConfigMap(ledger: Ledger, at: string): ClusterLedger["gone"] {
  const since = (kind: FederatedKind) =>
    fakeOf(ledger, at).objects(kind).length === 0 ? { atMs: ledger.nowMs(), inOffice: true } : null;
  const { gone } = clusterOf(ledger, at);
  return {
    GSLBConfig: gone.GSLBConfig ?? since("GSLBConfig"),
    GlobalDeploymentPolicy: gone.GlobalDeploymentPolicy ?? since("GlobalDeploymentPolicy"),
  };
}

/** Helm uninstalls AMKO with everything that its chart owns, and installs it again; the agent's ConfigMap stays. */
export function reinstall(scene: Scene, at: string): string {
  uninstall(scene, at);
  installAmko(scene.ledger, scene.names, at);
  return `${at}: AMKO is uninstalled and installed again`;
}

export function uninstall({ ledger }: Scene, at: string): string {
  const fake = fakeOf(ledger, at);
  for (const kind of FEDERATED_KINDS) {
    for (const object of fake.objects(kind)) for (const one of pictureOf(object).tokens) ledger.owed.delete(one);
    fake.drop(kind);
  }
  fake.drop("AMKOCluster");
  const cluster = clusterOf(ledger, at);
  cluster.leadsByOtherHand = true;
  cluster.gone = { GSLBConfig: null, GlobalDeploymentPolicy: null };
  cluster.lastWrites.clear();
  if (cluster.passesUnderWay > 0) cluster.rebuiltInPass = true;
  return `${at}: AMKO is uninstalled`;
}

/** Somebody deletes or installs a CRD. Until an agent has seen that it is missing, it looks like a deletion of its objects. */
export function moveCrd(scene: Scene, at: string, kind: FederatedKind, there: boolean): string | null {
  const { away } = scene;
  const what = `crd ${at} ${kind}`;
  if (away.has(what) !== there) return null;
  if (there) away.delete(what);
  else {
    if (fakeOf(scene.ledger, at).objects(kind).length > 0) remove(scene, at, kind);
    away.add(what);
  }
  return `${at}: the CRD of ${kind} is ${there ? "installed" : "deleted"}`;
}

export function setFederator({ ledger }: Scene, at: string, there: boolean): string {
  const containers = ["amko", ...(there ? ["amko-federator"] : [])];
  fakeOf(ledger, at).setWorkload({ containers, revision: null, rolledOut: true });
  return `${at}: AMKO's own federator ${there ? "runs" : "does not run"}`;
}

export function rebuild(
  { ledger, names, nextToken }: Scene,
  at: string,
  accepted: boolean,
  leads = at === names[0],
): string {
  const fake = fakeOf(ledger, at);
  const namespace = { uid: `${at}-rebuilt-${nextToken()}` as Uid, terminating: false };
  fake.restore({ objects: new Map(), configMap: null, namespace });
  installAmko(ledger, names, at, leads);
  const cluster = clusterOf(ledger, at);
  cluster.leadsByOtherHand = true;
  cluster.lastWrites.clear();
  cluster.gone = { GSLBConfig: null, GlobalDeploymentPolicy: null };
  if (cluster.passesUnderWay > 0) cluster.rebuiltInPass = true;
  if (accepted) ledger.remote.setBranch(`amko/identity/${at}`, null);
  return `${at}: rebuilt empty${leads ? ", by values that say leader" : ""}${accepted ? ", and a person accepts it" : ""}`;
}

export function installAmko(ledger: Ledger, names: readonly string[], at: string, isLeader = at === names[0]): void {
  fakeOf(ledger, at).put({
    apiVersion: KINDS.AMKOCluster.apiVersion,
    kind: "AMKOCluster",
    metadata: { name: "amkocluster-federation", namespace: NAMESPACE },
    spec: { clusterContext: at, isLeader, version: "1.4.2", clusters: names },
  });
}
