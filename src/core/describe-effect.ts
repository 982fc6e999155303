import type { ChangeEffect } from "./change-effects.ts";
import { type FieldChange, formatFieldPath, formatFieldValue } from "./diff.ts";
import type { ClusterName } from "./model.ts";

/** What a change does, in sentences: one, and one for each field below it. Values are as the repository has them. */
export function describeEffect(effect: ChangeEffect): readonly string[] {
  switch (effect.kind) {
    case "leader":
      return [describeLeader(effect)];
    case "handover-without":
      return [`${effect.cluster} takes office without waiting for ${effect.without}`];
    case "joins":
      return [`${effect.cluster} joins the federation`];
    case "leaves":
      return [`${effect.cluster} leaves the federation: it keeps what it has and applies nothing more`];
    case "excluded":
      return [`${effect.cluster} is left out: ${effect.reason}`];
    case "included":
      return [`${effect.cluster} takes part again`];
    case "version":
      return [`AMKO in ${effect.cluster}: ${effect.before} -> ${effect.after}`];
    case "created":
      return [`${effect.object} ${effect.name} is added: clusters that do not have it create it`];
    case "deleted":
      return [`${effect.object} ${effect.name} is deleted in every cluster`];
    case "restored":
      return [`${effect.object} ${effect.name} is no longer deleted: it is created again in every cluster`];
    case "file-removed":
      return [`the file of ${effect.object} ${effect.name} is gone, which deletes nothing: clusters keep the object`];
    case "unusable":
      return [`${effect.object} cannot be used any more: clusters keep the newest one that can`];
    case "usable":
      return [`${effect.object} ${effect.name} can be used again: clusters take it`];
    case "renamed":
      return [`${effect.object} ${effect.before} is renamed to ${effect.after}: the leader keeps the former name`];
    case "fields":
      return [`${effect.object} changes`, ...effect.fields.map((field) => `  ${describeField(field)}`)];
    case "restarts":
      return [`AMKO on the leader restarts by itself: ${effect.fields.join(", ")}`];
    case "waits-for-restart":
      return [`AMKO on the leader has to be restarted by hand to read ${effect.fields.join(", ")}`];
    default:
      return effect satisfies never;
  }
}

function describeLeader({ before, after, leads }: Extract<ChangeEffect, { readonly kind: "leader" }>): string {
  const held = leads ? "" : "; every cluster holds";
  if (before?.length !== 1 || after?.length !== 1) return `leader: ${whoLeads(before)} -> ${whoLeads(after)}${held}`;
  const [from, to] = [before[0], after[0]];
  if (from === to) return leads ? `${to} can lead again` : `${to} can lead no longer${held}`;
  return leads
    ? `the leadership moves from ${from} to ${to}`
    : `${to} claims to lead instead of ${from}, and cannot${held}`;
}

function whoLeads(claims: readonly ClusterName[] | null): string {
  if (claims === null) return "unknown";
  if (claims.length === 0) return "nobody";
  return claims.length === 1 ? `${claims[0]}` : `${claims.join(" and ")} in conflict`;
}

/** `weight of cluster1 in the traffic split: 8 -> 5`, where the field has a name that people use. */
function describeField({ path, before, after }: FieldChange): string {
  const values = `${formatFieldValue(before, "(none)")} -> ${formatFieldValue(after, "(removed)")}`;
  const [root, list, entry, field] = path;
  const words = root === "spec" && typeof list === "string" ? LISTS[list] : undefined;
  if (words === undefined || typeof entry !== "object") return `${formatFieldPath(path)}: ${values}`;
  if (typeof field === "string" && path.length === 4) return `${field} of ${entry.entry} in ${words}: ${values}`;
  if (path.length !== 3) return `${formatFieldPath(path)}: ${values}`;
  return before === undefined ? `${entry.entry} is added to ${words}` : `${entry.entry} is taken out of ${words}`;
}

const LISTS: Readonly<Record<string, string>> = {
  trafficSplit: "the traffic split",
  matchClusters: "the matched clusters",
  memberClusters: "the member clusters",
};
