import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import {
  type AmkoKind,
  type ClusterName,
  type CommitId,
  type Content,
  type FederatedKind,
  type Json,
  type JsonObject,
  KINDS,
  type LiveObject,
  NAMESPACE,
  type ObjectId,
  type ObjectMeta,
  type ResourceVersion,
  type Revision,
  type RevisionFile,
  type Snapshot,
  type Uid,
  UUID_ANNOTATION,
} from "../../src/core/model.ts";
import { encodeClusterName, parseClusterName } from "../../src/core/names.ts";
import { collectSchemas, readCustomResourceDefinition, type Schemas } from "../../src/core/resource-definition.ts";
import { readSchema, type Schema } from "../../src/core/schema.ts";
import { snapshotPath, writeSnapshot } from "../../src/core/snapshot.ts";

const CRDS = new URL("../../deploy/crds/", import.meta.url);

/** The schemas that the product ships, read once. */
export function schemas(): Schemas {
  shipped ??= collectSchemas(
    readdirSync(CRDS)
      .filter((name) => name.endsWith(".yaml"))
      .map((name) => readCustomResourceDefinition(parse(readFileSync(new URL(name, CRDS), "utf8")) as Json)),
  );
  return shipped;
}
let shipped: Schemas | null = null;

/** Of an object with the one field `a`. */
export function propertySchema(schema: JsonObject): Schema {
  return readSchema({ type: "object", properties: { a: schema } });
}

/** A cluster's name that is known to be one. */
export function cluster(text: string): ClusterName {
  const name = parseClusterName(text);
  if (name === null) throw new TypeError(`${JSON.stringify(text)} is no cluster name`);
  return name;
}

/** A regular file of a revision, with the id that git would give it. */
export function file(path: string, content: string | Uint8Array): RevisionFile {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return { path, type: "file", id: blobId(bytes), size: bytes.length, bytes };
}

/** A commit of that digit only. */
export function commitId(digit: string): CommitId {
  return digit.repeat(40) as CommitId;
}

/** A revision whose commit and tree are of that digit only. */
export function revision(digit: string, files: readonly RevisionFile[], rest: Partial<Revision> = {}): Revision {
  const tree = commitId(digit) as string as ObjectId;
  const told = { author: "A <a@b>", message: "", committedAtSeconds: 100 };
  return { commit: commitId(digit), tree, parents: [], ...told, files, ...rest };
}

/** What a revision holds in place of a file or a folder that is none. */
export function notAFile(path: string, type: "symlink" | "submodule"): RevisionFile {
  return { path, type, id: blobId(new TextEncoder().encode(path)), size: 0, bytes: null };
}

export interface ManifestFields {
  readonly clusterContext?: Json | undefined;
  readonly isLeader?: Json | undefined;
  readonly version?: Json | undefined;
  readonly clusters?: Json | undefined;
}

/** The names of the clusters that {@link federation} and {@link manifest} build by default. */
export const CLUSTERS: readonly string[] = ["cluster1", "cluster2", "cluster3"];

/** A valid follower's manifest; a field given as undefined is left out. `top` replaces what stands beside the spec. */
export function manifest(name: string, fields: ManifestFields = {}, top: JsonObject = {}): RevisionFile {
  const spec = { clusterContext: name, isLeader: false, version: "1.4.2", clusters: CLUSTERS, ...fields };
  return file(manifestPath(name), JSON.stringify({ ...amkoCluster(), spec, ...top }, null, 2));
}

export function manifestPath(name: string): string {
  return `clusters/${encodeClusterName(cluster(name))}/amkocluster.yaml`;
}

function amkoCluster() {
  const metadata = { name: "amkocluster-federation", namespace: NAMESPACE };
  return { apiVersion: KINDS.AMKOCluster.apiVersion, kind: "AMKOCluster", metadata };
}

/** Manifests of three clusters and both snapshots, with nothing wrong. */
export function federation({ leader = "cluster1" }: { readonly leader?: string | null } = {}): readonly RevisionFile[] {
  return [
    ...CLUSTERS.map((name) => manifest(name, { isLeader: name === leader })),
    snapshotFile(gslbConfig()),
    snapshotFile(globalDeploymentPolicy()),
  ];
}

/** The files with each of `others` in place of the file of the same path, or beside them. */
export function withFiles(files: readonly RevisionFile[], ...others: readonly RevisionFile[]): readonly RevisionFile[] {
  const replaced = new Set(others.map(({ path }) => path));
  return [...files.filter(({ path }) => !replaced.has(path)), ...others];
}

export function withoutFile(files: readonly RevisionFile[], path: string): readonly RevisionFile[] {
  return files.filter((one) => one.path !== path);
}

export const UUID = "8ca0b8b6-4a5f-11ec-9f4e-0242ac130003";

export function gslbConfig(changes: Partial<Snapshot> = {}): Snapshot {
  const spec = {
    gslbLeader: {
      controllerIP: "10.10.10.10",
      controllerVersion: "20.1.5",
      credentials: "gslb-avi-secret",
      tenant: "admin",
    },
    memberClusters: CLUSTERS.map((clusterContext) => ({ clusterContext })),
    refreshInterval: 1800,
    logLevel: "INFO",
  };
  return {
    kind: "GSLBConfig",
    name: "gc-1",
    annotations: { [UUID_ANNOTATION]: UUID },
    spec,
    deleted: null,
    ...changes,
  };
}

export function globalDeploymentPolicy(changes: Partial<Snapshot> = {}): Snapshot {
  const spec = {
    matchRules: { appSelector: { label: { app: "gslb" } } },
    matchClusters: CLUSTERS.map((name) => ({ cluster: name })),
    trafficSplit: CLUSTERS.map((name) => ({ cluster: name, priority: 10, weight: 5 })),
    ttl: 10,
  };
  return { kind: "GlobalDeploymentPolicy", name: "global-gdp", annotations: {}, spec, deleted: null, ...changes };
}

/** The policy with some fields of its spec replaced, and then some of its own. */
export function policy(fields: JsonObject = {}, changes: Partial<Snapshot> = {}): Snapshot {
  return { ...withSpec(globalDeploymentPolicy(), fields), ...changes };
}

/** A snapshot with some fields of its spec replaced. */
export function withSpec(snapshot: Snapshot, fields: JsonObject): Snapshot {
  return { ...snapshot, spec: { ...snapshot.spec, ...fields } };
}

export function snapshotFile(snapshot: Snapshot): RevisionFile {
  return file(snapshotPath(snapshot.kind, snapshot.name), writeSnapshot(snapshot));
}

/** An object as an API server returns it. */
export function live(
  kind: AmkoKind,
  { name, spec, annotations = {}, ...metadata }: Partial<Content> & ObjectMeta,
): LiveObject {
  return {
    apiVersion: KINDS[kind].apiVersion,
    kind,
    metadata: {
      namespace: NAMESPACE,
      uid: "6f2c1a8e-0000-4000-8000-000000000001" as Uid,
      resourceVersion: "1" as ResourceVersion,
      ...metadata,
      name,
      annotations,
    } as LiveObject["metadata"],
    spec: spec ?? {},
  };
}

/** The object that a cluster holds after a snapshot was applied to it. */
export function liveOf({ kind, name, annotations, spec }: Snapshot, metadata: Partial<ObjectMeta> = {}): LiveObject {
  return live(kind satisfies FederatedKind, { ...metadata, name, annotations, spec });
}

function blobId(bytes: Uint8Array): ObjectId {
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex") as ObjectId;
}
