import { clusterRef } from "../core/refs.ts";
import { designate } from "../core/role.ts";
import { hasCode } from "../errors.ts";
import type { NamespaceState } from "../ports.ts";
import type { Branch, Context, Memory, Result } from "./context.ts";
import { readIdentityMismatch } from "./identity.ts";
import { type Reading, withRef } from "./observe.ts";
import { noteRefusal, refusedRestMs } from "./refusals.ts";
import { NOT_HERE } from "./stance.ts";

type NotHere = Extract<Reading, { readonly kind: "not-here" }>;

/**
 * There is no AMKOCluster to act on, nor to write a status to: the log has to do. An agent that was told which cluster
 * it is, or remembers it, gives up a claim that the branch does not give it, so that nobody waits for an AMKO that is
 * not there. Nothing else is touched.
 */
export async function waitForAmko(
  context: Context,
  branch: Branch,
  memory: Memory,
  { problem, namespace, isThere, localLeader }: NotHere,
): Promise<Result> {
  const { code, message, remedy } = problem;
  if (memory.told !== message) context.log("warn", "waiting", { code, cause: message, remedy });
  const told = { ...memory, told: message };
  const absent = code === "AG3011" && namespace !== null;
  const released = absent ? await releaseClaim(context, branch, told, namespace) : told;
  // Where an AMKO runs all the same, what it lacks goes on to count.
  const { lacksSinceSeconds, ...none } = NOT_HERE;
  const stance = { ...none, ...(isThere ? { localLeader } : { lacksSinceSeconds }), problem: code };
  return { memory: released, againAfterMs: refusedRestMs(context, released), error: null, state: "held", stance };
}

async function releaseClaim(
  context: Context,
  { view }: Branch,
  memory: Memory,
  namespace: NamespaceState,
): Promise<Memory> {
  const self = context.settings.cluster ?? memory.self;
  if (self === null) return memory;
  const ref = clusterRef("leading", self);
  const claim = memory.refs?.get(ref) ?? null;
  if (claim === null || designate({ self, view, identity: null }) === "leader") return memory;
  // The name may be another cluster's by now, and the claim its own.
  const known = memory.refs?.get(clusterRef("identity", self)) ?? null;
  if (known === null || (await readIdentityMismatch(context, self, namespace, known)) !== null) return memory;
  if (memory.refusedAtMs.leading !== undefined) return memory;
  try {
    await context.repository.moveRef({ ref, expected: claim, target: null }, context.signal);
  } catch (error) {
    if (!hasCode(error, "AG2004", "AG2013")) throw error;
    context.log("warn", "claim could not be given up", { cluster: self, ref, code: error.code, cause: error.message });
    return noteRefusal(context, memory, "leading");
  }
  context.log("info", "gave up the claim of a cluster without AMKO", { cluster: self, claim });
  return { ...memory, refs: withRef(memory.refs ?? new Map(), ref, null) };
}
