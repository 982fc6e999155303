import type { Corrections } from "../core/fight.ts";
import type { Claim } from "../core/handover.ts";
import type { Identity } from "../core/identity.ts";
import type { MemberFindings } from "../core/members.ts";
import type {
  AmkoKind,
  ClusterName,
  CommitId,
  FederatedKind,
  FederationView,
  JsonObject,
  LiveObject,
  Problem,
  Revision,
  Uid,
} from "../core/model.ts";
import type { Records } from "../core/records.ts";
import type { Schemas } from "../core/resource-definition.ts";
import type { PassState, Stance, Telemetry } from "../core/telemetry.ts";
import type { ViewCache } from "../core/view.ts";
import type { FederationError } from "../errors.ts";
import type {
  Chance,
  Clock,
  Cluster,
  ConfigMapState,
  Log,
  NamespaceState,
  RefListing,
  Repository,
  WorkloadState,
} from "../ports.ts";
import type { ApplyFailure } from "./apply.ts";
import type { MemberChecks } from "./member-checks.ts";

/** What the agent is told at its start. */
export interface AgentSettings {
  /** Null takes the local AMKOCluster's `clusterContext`. */
  readonly cluster: ClusterName | null;
  readonly branch: string;
  /** The federation's folder; empty is the root. */
  readonly path: string;
  readonly publish: "direct" | "propose";
  readonly historyRewrite: "halt" | "follow";
  readonly drift: "correct" | "report";
  readonly localDesignation: "propose" | "commit";
  readonly batchWindowMs: number;
  readonly ackIntervalMs: number;
  readonly deleteGraceMs: number;
  /** Null waits for ever. */
  readonly handoverTimeoutMs: number | null;
  readonly staleAfterMs: number;
  /** Null takes `amko-gitops <amko-gitops@CLUSTER>`. */
  readonly author: { readonly name: string; readonly email: string } | null;
}

/** Everything a pass may touch, handed in. */
export interface Context {
  readonly settings: AgentSettings;
  readonly repository: Repository;
  readonly cluster: Cluster;
  /** The other clusters, as far as there are credentials for them. */
  readonly members: MemberChecks;
  readonly schemas: Schemas;
  /** Files that were parsed already, by their blob ids: a revision costs what changed in it. */
  readonly viewCache: ViewCache;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
  /** Counts; nothing depends on it. */
  readonly telemetry: Telemetry;
  /** Ends the pass: whatever waits takes it. */
  readonly signal: AbortSignal;
  /** Keeps what people should see as an Event; told at the end of the pass, so that nothing waits for it. */
  note(note: Note): void;
}

/** An Event on the AMKOCluster: what happened, and what to do. */
export interface Note {
  readonly type: "Normal" | "Warning";
  /** CamelCase, for machines. */
  readonly reason: string;
  readonly message: string;
}

/** What the repository said in this pass. */
export interface Branch {
  readonly listing: RefListing;
  readonly head: CommitId;
  readonly revision: Revision;
  readonly view: FederationView;
}

/** What the cluster held in this pass, brought up to date with each write of the pass. */
export interface Local {
  readonly self: ClusterName;
  readonly amkoCluster: LiveObject;
  readonly objects: Readonly<Record<FederatedKind, readonly LiveObject[]>>;
  /** Why the objects are not known; then they stand as empty and nothing may be made of that. Null when they are. */
  readonly unread: FederationError | null;
  /** Those whose CRD is not there. */
  readonly undefinedKinds: readonly FederatedKind[];
  readonly namespace: NamespaceState;
  readonly configMap: ConfigMapState | null;
  readonly records: Records;
  /** AMKO's own StatefulSet, null where there is none; the error where it could not be read, which only leaders mind. */
  readonly workload: WorkloadState | FederationError | null;
}

/**
 * What one pass leaves to the next. Only a cache and a few clocks: all of it may be lost at any instant, and is when
 * the process dies.
 */
