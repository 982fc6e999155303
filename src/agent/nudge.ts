import type { ClusterName, LiveObject } from "../core/model.ts";
import { asFederationError } from "../errors.ts";
import type { Log, Members } from "../ports.ts";
import { MEMBERS_AT_ONCE_MAX } from "./in-parallel.ts";

export interface Nudges {
  /** Returns at once. A member that is still being told is told the newest revision once more, after that. */
  send(clusters: readonly ClusterName[], revision: string): void;
  settled(): Promise<void>;
}

/** Tells members to fetch, so that they need not wait for their next poll. What they do then is theirs to decide. */
export function createNudges(
  { members, log }: { readonly members: Members; readonly log: Log },
  signal: AbortSignal,
  /** Called before a member is told; what it returns is given the object that answers. */
  asking: (cluster: ClusterName) => (object: LiveObject) => void,
): Nudges {
  /** The newest revision of each member that was not told of it yet. */
  const pending = new Map<ClusterName, string>();
  const busy = new Set<ClusterName>();
  const workers = new Set<Promise<void>>();

  async function tell(cluster: ClusterName, revision: string): Promise<void> {
    const answered = asking(cluster);
    try {
      const object = await members.requestRevision(cluster, revision, signal);
      if (object !== null) answered(object);
    } catch (error) {
      if (signal.aborted) return;
      // It fetches at its next poll all the same.
      const { code, message } = asFederationError(error);
      log("debug", "member could not be nudged", { member: cluster, code, cause: message });
    }
  }

  async function work(): Promise<void> {
    for (;;) {
      const next = [...pending].find(([cluster]) => !busy.has(cluster));
      if (next === undefined || signal.aborted) return;
      const [cluster, revision] = next;
      pending.delete(cluster);
      busy.add(cluster);
      await tell(cluster, revision);
      busy.delete(cluster);
    }
  }

  return {
    send(clusters, revision) {
      for (const cluster of clusters) pending.set(cluster, revision);
      while (workers.size < Math.min(MEMBERS_AT_ONCE_MAX, busy.size + pending.size)) {
        const worker = work().finally(() => workers.delete(worker));
        workers.add(worker);
      }
    },
    async settled() {
      while (workers.size > 0) await Promise.all(workers);
    },
  };
}
