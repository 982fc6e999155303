import { isObject } from "../core/json.ts";
import { type LiveObject, NAMESPACE } from "../core/model.ts";
import { type AnnotationChanges, annotationPatch } from "../core/patch.ts";
import { FederationError, hasCode } from "../errors.ts";
import type { Cluster } from "../ports.ts";

/** Whoever writes so often that five readings are stale is a fault of its own. */
const ATTEMPTS_MAX = 5;

/** The AMKOCluster of this cluster, whatever its name. @throws FederationError AG3011 for none, AG3012 for several */
export async function readAmkoCluster(cluster: Cluster, signal: AbortSignal): Promise<LiveObject> {
  const found = await cluster.list("AMKOCluster", signal);
  const [amkoCluster] = found;
  if (amkoCluster === undefined) throw new FederationError("AG3011", `there is no AMKOCluster in ${NAMESPACE}`);
  if (found.length > 1) throw new FederationError("AG3012", `there are ${found.length} AMKOClusters in ${NAMESPACE}`);
  return amkoCluster;
}

/** The name that it says its cluster has; empty where it says none. */
export function contextNameOf({ spec }: LiveObject): string {
  const name = isObject(spec) ? spec["clusterContext"] : undefined;
  return typeof name === "string" ? name : "";
}

/**
 * Sets and takes off annotations of the AMKOCluster, which is how people speak to its agent; over nobody's newer
 * write. Returns the object as it was.
 * @throws FederationError as {@link readAmkoCluster}, AG3004 when it keeps changing.
 */
export async function annotateAmkoCluster(
  cluster: Cluster,
  changesFor: (amkoCluster: LiveObject) => AnnotationChanges,
  signal: AbortSignal,
): Promise<LiveObject> {
  return await onFreshReading(cluster, signal, async (amkoCluster) => {
    const patch = annotationPatch(amkoCluster, changesFor(amkoCluster));
    if (patch.length > 0) await cluster.patch(targetOf(amkoCluster), patch, { dryRun: false }, signal);
    return amkoCluster;
  });
}

/** Writes what follows from the object, and reads it again where somebody was faster. */
export async function onFreshReading<T>(
  cluster: Cluster,
  signal: AbortSignal,
  write: (amkoCluster: LiveObject) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const amkoCluster = await readAmkoCluster(cluster, signal);
    try {
      return await write(amkoCluster);
    } catch (error) {
      if (!hasCode(error, "AG3004") || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

/** What a patch is aimed at: this very object, as it was read. */
export function targetOf({ metadata }: LiveObject): Parameters<Cluster["patch"]>[0] {
  return { kind: "AMKOCluster", name: metadata.name, resourceVersion: metadata.resourceVersion };
}
