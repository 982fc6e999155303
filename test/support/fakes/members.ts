import { isObject } from "../../../src/core/json.ts";
import { type ClusterName, type Problem, REQUESTED_REVISION_ANNOTATION } from "../../../src/core/model.ts";
import { FederationError } from "../../../src/errors.ts";
import type { Members } from "../../../src/ports.ts";
import type { FakeCluster } from "./cluster.ts";

/** The clusters of a world as their leader reaches them. There is no kubeconfig until a test says which contexts it has. */
export interface FakeMembers extends Members {
  setContexts(contexts: ReadonlyMap<string, Problem | null> | FederationError | null): void;
  /** What becomes of requests to a cluster from now on. */
  set(cluster: string, state: "up" | "down" | "hanging"): void;
  /** `cluster revision`, in the order in which they arrived. */
  readonly nudges: readonly string[];
  /** How often each cluster was asked for its AMKOClusters. */
  readonly reads: ReadonlyMap<string, number>;
}

export function createFakeMembers(clusters: ReadonlyMap<string, FakeCluster>): FakeMembers {
  let contexts: ReadonlyMap<string, Problem | null> | FederationError | null = null;
  const states = new Map<string, "up" | "down" | "hanging">();
  const nudges: string[] = [];
  const reads = new Map<string, number>();

  async function reach(name: ClusterName, signal: AbortSignal): Promise<FakeCluster> {
    const cluster = clusters.get(name);
    const state = states.get(name) ?? "up";
    if (cluster === undefined || state === "down") throw new FederationError("AG3001", `${name} is down`);
    if (state === "hanging") await new Promise((_, reject) => signal.addEventListener("abort", reject, { once: true }));
    return cluster;
  }

  return {
    nudges,
    reads,
    setContexts: (next) => {
      contexts = next;
    },
    set: (cluster, state) => void states.set(cluster, state),
    async contexts() {
      if (contexts instanceof FederationError) throw contexts;
      return contexts;
    },
    async readAmkoClusters(name, signal) {
      reads.set(name, (reads.get(name) ?? 0) + 1);
      return (await reach(name, signal)).objects("AMKOCluster");
    },
    async standDown(name, signal) {
      if (contexts instanceof FederationError) throw contexts;
      if (contexts?.get(name) !== null) throw new FederationError("AG4007", `no context for ${name}`);
      const cluster = await reach(name, signal);
      cluster.edit("AMKOCluster", (object) => ({
        ...object,
        spec: { ...(isObject(object.spec) ? object.spec : {}), isLeader: false },
      }));
    },
    async requestRevision(name, revision, signal) {
      nudges.push(`${name} ${revision}`);
      const cluster = await reach(name, signal);
      return cluster.edit("AMKOCluster", ({ metadata, ...object }) => {
        const annotations = { ...metadata.annotations, [REQUESTED_REVISION_ANNOTATION]: revision };
        return { ...object, metadata: { ...metadata, annotations } };
      });
    },
  };
}

/** A kubeconfig with a usable context for each name. */
export function contextsOf(...names: readonly string[]): ReadonlyMap<string, Problem | null> {
  return new Map(names.map((name) => [name, null]));
}
