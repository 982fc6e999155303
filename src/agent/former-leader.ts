import { problem } from "../core/catalogue.ts";
import type { ClusterName, Problem } from "../core/model.ts";
import { refsByCluster } from "../core/refs.ts";
import type { Local, Memory } from "./context.ts";

/**
 * Git fences the federation, not the Avi controller: as long as a former leader's claim stands, its AMKO may still
 * program it, and people have to know. Null when every claim but this cluster's own is gone.
 */
export function findFormerLeader({ self, amkoCluster }: Local, { refs }: Memory): Problem | null {
  const others = [...refsByCluster(refs ?? new Map(), "leading").keys()].filter((cluster) => cluster !== self);
  if (others.length === 0) return null;
  const { name } = amkoCluster.metadata;
  const commands = others.map((cluster) => standDownCommand(cluster, name)).join("; ");
  return problem(
    "AG5024",
    `former leader ${others.join(", ")} has not confirmed that it stepped down; run: ${commands}`,
  );
}

/** Objects are named alike in all clusters, as AMKO's chart names them. */
function standDownCommand(cluster: ClusterName, name: string): string {
  return `kubectl --context ${quote(cluster)} -n avi-system patch amkocluster ${name} --type=merge -p '{"spec":{"isLeader":false}}'`;
}

/** For a shell. */
function quote(word: string): string {
  return /^[A-Za-z0-9_./:@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
