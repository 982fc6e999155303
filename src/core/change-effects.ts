import { claimantsOf } from "./claimants.ts";
import type { FieldChange } from "./diff.ts";
import {
  type ClusterName,
  FEDERATED_KINDS,
  type FederatedKind,
  type FederationView,
  HANDOVER_WITHOUT_ANNOTATION,
  type KindState,
  type Snapshot,
} from "./model.ts";
import { restartsBetween } from "./restart.ts";
import { fieldsBetween } from "./snapshot-change.ts";

/** One thing that a change does to the federation. */
export type ChangeEffect =
  /** Who claims to lead: none, one, or several in conflict. Null where a manifest cannot be read. */
  | {
      readonly kind: "leader";
      readonly before: readonly ClusterName[] | null;
      readonly after: readonly ClusterName[] | null;
      /** Whether the one who claims can lead; every cluster holds otherwise. */
      readonly leads: boolean;
    }
  | { readonly kind: "handover-without"; readonly cluster: ClusterName; readonly without: string }
  | { readonly kind: "joins" | "leaves"; readonly cluster: ClusterName }
  | { readonly kind: "excluded"; readonly cluster: ClusterName; readonly reason: string }
  | { readonly kind: "included"; readonly cluster: ClusterName }
  | { readonly kind: "version"; readonly cluster: ClusterName; readonly before: string; readonly after: string }
  | {
      readonly kind: "created" | "deleted" | "restored" | "file-removed" | "unusable" | "usable";
      readonly object: FederatedKind;
      readonly name: string | null;
    }
  | { readonly kind: "renamed"; readonly object: FederatedKind; readonly before: string; readonly after: string }
  | { readonly kind: "fields"; readonly object: FederatedKind; readonly fields: readonly FieldChange[] }
  /** AMKO restarts by itself, or has to be restarted by hand, for these fields to count. */
  | { readonly kind: "restarts" | "waits-for-restart"; readonly fields: readonly string[] };

/** What a change does, the weightiest first. */
export function findEffects(base: FederationView, head: FederationView): readonly ChangeEffect[] {
  // Whoever judges one revision after the other has the very same manifests for most of them.
  const aboutClusters =
    base.manifests === head.manifests
      ? []
      : [...leaderEffects(base, head), ...memberEffects(base, head), ...versionEffects(base, head)];
  return [
    ...aboutClusters,
    ...FEDERATED_KINDS.flatMap((kind) => kindEffects(kind, base.kinds[kind], head.kinds[kind])),
  ];
}

function leaderEffects(base: FederationView, head: FederationView): readonly ChangeEffect[] {
  const [before, after] = [claimantsOf(base.leadership), claimantsOf(head.leadership)];
  const [led, leads] = [base.leadership.kind === "leader", head.leadership.kind === "leader"];
  const same = led === leads && sameClusters(before, after);
  const moved: readonly ChangeEffect[] = same ? [] : [{ kind: "leader", before, after, leads }];
  const handovers = [...head.manifests.values()].flatMap(({ cluster, isLeader, annotations }): ChangeEffect[] => {
    const without = annotations[HANDOVER_WITHOUT_ANNOTATION];
    const former = base.manifests.get(cluster)?.annotations[HANDOVER_WITHOUT_ANNOTATION];
    return isLeader && without !== undefined && without !== former
      ? [{ kind: "handover-without", cluster, without }]
      : [];
  });
  return [...moved, ...handovers];
}

function sameClusters(before: readonly ClusterName[] | null, after: readonly ClusterName[] | null): boolean {
  return JSON.stringify(before) === JSON.stringify(after);
}

/** Who belongs to the federation. The leader does too, so that a flip alone makes nobody join or leave. */
function memberEffects(base: FederationView, head: FederationView): readonly ChangeEffect[] {
  if (base.leadership.kind !== "leader" || head.leadership.kind !== "leader") return [];
  const before = new Set([base.leadership.cluster, ...base.members.keys()]);
  const after = new Set([head.leadership.cluster, ...head.members.keys()]);
  const effects: ChangeEffect[] = [];
  for (const cluster of [...new Set([...before, ...after])].toSorted()) {
    const [former, next] = [base.members.get(cluster)?.problem ?? null, head.members.get(cluster)?.problem ?? null];
    if (!before.has(cluster)) effects.push({ kind: "joins", cluster });
    if (!after.has(cluster)) effects.push({ kind: "leaves", cluster });
    else if (next !== null && next.message !== former?.message) {
      effects.push({ kind: "excluded", cluster, reason: next.message });
    } else if (former !== null && next === null) effects.push({ kind: "included", cluster });
  }
  return effects;
}

function versionEffects(base: FederationView, head: FederationView): readonly ChangeEffect[] {
  return [...head.manifests.values()].flatMap(({ cluster, version }): ChangeEffect[] => {
    const before = base.manifests.get(cluster)?.version;
    return before === undefined || before === version ? [] : [{ kind: "version", cluster, before, after: version }];
  });
}

function kindEffects(object: FederatedKind, base: KindState, head: KindState): readonly ChangeEffect[] {
  const before = base.kind === "present" || base.kind === "deleted" ? base.snapshot : null;
  if (head.kind === "absent") return before === null ? [] : [{ kind: "file-removed", object, name: before.name }];
  if (head.kind === "unusable") return base.kind === "unusable" ? [] : [{ kind: "unusable", object, name: null }];
  const after = head.snapshot;
  if (before === after) return [];
  const named = { object, name: after.name };
  if (after.deleted !== null) return base.kind === "deleted" ? [] : [{ kind: "deleted", ...named }];
  if (before === null) return [{ kind: base.kind === "unusable" ? "usable" : "created", ...named }];
  return contentEffects(object, before, after);
}

/** What becomes of an object that is there and stays, or comes back. */
function contentEffects(object: FederatedKind, before: Snapshot, after: Snapshot): readonly ChangeEffect[] {
  const renamed: readonly ChangeEffect[] =
    before.name === after.name ? [] : [{ kind: "renamed", object, before: before.name, after: after.name }];
  const restored: readonly ChangeEffect[] =
    before.deleted === null ? [] : [{ kind: "restored", object, name: after.name }];
  const fields = fieldsBetween({ ...before, deleted: null }, after);
  const changed: readonly ChangeEffect[] = fields.length === 0 ? [] : [{ kind: "fields", object, fields }];
  const asked = object === "GSLBConfig" ? restartsBetween(before.spec, after.spec) : NOTHING;
  return [
    ...renamed,
    ...restored,
    ...changed,
    ...(asked.restarts.length > 0 ? [{ kind: "restarts" as const, fields: asked.restarts }] : []),
    ...(asked.waits.length > 0 ? [{ kind: "waits-for-restart" as const, fields: asked.waits }] : []),
  ];
}

const NOTHING = { restarts: [], waits: [] } as const;
