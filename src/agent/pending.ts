import type { FederatedKind } from "../core/model.ts";
import type { LeaderDecision } from "../core/plan.ts";
import type { Context, Local, Memory } from "./context.ts";
import type { Export } from "./export.ts";

/** A change that has to wait, and for how long. */
export interface Pending {
  readonly memory: Memory;
  readonly againAfterMs: number | null;
}

/** A deletion counts once complete lists have shown it for `--delete-grace` under one AMKOCluster. */
export function awaitDeletions(
  { settings, clock }: Context,
  { amkoCluster }: Local,
  memory: Memory,
  decisions: readonly { readonly kind: FederatedKind; readonly decision: LeaderDecision }[],
): Pending & { readonly due: ReadonlySet<FederatedKind> } {
  const elapsedMs = clock.elapsedMs();
  const { uid } = amkoCluster.metadata;
  const missing: Partial<Record<FederatedKind, { sinceMs: number; amkoClusterUid: typeof uid }>> = {};
  const due = new Set<FederatedKind>();
  const rests: number[] = [];
  for (const { kind, decision } of decisions) {
    if (decision.kind !== "entomb") continue;
    const known = memory.missing[kind];
    const sinceMs = known?.amkoClusterUid === uid ? known.sinceMs : elapsedMs;
    missing[kind] = { sinceMs, amkoClusterUid: uid };
    const restMs = sinceMs + settings.deleteGraceMs - elapsedMs;
    if (restMs <= 0) due.add(kind);
    else rests.push(restMs);
  }
  return { memory: { ...memory, missing }, due, againAfterMs: rests.length === 0 ? null : Math.min(...rests) };
}

/** What a pass sees is missing no more, whatever else comes of that pass. */
export function forgetFound(memory: Memory, { objects }: Local): Memory {
  const missing = Object.entries(memory.missing).filter(([kind]) => objects[kind as FederatedKind].length === 0);
  return { ...memory, missing: Object.fromEntries(missing) };
}

/**
 * With `--batch-window` the first change waits for those that come soon after it. It waits once: what git does not take,
 * or people have not merged, is no new change in the next pass.
 */
export function awaitBatch({ settings, clock }: Context, memory: Memory, exports: readonly Export[]): Pending {
  if (exports.length === 0 || settings.batchWindowMs === 0)
    return { memory: { ...memory, batchSinceMs: null }, againAfterMs: null };
  const elapsedMs = clock.elapsedMs();
  const sinceMs = memory.batchSinceMs ?? elapsedMs;
  const restMs = sinceMs + settings.batchWindowMs - elapsedMs;
  return { memory: { ...memory, batchSinceMs: sinceMs }, againAfterMs: restMs > 0 ? restMs : null };
}
