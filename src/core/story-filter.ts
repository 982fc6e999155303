import type { ChangeEffect } from "./change-effects.ts";
import { type FieldChange, formatFieldPath } from "./diff.ts";
import { type AmkoKind, FEDERATED_KINDS } from "./model.ts";
import { isWithin, type StoryEntry, type StoryScope } from "./story.ts";

/** What of the story is wanted; null and an empty list want everything. */
export interface StoryFilter {
  /** `AMKOCluster` stands for the manifests: leadership, members, versions. */
  readonly kinds: readonly AmkoKind[];
  /** Changes that come from the cluster or are about it. */
  readonly cluster: string | null;
  /** The beginning of a field's path: `spec.trafficSplit`. */
  readonly field: string | null;
  /** Unix time in seconds, both included. */
  readonly since: number | null;
  readonly until: number | null;
}

/** As much of the story as the filter lets through at most. */
export function scopeOf({ kinds, since, until }: StoryFilter): StoryScope {
  return {
    kinds: kinds.length === 0 ? FEDERATED_KINDS : FEDERATED_KINDS.filter((kind) => kinds.includes(kind)),
    since,
    until,
  };
}

/** The entry with the effects that are wanted; null where none is. */
export function filterEntry(entry: StoryEntry, filter: StoryFilter): StoryEntry | null {
  if (!isWithin(entry.atSeconds, filter)) return null;
  const all = filter.kinds.length === 0 && filter.cluster === null && filter.field === null;
  if (all) return entry;
  const effects = entry.effects.flatMap((effect) => filterEffect(effect, entry, filter));
  return effects.length === 0 ? null : { ...entry, effects };
}

function filterEffect(effect: ChangeEffect, entry: StoryEntry, filter: StoryFilter): readonly ChangeEffect[] {
  if (filter.kinds.length > 0 && !filter.kinds.includes(kindOf(effect))) return [];
  if (effect.kind !== "fields") {
    return filter.field === null && (filter.cluster === null || concerns(effect, entry, filter.cluster))
      ? [effect]
      : [];
  }
  const { cluster } = filter;
  const isWanted = (change: FieldChange): boolean =>
    (filter.field === null || beginsWith(formatFieldPath(change.path), filter.field)) &&
    (cluster === null ||
      entry.from === cluster ||
      change.path.some((step) => typeof step === "object" && step.entry === cluster));
  const fields = effect.fields.filter(isWanted);
  return fields.length === 0 ? [] : [{ ...effect, fields }];
}

function kindOf(effect: ChangeEffect): AmkoKind {
  if ("object" in effect) return effect.object;
  return effect.kind === "restarts" || effect.kind === "waits-for-restart" ? "GSLBConfig" : "AMKOCluster";
}

function concerns(effect: Exclude<ChangeEffect, { kind: "fields" }>, { from }: StoryEntry, cluster: string): boolean {
  if (from === cluster) return true;
  if (effect.kind === "leader")
    return [...(effect.before ?? []), ...(effect.after ?? [])].some((one) => one === cluster);
  return "cluster" in effect && effect.cluster === cluster;
}

/** `spec.ttl` begins with `spec`, and `spec.ttlMax` does not begin with `spec.ttl`. */
function beginsWith(path: string, start: string): boolean {
  return path === start || (path.startsWith(start) && /^[.[]/.test(path.slice(start.length)));
}