export interface Memory {
  /** The cluster's name as it was last known; null before its AMKOCluster was seen. */
  readonly self: ClusterName | null;
  readonly branch: Pick<Branch, "revision" | "view"> | null;
  /** Refs below the prefix as last listed, moved along with our own pushes; null before the first listing. */
  readonly refs: ReadonlyMap<string, CommitId> | null;
  /** When all of them were listed last. */
  readonly refsAtMs: number | null;
  /** The head, and the refs that matter, with which the last pass had nothing left to do. */
  readonly settled: {
    readonly head: CommitId;
    readonly refs: ReadonlyMap<string, CommitId>;
    /** When to look again although nothing changes: an acknowledgement or a grace that is due then. */
    readonly againAtMs: number | null;
    readonly state: "in-sync" | "held";
  } | null;
  /** Since when complete lists have not shown the object, per kind, under which AMKOCluster. */
  readonly missing: Readonly<
    Partial<Record<FederatedKind, { readonly sinceMs: number; readonly amkoClusterUid: Uid }>>
  >;
  /** Since when a change has been waiting for `--batch-window`; null while none is. */
  readonly batchSinceMs: number | null;
  /** What was pushed to `leading/<self>` for the present designation. */
  readonly claim: Claim | null;
  /** A claim that git did not let us give up; tried again with what is unreported. */
  readonly unreleased: CommitId | null;
  readonly acknowledged: { readonly commit: CommitId; readonly atMs: number } | null;
  /** When the server refused a ref of ours, by what it is; each is tried again after a while and at a resync. */
  readonly refusedAtMs: Readonly<Partial<Record<RefusedRef, number>>>;
  /** They were tried again since the last resync, in vain or not: the next time is the next resync. */
  readonly refusedAgain: boolean;
  readonly identity: { readonly commit: CommitId; readonly known: Identity } | null;
  /** The API server's verdicts on "equal", by kind: valid for one state of the object and one content of git. */
  readonly equality: Readonly<Partial<Record<FederatedKind, { readonly key: string; readonly equal: boolean }>>>;
  /** Members that do not hold the newest content, and since when they are where they are: polls look at their refs. */
  readonly behind: ReadonlyMap<ClusterName, { readonly applied: CommitId | null; readonly sinceMs: number }>;
  /** How often each object was put back lately. */
  readonly corrections: Readonly<Partial<Record<AmkoKind, Corrections>>>;
  /** What a leader found out about its members; null where it does not lead or has no credentials. */
  readonly findings: MemberFindings | null;
  /** What the AMKOCluster was last brought to: what differs from that is news of the manifest, and no edit here. */
  readonly aligned: JsonObject | null;
  /** Found in this pass: somebody keeps writing the AMKOCluster, and its next correction waits. */
  readonly contested: boolean;
  /** The newest revision that this process found its cluster to hold. */
  readonly held: CommitId | null;
  /** Since when the cluster lacks something, and what it held last; null while it lacks nothing. */
  readonly lag: { readonly after: CommitId | null; readonly sinceSeconds: number } | null;
  /** Events of passes that went straight on to the next one. */
  readonly notes: readonly Note[];
  /** The last problem that was told, so that it is told once. */
  readonly told: string | null;
}

/** One that is refused keeps no other one from being pushed. */
export type RefusedRef = "applied" | "identity" | "leading" | "propose" | "withdraw";

export const NO_MEMORY: Memory = {
  self: null,
  branch: null,
  refs: null,
  refsAtMs: null,
  settled: null,
  missing: {},
  batchSinceMs: null,
  claim: null,
  unreleased: null,
  acknowledged: null,
  refusedAtMs: {},
  refusedAgain: false,
  identity: null,
  equality: {},
  behind: new Map(),
  corrections: {},
  aligned: null,
  contested: false,
  findings: null,
  held: null,
  lag: null,
  notes: [],
  told: null,
};

/** What a pass is given; without members there is nobody to ask, without telemetry nobody counts. */
export type PassParts = Omit<Context, "note" | "signal" | Optional> & Partial<Pick<Context, Optional>>;
type Optional = "members" | "telemetry";

/** How a pass ended. */
export interface Result {
  readonly memory: Memory;
  /** Null: nothing to do until something changes. Otherwise the latest time at which to look again, in milliseconds. */
  readonly againAfterMs: number | null;
  /** What went wrong; null when the pass reached its end. */
  readonly error: FederationError | null;
  readonly state: PassState;
  /** What the pass found out about its cluster, as far as it came. Null where it found nothing to do. */
  readonly stance: Partial<Stance> | null;
}

/** What a role made of the pass. */
export interface Acted {
  readonly local: Local;
  readonly memory: Memory;
  /** The cluster holds the revision, as far as it can be used: it may be acknowledged. */
  readonly holds: boolean;
  /** What people should know; null when all is well. */
  readonly problem: Problem | null;
  /** What could not be applied, by kind. */
  readonly failures: readonly ApplyFailure[];
  /** What people should do beside that, or although all is well. */
  readonly advice: readonly Problem[];
  readonly exportProblems: Readonly<Record<FederatedKind, Problem | null>>;
  /** Kinds whose change waits for people to merge it. */
  readonly pendingKinds: readonly FederatedKind[];
  /** Null when nothing is pending. */
  readonly againAfterMs: number | null;
}
