import { type ChangeEffect, findEffects } from "./change-effects.ts";
import { describeEffect } from "./describe-effect.ts";
import { diffFields, type FieldChange } from "./diff.ts";
import {
  type ClusterName,
  FEDERATED_KINDS,
  type FederationView,
  KINDS,
  type Leadership,
  type Manifest,
} from "./model.ts";
import { encodeClusterName } from "./names.ts";
import { diffObject, type ObjectDiff } from "./object-diff.ts";

/** What differs between two states of a federation; nothing does where all of it is empty. */
export interface FederationDiff {
  /** Null where both say the same of who leads. */
  readonly leadership: { readonly before: Leadership; readonly after: Leadership } | null;
  readonly members: readonly MemberDiff[];
  /** In order of names. */
  readonly clusters: readonly ClusterDiff[];
  readonly objects: readonly ObjectDiff[];
  /** What to know beside it; sentences. They are no differences. */
  readonly notes: readonly string[];
}

/** The leader counts as a member, so that a flip alone makes nobody join or leave. */
export interface MemberDiff {
  readonly cluster: ClusterName;
  readonly change: "joins" | "leaves" | "excluded" | "included";
  /** Why it is excluded; null for the others. */
  readonly reason: string | null;
}

/** A cluster's AMKOCluster that is not the same on both sides. */
export interface ClusterDiff {
  readonly cluster: ClusterName;
  readonly before: ManifestSide;
  readonly after: ManifestSide;
  readonly fields: readonly FieldChange[];
}

export interface ManifestSide {
  readonly state: "valid" | "invalid" | "unreadable" | "absent";
  /** Why it is invalid or unreadable; null where it is neither. */
  readonly reason: string | null;
}

/** What differs between two revisions. What they say counts, and not how it is written: a comment is no difference. */
export function diffRevisions(before: FederationView, after: FederationView): FederationDiff {
  const effects = findEffects(before, after);
  return {
    leadership: sameLeadership(before.leadership, after.leadership)
      ? null
      : { before: before.leadership, after: after.leadership },
    members: effects.flatMap(memberDiff),
    clusters: diffManifests(before, after),
    objects: FEDERATED_KINDS.flatMap((kind) => diffObject(kind, before.kinds[kind], after.kinds[kind]) ?? []),
    notes: effects.filter(({ kind }) => NOTED.has(kind)).flatMap(describeEffect),
  };
}

/** Whether there is nothing to tell. */
export function isEqual({ leadership, members, clusters, objects }: FederationDiff): boolean {
  return leadership === null && members.length + clusters.length + objects.length === 0;
}

const NOTED: ReadonlySet<ChangeEffect["kind"]> = new Set(["handover-without", "restarts", "waits-for-restart"]);

/** A leader whose manifest is invalid now, or for another reason, is another thing to say; a line number is not. */
function sameLeadership(before: Leadership, after: Leadership): boolean {
  const said = (leadership: Leadership): string =>
    JSON.stringify([
      leadership.kind,
      "cluster" in leadership ? leadership.cluster : null,
      "clusters" in leadership ? leadership.clusters : null,
      "problem" in leadership ? leadership.problem.message : null,
    ]);
  return said(before) === said(after);
}

function memberDiff(effect: ChangeEffect): readonly MemberDiff[] {
  switch (effect.kind) {
    case "joins":
    case "leaves":
    case "included":
      return [{ cluster: effect.cluster, change: effect.kind, reason: null }];
    case "excluded":
      return [{ cluster: effect.cluster, change: effect.kind, reason: effect.reason }];
    default:
      return [];
  }
}

function diffManifests(before: FederationView, after: FederationView): readonly ClusterDiff[] {
  const clusters = [...new Set([...before.manifests.keys(), ...after.manifests.keys()])].toSorted();
  return clusters.flatMap((cluster) => {
    const [former, next] = [before.manifests.get(cluster), after.manifests.get(cluster)];
    const fields = next === undefined ? [] : diffFields(fieldsOf(former), fieldsOf(next));
    const sides = { before: sideOf(before, cluster), after: sideOf(after, cluster) };
    const same = sides.before.state === sides.after.state && sides.before.reason === sides.after.reason;
    return same && fields.length === 0 ? [] : [{ cluster, ...sides, fields }];
  });
}

/** What a manifest that could be read is; undefined stands for one that is not there. */
export function manifestSide(manifest: Manifest | undefined): ManifestSide {
  if (manifest === undefined) return { state: "absent", reason: null };
  const reason = manifest.problem?.message ?? null;
  return { state: reason === null ? "valid" : "invalid", reason };
}

/** Where a cluster has no manifest, what is wrong in its folder says that there is one all the same. */
function sideOf({ manifests, problems }: FederationView, cluster: ClusterName): ManifestSide {
  const folder = `${KINDS.AMKOCluster.folder}/${encodeClusterName(cluster)}/`;
  const manifest = manifests.get(cluster);
  const fault = problems.find(({ severity, path }) => severity === "error" && path?.startsWith(folder) === true);
  if (manifest !== undefined || fault === undefined) return manifestSide(manifest);
  return { state: "unreadable", reason: fault.message };
}

function fieldsOf(manifest: Manifest | undefined) {
  if (manifest === undefined) return { annotations: {}, spec: {} };
  const { annotations, isLeader, version, clusters } = manifest;
  return { annotations, spec: { isLeader, version, clusters } };
}
