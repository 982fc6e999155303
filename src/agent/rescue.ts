import { createHash } from "node:crypto";
import type { FederatedKind, Snapshot } from "../core/model.ts";
import { rescueRef, rescueRefs } from "../core/refs.ts";
import { snapshotPath, writeSnapshot } from "../core/snapshot.ts";
import { asFederationError, type FederationError, hasCode } from "../errors.ts";
import { authorOf } from "./author.ts";
import type { Context, Local } from "./context.ts";

/** So many rescued contents are kept for a cluster. */
const RESCUES_MAX = 20;

/**
 * Keeps content that is about to be overwritten and stands nowhere in git: an orphan commit under the digest of its
 * canonical bytes, so that the same content is kept once. An agent that may not push keeps the newest in its ConfigMap.
 * @throws FederationError when it could not be kept; then nothing may be overwritten.
 */
export async function rescue(context: Context, local: Local, snapshot: Snapshot): Promise<Local> {
  const { kind, name } = snapshot;
  const bytes = writeSnapshot(snapshot);
  const ref = rescueRef(local.self, createHash("sha256").update(bytes).digest("hex").slice(0, 16));
  try {
    await makeRoom(context, local, ref);
  } catch (error) {
    // Only tidying: what is to be kept is more important.
    const { code, message } = asFederationError(error);
    context.log("warn", "no room was made for a rescue", { cluster: local.self, code, cause: message });
  }
  try {
    await context.repository.writeOrphan(
      {
        ref,
        expected: null,
        files: [{ path: snapshotPath(kind, name), bytes }],
        message: `rescue: ${kind} ${name} of cluster ${local.self}\n\nIt stood only in the cluster and was about to be overwritten.\n`,
        author: authorOf(context, local.self),
      },
      context.signal,
    );
  } catch (error) {
    if (hasCode(error, "AG2013", "AG2004")) return rescueHere(context, local, kind, bytes, error);
    // The ref is named by its content: where it stands already, that very content is safe.
    if (!hasCode(error, "AG2011")) throw error;
    return local;
  }
  context.telemetry.happened({ fact: "rescued", kind, place: "git" });
  context.log("warn", "rescued", { kind, object: name, ref, cluster: local.self });
  context.note({
    type: "Warning",
    reason: "Rescued",
    message: `What ${kind} ${name} held is kept in the branch …/${ref}.`,
  });
  return local;
}

/** Somebody who fights the agent must not fill the repository: the oldest goes, by its committer date. */
async function makeRoom({ repository, log, signal }: Context, local: Local, ref: string): Promise<void> {
  const { refs } = await repository.list("all", signal);
  const standing = rescueRefs(refs ?? new Map(), local.self);
  if (standing.size < RESCUES_MAX || standing.has(ref)) return;
  const dated = [...standing].map(async ([name, commit]) => {
    const { committedAtSeconds } = await repository.read(commit, signal);
    return { name, commit, committedAtSeconds };
  });
  const byAge = (await Promise.all(dated)).toSorted((a, b) => a.committedAtSeconds - b.committedAtSeconds);
  for (const { name, commit } of byAge.slice(0, byAge.length - RESCUES_MAX + 1)) {
    await repository.moveRef({ ref: name, expected: commit, target: null }, signal);
    log("warn", "dropped the oldest rescue", { cluster: local.self, ref: name });
  }
}

async function rescueHere(
  { cluster, log, note, telemetry, signal }: Context,
  local: Local,
  kind: FederatedKind,
  bytes: Uint8Array,
  { code, message }: FederationError,
): Promise<Local> {
  const data = { ...local.configMap?.data, [`rescue.${kind}`]: new TextDecoder().decode(bytes) };
  const configMap = await cluster.writeConfigMap(data, local.configMap?.resourceVersion ?? null, signal);
  telemetry.happened({ fact: "rescued", kind, place: "configmap" });
  log("warn", "rescued in the ConfigMap, since git refused it", { kind, cluster: local.self, code, cause: message });
  note({
    type: "Warning",
    reason: "Rescued",
    message: `What the ${kind} held is kept in ConfigMap amko-gitops, as rescue.${kind}: git refused it (${code}).`,
  });
  return { ...local, configMap };
}
