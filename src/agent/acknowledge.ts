import { clusterRef } from "../core/refs.ts";
import { hasCode } from "../errors.ts";
import type { Branch, Context, Local, Memory } from "./context.ts";
import { withRef } from "./observe.ts";
import { noteRefusal } from "./refusals.ts";

export interface Acknowledged {
  readonly memory: Memory;
  readonly againAfterMs: number | null;
}

/**
 * Points `applied/<self>` to the revision that the cluster holds: the first at once, then at most one per
 * `--ack-interval`. A revision that left the federation's folder as it was is not acknowledged.
 */
export async function acknowledge(
  context: Context,
  branch: Branch,
  local: Local,
  memory: Memory,
): Promise<Acknowledged> {
  const { repository, settings, clock, log, telemetry } = context;
  const ref = clusterRef("applied", local.self);
  const present = memory.refs?.get(ref) ?? null;
  if (present === branch.head || memory.refusedAtMs.applied !== undefined) return { memory, againAfterMs: null };
  if (present !== null && (await saysTheSame(context, branch, present))) return { memory, againAfterMs: null };
  const elapsedMs = clock.elapsedMs();
  const restMs = memory.acknowledged === null ? 0 : memory.acknowledged.atMs + settings.ackIntervalMs - elapsedMs;
  if (restMs > 0) return { memory, againAfterMs: restMs };
  try {
    await repository.moveRef({ ref, expected: present, target: branch.head }, context.signal);
  } catch (error) {
    // The cluster holds the revision all the same: it only cannot tell. It is tried again after a while.
    if (!hasCode(error, "AG2004", "AG2013")) throw error;
    log("warn", "acknowledgement was refused", { cluster: local.self, code: error.code, cause: error.message });
    return { memory: noteRefusal(context, memory, "applied"), againAfterMs: null };
  }
  telemetry.happened({ fact: "acknowledged" });
  log("info", "acknowledged", { revision: branch.head, cluster: local.self });
  const refs = withRef(memory.refs ?? new Map(), ref, branch.head);
  return { memory: { ...memory, refs, acknowledged: { commit: branch.head, atMs: elapsedMs } }, againAfterMs: null };
}

async function saysTheSame(
  { repository, signal }: Context,
  { head, revision }: Branch,
  acknowledged: typeof head,
): Promise<boolean> {
  if ((await repository.relation(acknowledged, head, signal)) !== "ancestor") return false;
  return (await repository.read(acknowledged, signal)).tree === revision.tree;
}
