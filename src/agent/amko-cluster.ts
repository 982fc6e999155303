import { problem } from "../core/catalogue.ts";
import { correctionWaitMs, countCorrection } from "../core/fight.ts";
import { deepEqual, isObject } from "../core/json.ts";
import { ACCEPT_REWRITE_ANNOTATION, type JsonObject, type Manifest, type Problem } from "../core/model.ts";
import { annotationPatch, type PatchOperation, specPatch } from "../core/patch.ts";
import { lastWriter } from "../core/writers.ts";
import type { Context, Local, Memory } from "./context.ts";
import { withObject } from "./observe.ts";

export function isLocalLeader(spec: Local["amkoCluster"]["spec"]): boolean {
  return isObject(spec) && spec["isLeader"] === true;
}

/** Only where the field says something else. */
export async function setLeader(context: Context, local: Local, isLeader: boolean): Promise<Local> {
  return writeAmkoCluster(context, local, specPatch(local.amkoCluster, { isLeader }));
}

/**
 * Puts fields of the AMKOCluster back to what git says: at once, unless somebody keeps writing them; then less and less
 * often. (Stepping down is no correction, and never waits.)
 */
export async function correct(
  context: Context,
  local: Local,
  memory: Memory,
  fields: JsonObject,
): Promise<{ readonly local: Local; readonly memory: Memory }> {
  const patch = specPatch(local.amkoCluster, fields);
  if (patch.length === 0) return { local, memory };
  const elapsedMs = context.clock.elapsedMs();
  if (correctionWaitMs(memory.corrections.AMKOCluster, elapsedMs) > 0)
    return { local, memory: { ...memory, contested: true } };
  const AMKOCluster = countCorrection(memory.corrections.AMKOCluster, elapsedMs);
  const written = await writeAmkoCluster(context, local, patch);
  const names = Object.keys(fields).filter((field) => patch.some(({ path }) => path === `/spec/${field}`));
  const text = `AMKOCluster ${local.amkoCluster.metadata.name} was changed in cluster ${local.self}: ${names.join(", ")}`;
  context.telemetry.happened({ fact: "corrected", kind: "AMKOCluster" });
  context.log("warn", "drift was corrected", { cluster: local.self, cause: text });
  context.note({ type: "Warning", reason: "DriftCorrected", message: `${text}. It was put back to what git says.` });
  const corrections = { ...memory.corrections, AMKOCluster };
  return { local: written, memory: { ...memory, corrections } };
}

/** Why the AMKOCluster is not as git says, and when it is tried again; null while nobody fights over it. */
export function amkoClusterFight(
  { clock }: Context,
  { self, amkoCluster }: Local,
  { corrections, contested }: Memory,
): { readonly problem: Problem; readonly againAfterMs: number } | null {
  const againAfterMs = correctionWaitMs(corrections.AMKOCluster, clock.elapsedMs());
  if (againAfterMs === 0 || !contested) return null;
  const { count = 0 } = corrections.AMKOCluster ?? {};
  const writer = lastWriter(amkoCluster) ?? "somebody";
  const text = `AMKOCluster ${amkoCluster.metadata.name} in cluster ${self} was put back ${count} times; ${writer} keeps writing it`;
  return { problem: problem("AG5019", text), againAfterMs };
}

/**
 * Brings `clusterContext` and `clusters` of the local AMKOCluster to what its manifest says; with itself in it, since
 * AMKO panics at its start otherwise.
 */
export async function alignAmkoCluster(
  context: Context,
  local: Local,
  memory: Memory,
  manifest: Manifest,
): Promise<{ readonly local: Local; readonly memory: Memory }> {
  const clusters = manifest.clusters.includes(local.self) ? manifest.clusters : [local.self, ...manifest.clusters];
  const aligned = { clusterContext: local.self, clusters };
  if (memory.aligned !== null && deepEqual(memory.aligned, aligned)) return correct(context, local, memory, aligned);
  const written = await writeAmkoCluster(context, local, specPatch(local.amkoCluster, aligned));
  return { local: written, memory: { ...memory, aligned } };
}

/** A consent to a rewritten branch is spent once its head is recorded: a later rewrite asks anew. */
export async function spendConsent(context: Context, local: Local): Promise<Local> {
  return writeAmkoCluster(context, local, annotationPatch(local.amkoCluster, { [ACCEPT_REWRITE_ANNOTATION]: null }));
}

export async function writeAmkoCluster(
  { cluster, signal }: Context,
  local: Local,
  patch: readonly PatchOperation[],
): Promise<Local> {
  if (patch.length === 0) return local;
  const { name, resourceVersion } = local.amkoCluster.metadata;
  const written = await cluster.patch({ kind: "AMKOCluster", name, resourceVersion }, patch, { dryRun: false }, signal);
  return withObject(local, "AMKOCluster", written);
}
