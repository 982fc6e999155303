import type { Memory, PassParts } from "../../src/agent/context.ts";
import type { MemberChecks } from "../../src/agent/member-checks.ts";
import type { CommitId, FederatedKind, Uid } from "../../src/core/model.ts";
import { parseRecords } from "../../src/core/records.ts";
import type { ConfigMapState, ObjectList, RefListing, WorkloadState } from "../../src/ports.ts";
import type { Incident } from "./acts.ts";
import type { ClusterLedger, Seen } from "./ledger.ts";
import type { PortCall } from "./ports.ts";

/** One process of an agent. */
export interface Process {
  readonly name: string;
  readonly index: number;
  readonly context: PassParts & { readonly members: MemberChecks };
  memory: Memory;
  running: Running | null;
  /** It dies, and everything with it that stood in its memory. */
  forget(): void;
  /** Kinds whose CRD the present pass found missing. */
  readonly missed: Set<FederatedKind>;
  /** Revisions that it has read or written since it began: it knows what they say without asking again. */
  readonly known: Set<CommitId>;
  /** What the present pass read last. */
  seen: Seen;
}

/** One pass under way. */
export interface Running {
  readonly incidents: Incident[];
  requests: number;
  writes: number;
  landed: number;
  dead: boolean;
  /** What came in between, and has to be over before the next step begins. */
  readonly under: Promise<unknown>[];
}

/** A request that its sender has given up, and that arrives all the same. */
export interface Late {
  left: number;
  readonly process: Process;
  readonly call: PortCall;
  readonly seen: Seen;
  /** Of the cluster that its sender was in. A request to an API server that was rebuilt since then arrives nowhere. */
  readonly namespace: Uid | null;
  /** What was missing in that cluster when it was sent. */
  readonly gone: ClusterLedger["gone"];
  send(): Promise<unknown>;
}

/** What a pass knows after an answer. */
export function seeing({ seen, known }: Process, call: PortCall, answer: unknown): Seen {
  if (call.method === "list" && call.port === "git") {
    // A pass acts on the branch as it read it first; later it looks for refs alone.
    const listed = seen.listed ?? (answer as RefListing).head;
    return { ...seen, listed, head: listed !== null && known.has(listed) ? listed : seen.head };
  }
  if (call.method === "read") {
    known.add(call.subject as CommitId);
    return call.subject === seen.listed ? { ...seen, head: seen.listed } : seen;
  }
  // What it wrote itself it need not read.
  if (call.method === "publish") known.add(answer as CommitId);
  if (call.method === "list" && call.subject === "AMKOCluster") {
    const [amkoCluster = null] = answer as ObjectList;
    return { ...seen, amkoCluster };
  }
  if (call.method === "readWorkload") {
    return { ...seen, federator: (answer as WorkloadState | null)?.containers.includes("amko-federator") === true };
  }
  if (call.method !== "readConfigMap") return seen;
  return { ...seen, records: parseRecords((answer as ConfigMapState | null)?.data ?? {}) };
}
