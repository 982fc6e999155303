import { diffFields } from "./diff.ts";
import { isObject } from "./json.ts";
import {
  type ClusterName,
  type Content,
  FEDERATED_KINDS,
  type FederatedKind,
  type Json,
  type JsonObject,
  type KindState,
  type LiveObject,
  type Manifest,
} from "./model.ts";
import { diffObject, type ObjectDiff } from "./object-diff.ts";
import type { Schemas } from "./resource-definition.ts";
import { type ClusterDiff, type FederationDiff, manifestSide } from "./revision-diff.ts";
import { normalizeContent, snapshotOf } from "./snapshot.ts";

export interface LiveFacts {
  readonly cluster: ClusterName;
  /** What git says of this cluster; null where it has no manifest that can be read. */
  readonly manifest: Manifest | null;
  /** What git says of each kind: by the revision, or by the newest before it that says something. */
  readonly git: Readonly<Record<FederatedKind, KindState>>;
  readonly amkoCluster: LiveObject;
  /** Everything of each kind in the cluster. */
  readonly live: Readonly<Record<FederatedKind, readonly LiveObject[]>>;
  readonly schemas: Schemas;
}

/**
 * What a cluster has otherwise than git says. Both are compared with the schemas' defaults and without meaningless
 * nulls, so that a cluster in sync differs in nothing.
 */
export function diffLive(facts: LiveFacts): FederationDiff {
  return {
    leadership: null,
    members: [],
    clusters: diffAmkoCluster(facts),
    objects: FEDERATED_KINDS.flatMap((kind) => diffKind(kind, facts)),
    notes: [],
  };
}

/** Only what an agent takes from the manifest, and the version, which somebody else installs. */
function diffAmkoCluster({ cluster, manifest, amkoCluster }: LiveFacts): readonly ClusterDiff[] {
  const here = { state: "valid", reason: null } as const;
  if (manifest === null) return [{ cluster, before: manifestSide(undefined), after: here, fields: [] }];
  const { isLeader, version, clusters } = manifest;
  // AMKO panics where its own cluster is not in the list, so the agent puts it there.
  const listed = clusters.includes(cluster) ? clusters : [cluster, ...clusters];
  const wanted: JsonObject = { isLeader, version, clusters: listed };
  const spec = isObject(amkoCluster.spec) ? amkoCluster.spec : {};
  const said = (name: string, otherwise: Json): Json => spec[name] ?? otherwise;
  const found: JsonObject = {
    isLeader: said("isLeader", false),
    version: said("version", ""),
    clusters: said("clusters", []),
  };
  const fields = diffFields({ spec: wanted }, { spec: found });
  return fields.length === 0 ? [] : [{ cluster, before: manifestSide(manifest), after: here, fields }];
}

/** The object that git means, and any other: AMKO allows one. */
function diffKind(kind: FederatedKind, { git, live, schemas }: LiveFacts): readonly ObjectDiff[] {
  const fill = <Filled extends Content>(content: Filled): Filled => ({
    ...content,
    ...normalizeContent(content, kind, schemas),
  });
  const said = git[kind];
  const before: KindState =
    said.kind === "present" || said.kind === "deleted" ? { ...said, snapshot: fill(said.snapshot) } : said;
  const objects = live[kind].map((object) => fill(snapshotOf(kind, object)));
  const name = before.kind === "present" || before.kind === "deleted" ? before.snapshot.name : null;
  const meant = objects.find((object) => object.name === name) ?? objects[0];
  const others = objects.filter((object) => object !== meant);
  return [
    ...compare(kind, before, meant === undefined ? ABSENT : { kind: "present", snapshot: meant, path: "" }),
    ...others.flatMap((snapshot) => compare(kind, ABSENT, { kind: "present", snapshot, path: "" })),
  ];
}

const ABSENT: KindState = { kind: "absent" };

function compare(kind: FederatedKind, before: KindState, after: KindState): readonly ObjectDiff[] {
  // What git deletes, or has none of that can be used, is as it should be where it is not there.
  if (after.kind === "absent" && before.kind !== "present") return [];
  const found = diffObject(kind, before, after);
  if (found === null) return [];
  // That git deletes it is said by the sides; a tombstone's text is no field of the object.
  return [{ ...found, fields: found.fields.filter(({ path }) => path[0] !== "deleted") }];
}
