import { CATALOGUE, problem } from "./catalogue.ts";
import { diffFields } from "./diff.ts";
import { flipLeader } from "./flip.ts";
import { isObject } from "./json.ts";
import type { CommittedChange } from "./message.ts";
import type { ClusterName, FederationView, FileChange, Manifest, Problem, RevisionFile, Snapshot } from "./model.ts";
import { judgeOutcome } from "./outcome.ts";
import type { Schemas } from "./resource-definition.ts";
import { snapshotPath, writeSnapshot } from "./snapshot.ts";
import type { ClusterStanding } from "./standing.ts";
import { takeoverRefusals } from "./takeover-refusals.ts";
import { takeoverWarnings } from "./takeover-warnings.ts";
import { type TopologyEntry, topologyOf } from "./topology.ts";

/** What is known when somebody wants another cluster to lead. */
export interface TakeoverFacts {
  readonly files: readonly RevisionFile[];
  readonly view: FederationView;
  readonly schemas: Schemas;
  /** Clusters without an entry never reported. */
  readonly standings: ReadonlyMap<ClusterName, ClusterStanding>;
  /** The clusters with a ref under `leading/`. */
  readonly inOffice: ReadonlySet<ClusterName>;
  /** The refs under `propose/`, below the prefix. */
  readonly proposals: ReadonlySet<string>;
}

export interface TakeoverRequest {
  /** Planned, or after a disaster. */
  readonly kind: "switchover" | "failover";
  readonly target: ClusterName;
  /** The Avi controller that is programmed from now on; null leaves it. */
  readonly controllerIp: string | null;
  /** Clusters that a failover does not wait for; null means whoever claims to lead now. */
  readonly handoverWithout: readonly ClusterName[] | null;
  /** Overrides that the target is behind or failing, and nothing else. */
  readonly force: boolean;
}

export interface TakeoverPlan {
  readonly subject: string;
  /** Whoever claims to lead today, without the target. */
  readonly from: readonly ClusterName[];
  readonly to: ClusterName;
  readonly changes: readonly FileChange[];
  /** The snapshots that change, for the message. */
  readonly snapshots: readonly Pick<CommittedChange, "kind" | "action" | "fields">[];
  readonly before: readonly TopologyEntry[];
  readonly after: readonly TopologyEntry[];
  readonly warnings: readonly string[];
  /** Why it must not be done; empty when it may. */
  readonly refusals: readonly Problem[];
}

/** The one commit of a switchover or a failover, and what speaks against it. Total: it never throws. */
export function planTakeover(facts: TakeoverFacts, request: TakeoverRequest): TakeoverPlan {
  const { view, files, schemas } = facts;
  const { target, kind } = request;
  const before = topologyOf(view);
  const from = claimants(view).filter((cluster) => cluster !== target);
  const verb = kind === "switchover" ? "switch over" : "fail over";
  const empty = {
    subject: `${verb}${from.length === 0 ? "" : ` from ${from.join(" and ")}`} to ${target}`,
    from,
    to: target,
    changes: [],
    snapshots: [],
    before,
    after: before,
    warnings: [],
  };
  const unfit = unfitTarget(view, target);
  if (unfit !== null) return { ...empty, refusals: [unfit] };
  const readdressed = request.controllerIp === null ? null : readdress(view, request.controllerIp);
  if (readdressed !== null && "problem" in readdressed) return { ...empty, refusals: [readdressed.problem] };
  const without = kind === "switchover" ? [] : (request.handoverWithout ?? notWaitedFor(facts, from, target));
  const changes = [...flipLeader(view, files, target, without), ...(readdressed === null ? [] : readdressed.changes)];
  const outcome = judgeOutcome(view, files, changes, schemas);
  return {
    ...empty,
    changes,
    snapshots: readdressed?.snapshots ?? [],
    after: topologyOf(outcome.view),
    warnings: takeoverWarnings(facts, request, { from, without, outcome }),
    refusals: takeoverRefusals(facts, request, from, outcome),
  };
}

function claimants({ manifests }: FederationView): readonly ClusterName[] {
  return [...manifests.values()].filter(({ isLeader }) => isLeader).map(({ cluster }) => cluster);
}

/** The former leaders; while nobody claims to lead, whoever is still in office. */
function notWaitedFor(
  { inOffice }: TakeoverFacts,
  from: readonly ClusterName[],
  target: ClusterName,
): readonly ClusterName[] {
  return from.length > 0 ? from : [...inOffice].filter((cluster) => cluster !== target);
}

const NAMED_MAX = 10;

/** What rules a cluster out, whatever happens. */
function unfitTarget({ leadership, manifests }: FederationView, target: ClusterName): Problem | null {
  const manifest: Manifest | undefined = manifests.get(target);
  if (manifest === undefined) {
    const known = [...manifests.keys()];
    const rest = known.length > NAMED_MAX ? ` (and ${known.length - NAMED_MAX} more)` : "";
    const names = `${known.slice(0, NAMED_MAX).join(", ")}${rest}`;
    return {
      ...problem("AG5006", `cluster ${target} has no AMKOCluster manifest`),
      remedy: known.length === 0 ? CATALOGUE.AG5006.remedy : `Name one of ${names}, or commit a manifest for it.`,
    };
  }
  if (manifest.problem !== null) {
    const { path, line, message } = manifest.problem;
    return problem("AG5010", `the AMKOCluster object of cluster ${target} is invalid: ${message}`, { path, line });
  }
  if (leadership.kind === "leader" && leadership.cluster === target) {
    return problem("AG5029", `cluster ${target} leads already`);
  }
  return null;
}

type Readdressed =
  | { readonly changes: readonly FileChange[]; readonly snapshots: TakeoverPlan["snapshots"] }
  | { readonly problem: Problem };

/** Another Avi controller: one field of the GSLBConfig. */
function readdress({ kinds }: FederationView, controllerIp: string): Readdressed {
  const state = kinds.GSLBConfig;
  if (state.kind !== "present") {
    const words = { absent: "there is none", deleted: "it is deleted", unusable: "its file is unusable" } as const;
    return { problem: problem("AG5030", `no GSLBConfig can be given another controller: ${words[state.kind]}`) };
  }
  const { snapshot } = state;
  const leader = snapshot.spec["gslbLeader"];
  const spec = { ...snapshot.spec, gslbLeader: { ...(isObject(leader) ? leader : {}), controllerIP: controllerIp } };
  const next: Snapshot = { ...snapshot, spec };
  const fields = diffFields(snapshot.spec, spec, ["spec"]);
  if (fields.length === 0) return { changes: [], snapshots: [] };
  return {
    changes: [{ path: snapshotPath("GSLBConfig", next.name), bytes: writeSnapshot(next) }],
    snapshots: [{ kind: "GSLBConfig", action: "update", fields }],
  };
}
