import { canonicalYaml } from "./canonical.ts";
import { type ClusterName, type FileChange, KINDS, NAMESPACE, type Snapshot } from "./model.ts";
import { encodeClusterName } from "./names.ts";
import { snapshotPath, writeSnapshot } from "./snapshot.ts";

/** A cluster that a federation begins with. */
export interface FirstCluster {
  readonly name: ClusterName;
  readonly version: string;
  /** `metadata.name` of its AMKOCluster. */
  readonly objectName: string;
}

export interface FirstFederation {
  readonly clusters: readonly FirstCluster[];
  readonly leader: ClusterName;
  /** The leader's objects; a kind that it does not have is left out. */
  readonly snapshots: readonly Snapshot[];
  /** README and gates, as they ship. */
  readonly template: readonly { readonly path: string; readonly bytes: Uint8Array }[];
}

type WrittenFile = FileChange & { readonly bytes: Uint8Array };

/** Where the federation is to be, of which the README and the gates speak. */
export interface FirstPlace {
  readonly branch: string;
  readonly refPrefix: string;
}

/** The files of a federation repository's first commit, in order of their paths. */
export function firstFiles(federation: FirstFederation, place: FirstPlace): readonly WrittenFile[] {
  const { clusters, leader, snapshots, template } = federation;
  const names = clusters.map(({ name }) => name);
  const manifests = clusters.map((cluster) => ({
    path: `clusters/${encodeClusterName(cluster.name)}/amkocluster.yaml`,
    bytes: bytesOf(manifestText(cluster, names, leader)),
  }));
  const objects = snapshots.map((snapshot) => ({
    path: snapshotPath(snapshot.kind, snapshot.name),
    bytes: writeSnapshot(snapshot),
  }));
  const common = template.map((file) =>
    file.path === "README.md" ? withNames(file, federation, place) : withPlace(file, place),
  );
  return [...common, ...manifests, ...objects].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function manifestText({ name, version, objectName }: FirstCluster, clusters: readonly string[], leader: ClusterName) {
  return canonicalYaml({
    apiVersion: KINDS.AMKOCluster.apiVersion,
    kind: "AMKOCluster",
    metadata: { name: objectName, namespace: NAMESPACE },
    spec: { clusterContext: name, isLeader: name === leader, version, clusters },
  });
}

/** The README speaks of three clusters by name; here it speaks of these. */
function withNames(
  file: WrittenFile,
  { clusters, leader, snapshots }: FirstFederation,
  place: FirstPlace,
): WrittenFile {
  const others = clusters.map(({ name }) => name).filter((name) => name !== leader);
  const second = others[0] ?? leader;
  const config = snapshots.find(({ kind }) => kind === "GSLBConfig");
  const text = new TextDecoder()
    .decode(file.bytes)
    // At once, so that no name is looked for in another one.
    .replaceAll(PLACE_OR_CLUSTER, (found, folder: string | undefined, which: string | undefined) => {
      if (which === undefined) return placeTerm(found, place);
      const name = which === "1" ? leader : second;
      return folder === undefined ? name : `${folder}${encodeClusterName(name)}`;
    })
    .replace("in three clusters", clusters.length === 1 ? "in one cluster" : `in ${clusters.length} clusters`)
    .replaceAll("federation/gslbconfig/gc-1.yaml", () =>
      config === undefined ? "federation/gslbconfig/<name>.yaml" : snapshotPath("GSLBConfig", config.name),
    );
  return { ...file, bytes: bytesOf(text) };
}

/** A gate judges what would change the tracked branch. */
function withPlace(file: WrittenFile, place: FirstPlace): WrittenFile {
  const text = new TextDecoder().decode(file.bytes);
  return { ...file, bytes: bytesOf(text.replaceAll(PLACE, (found) => placeTerm(found, place))) };
}

/** The branch and the prefix, as the template writes them. */
const PLACE = /\bmain\b|(?<![\w.-])amko\//g;
const PLACE_OR_CLUSTER = new RegExp(`(clusters/)?\\bcluster([12])\\b|${PLACE.source}`, "g");

function placeTerm(found: string, { branch, refPrefix }: FirstPlace): string {
  return found === "main" ? branch : `${refPrefix}/`;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
