import type { Problem } from "../core/model.ts";
import { clusterRef } from "../core/refs.ts";
import { designate } from "../core/role.ts";
import type { NamespaceState } from "../ports.ts";
import type { Branch, Context, Memory, Result } from "./context.ts";
import { readIdentityMismatch } from "./identity.ts";
import { withRef } from "./observe.ts";
import { NOT_HERE } from "./stance.ts";

/**
 * There is no AMKOCluster to act on, nor to write a status to: the log has to do. An agent that was told which cluster
 * it is, or remembers it, gives up a claim that the branch does not give it, so that nobody waits for an AMKO that is
 * not there. Nothing else is touched.
 */
export async function waitForAmko(
  context: Context,
  branch: Branch,
  memory: Memory,
  cause: Problem,
  namespace: NamespaceState | null,
): Promise<Result> {
  const { code, message, remedy } = cause;
  if (memory.told !== message) context.log("warn", "waiting", { code, cause: message, remedy });
  const told = { ...memory, told: message };
  const absent = code === "AG3011" && namespace !== null;
  const released = absent ? await releaseClaim(context, branch, told, namespace) : told;
  return { memory: released, againAfterMs: null, error: null, state: "held", stance: { ...NOT_HERE, problem: code } };
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
  await context.repository.moveRef({ ref, expected: claim, target: null }, context.signal);
  context.log("info", "gave up the claim of a cluster without AMKO", { cluster: self, claim });
  return { ...memory, refs: withRef(memory.refs ?? new Map(), ref, null) };
}
