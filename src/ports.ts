/** What the inside needs of the world, in its own words. Adapters implement these; tests implement them again. */
import type {
  AmkoKind,
  ClusterName,
  CommitId,
  FileChange,
  Json,
  KubernetesObject,
  LiveObject,
  Problem,
  ResourceVersion,
  Revision,
  RevisionFile,
  Uid,
} from "./core/model.ts";
import type { Right } from "./core/rights.ts";

/** One reading of the remote's refs. */
export interface RefListing {
  /** The tracked branch's newest revision; null while the branch does not exist. */
  readonly head: CommitId | null;
  /**
   * Refs below the prefix, by the rest of their name (`applied/cluster1`), or null when `scope` was `branch`.
   * Other branches are never listed here.
   */
  readonly refs: ReadonlyMap<string, CommitId> | null;
}

/** What may be asked of a branch's past. */
export interface HistoryRange {
  readonly from: CommitId;
  /** Excluded, with everything that it is made of; null reads back to the first commit. */
  readonly until: CommitId | null;
}

/** Reads the federation repository. Every method throws FederationError AG2001, 2002, 2006, 2008, 2009, 2010 when the remote fails. */
export interface RepositoryReader {
  /** Asks the remote where its refs are. `branch` lists the tracked branch alone, `all` the refs below the prefix too. */
  list(scope: "branch" | "all", signal: AbortSignal): Promise<RefListing>;
  /** Reads one revision, fetching it from the remote where it is not here yet. Costs no request where it is. */
  read(commit: CommitId, signal: AbortSignal): Promise<Revision>;
  /**
   * Says how `ancestor` lies to `descendant`: `same`, `ancestor` (it is in the other's past), or `unrelated` (it is
   * not, with the whole history at hand). Deepens the local clone as far as the answer needs. A commit that the remote
   * no longer has is `unrelated`.
   */
  relation(ancestor: CommitId, descendant: CommitId, signal: AbortSignal): Promise<"same" | "ancestor" | "unrelated">;
  /**
   * The revisions of a range, newest first, each before its parents; stops after `limit`. Files are read as
   * {@link read} reads them. Deepens as it goes.
   * @throws FederationError AG2012 when `until` is not in the past of `from`.
   */
  history(range: HistoryRange, limit: number, signal: AbortSignal): AsyncIterable<Revision>;
  /** The regular files of any commit's root tree, for the small orphan commits that refs under the prefix point to. */
  readFiles(commit: CommitId, signal: AbortSignal): Promise<readonly RevisionFile[]>;
}

export interface CommitAuthor {
  readonly name: string;
  readonly email: string;
  /** Unix time. */
  readonly atSeconds: number;
}

/** Writes to the federation repository. Beside the reader's errors: AG2004 when the server refuses, AG2013 when it may only be read. */
export interface RepositoryWriter {
  /**
   * Commits `changes` on top of `parent` and moves the tracked branch there, or changes nothing at the remote.
   * Compare-and-swap: it succeeds only while the branch is still exactly at `parent`, and never forces.
   * A lost answer is settled by asking for the head: if the commit is there, this succeeds.
   * @throws FederationError AG2003 when the branch moved; the caller evaluates the new head and decides afresh.
   */
  publish(commit: PublishRequest, signal: AbortSignal): Promise<CommitId>;
  /**
   * Makes the tracked branch, with a first commit that holds `changes` and nothing else, only while there is no such
   * branch. A lost answer is settled as in {@link publish}.
   * @throws FederationError AG2003 when the branch exists.
   */
  start(commit: Omit<PublishRequest, "parent">, signal: AbortSignal): Promise<CommitId>;
  /**
   * Moves a ref below the prefix, only while it is at `expected` (null: does not exist), then returns.
   * Succeeds without a push when it already is at `target`.
   * @throws FederationError AG2011 when it is elsewhere.
   */
  moveRef(move: RefMove, signal: AbortSignal): Promise<void>;
  /**
   * Commits `changes` on top of `parent`, a revision of the tracked branch, and points a ref below the prefix to the
   * commit, as {@link moveRef} does. The tracked branch stays where it is.
   * @throws FederationError AG2011 when the ref is elsewhere.
   */
  propose(proposal: Proposal, signal: AbortSignal): Promise<CommitId>;
  /** Makes a commit without parents that holds `files`, and points the ref below the prefix to it, as {@link moveRef} does. */
  writeOrphan(orphan: OrphanCommit, signal: AbortSignal): Promise<CommitId>;
}

export interface PublishRequest {
  readonly parent: CommitId;
  readonly changes: readonly FileChange[];
  readonly message: string;
  readonly author: CommitAuthor;
}

export interface Proposal extends PublishRequest {
  /** Without `refs/heads/<prefix>/`. */
  readonly ref: string;
  readonly expected: CommitId | null;
}

export interface RefMove {
  /** Without `refs/heads/<prefix>/`. */
  readonly ref: string;
  readonly expected: CommitId | null;
  /** Null deletes the ref. */
  readonly target: CommitId | null;
}

export interface OrphanCommit {
  readonly ref: string;
  readonly expected: CommitId | null;
  readonly files: readonly { readonly path: string; readonly bytes: Uint8Array }[];
  readonly message: string;
  readonly author: CommitAuthor;
}

export interface Repository extends RepositoryReader, RepositoryWriter {
  /** The address people know, without credentials. */
  readonly url: string;
}

/** A complete list: every object of the kind in avi-system at one instant. */
export type ObjectList = readonly LiveObject[];

export interface NamespaceState {
  readonly uid: Uid;
  readonly terminating: boolean;
}

export interface ConfigMapState {
  readonly uid: Uid;
  readonly resourceVersion: ResourceVersion;
  readonly data: Readonly<Record<string, string>>;
}

/** AMKO's own StatefulSet, as far as the agent looks. */
export interface WorkloadState {
  /** The names of the containers in its pod template. */
  readonly containers: readonly string[];
  /**
   * Names the pod template: another one after every upgrade and every `kubectl rollout restart`. Null before the
   * StatefulSet's controller has seen it.
   */
  readonly revision: string | null;
  /** Every pod runs this revision. */
  readonly rolledOut: boolean;
}

export interface JsonPatchOperation {
  readonly op: "add" | "remove" | "replace" | "test";
  readonly path: string;
  readonly value?: unknown;
}

export interface ObjectReference {
  readonly kind: AmkoKind;
  readonly name: string;
}

/** An object as it was read. */
export type ReadVersion = ObjectReference & { readonly resourceVersion: ResourceVersion };

export interface ClusterEvent {
  readonly type: "Normal" | "Warning";
  /** CamelCase, for machines. */
  readonly reason: string;
  /** For people: what happened and what to do; at most 1,024 characters are sent. */
  readonly message: string;
  /** The object that `kubectl describe` shows it on. */
  readonly regarding: LiveObject;
}

/**
 * One cluster's API server, confined to the namespace avi-system. Every request has a time limit.
 * Every method throws FederationError AG3001, 3002, 3003, 3006, 3009 or 3014 when the server fails; writes also
 * AG3004 (conflict), AG3007 (refused) and AG3010 (gone).
 */
export interface Cluster {
  /** @throws FederationError AG3005 when the kind's CRD is not installed. */
  list(kind: AmkoKind, signal: AbortSignal): Promise<ObjectList>;
  /** @throws FederationError AG3016 when it exists. */
  create(object: KubernetesObject, options: WriteOptions, signal: AbortSignal): Promise<LiveObject>;
  /** Sends a JSON patch that also tests `resourceVersion`, so that nobody's newer write is lost. */
  patch(
    target: ReadVersion,
    patch: readonly JsonPatchOperation[],
    options: WriteOptions,
    signal: AbortSignal,
  ): Promise<LiveObject>;
  /** As {@link patch}, on the status subresource (AMKOCluster only). */
  patchStatus(target: ReadVersion, patch: readonly JsonPatchOperation[], signal: AbortSignal): Promise<LiveObject>;
  /** Deletes exactly the object that was read: uid and resourceVersion are preconditions. Gone already is success. */
  remove(target: ReadVersion & { readonly uid: Uid }, options: WriteOptions, signal: AbortSignal): Promise<void>;
  /** Null when avi-system does not exist. */
  readNamespace(signal: AbortSignal): Promise<NamespaceState | null>;
  /** The ConfigMap `amko-gitops`; null when it does not exist. */
  readConfigMap(signal: AbortSignal): Promise<ConfigMapState | null>;
  /** Creates it (`expected` null) or replaces its data while it is still at `expected`. */
  writeConfigMap(
    data: Readonly<Record<string, string>>,
    expected: ResourceVersion | null,
    signal: AbortSignal,
  ): Promise<ConfigMapState>;
  /** StatefulSet `amko`; null when it does not exist. Asks for it by name and for nothing else. */
  readWorkload(signal: AbortSignal): Promise<WorkloadState | null>;
  /**
   * The members' kubeconfig as AMKO has it: key `gslb-members` of Secret `gslb-config-secret`, decoded. Null when there
   * is no such Secret or key. Asks for the Secret by name and for nothing else; its text is in no error.
   */
  readMembersKubeconfig(signal: AbortSignal): Promise<string | null>;
  recordEvent(event: ClusterEvent, signal: AbortSignal): Promise<void>;
  /**
   * Watches the three kinds until `signal` aborts, surviving every failure; `changed` is called after each event and
   * after each relist that may have missed one. It never throws. What changed must be read afresh.
   */
  watch(changed: (kind: AmkoKind) => void, signal: AbortSignal): WatchHandle;
}

/** What only a preflight asks of an API server. Throws as {@link Cluster} does. */
export interface ClusterInspector {
  /** The server's version (`v1.30.0`), and what its clock said, in Unix milliseconds; null where it did not say. */
  readServer(signal: AbortSignal): Promise<{ readonly version: string; readonly clockMs: number | null }>;
  /** The OpenAPI schema that the server publishes for a kind in the version that the agent speaks; null for none. */
  readSchema(kind: AmkoKind, signal: AbortSignal): Promise<Json | null>;
  /** Whether whoever asks has the right, in avi-system. */
  may(right: Right, signal: AbortSignal): Promise<boolean>;
  /** As {@link Members.contexts}, of the Secret. */
  memberContexts(signal: AbortSignal): Promise<ReadonlyMap<string, Problem | null> | null>;
}

export interface WriteOptions {
  /** Returns what would be kept, defaults and pruning included, and keeps nothing; a creation's resourceVersion is then empty. */
  readonly dryRun: boolean;
}

export interface WatchHandle {
  /** Milliseconds since the oldest of the three watches last showed a sign of life. */
  silenceMs(): number;
  /** Since the slowest of them last did anything, be it in vain. It grows where one hangs, not where the server is away. */
  stalledMs(): number;
  /** Settles when every watch has ended after the abort. */
  readonly stopped: Promise<void>;
}

/**
 * The other clusters of the federation, reached through the members' kubeconfig where there is one. Each request has a
 * short time limit of its own. Best effort by nature: nothing that matters may depend on an answer. Beside what is
 * said below every method throws as {@link Cluster} does, and AG4007 for a context that cannot be used.
 */
export interface Members {
  /**
   * The kubeconfig's contexts, each with why it may not be used (null: it may); null when there is no kubeconfig.
   * Reads the source again each time.
   * @throws FederationError AG4007 when it is no kubeconfig, or as {@link Cluster} when the Secret cannot be read.
   */
  contexts(signal: AbortSignal): Promise<ReadonlyMap<string, Problem | null> | null>;
  readAmkoClusters(cluster: ClusterName, signal: AbortSignal): Promise<ObjectList>;
  /** Sets `isLeader: false` in every AMKOCluster there that says otherwise and carries the cluster's name. */
  standDown(cluster: ClusterName, signal: AbortSignal): Promise<void>;
  /**
   * Annotates the AMKOCluster there with the revision, which makes its agent fetch. Returns the object; null when there
   * is none, or more than one. Needs one request where the object's name is known from before.
   */
  requestRevision(cluster: ClusterName, revision: string, signal: AbortSignal): Promise<LiveObject | null>;
}

/** Time and chance, handed in. */
export interface Clock {
  /** Unix time in milliseconds: what people read and write. Somebody may set it, forwards or back. */
  nowMs(): number;
  /** Milliseconds since some moment of this process, for whatever has to last or to wait: nobody sets them. */
  elapsedMs(): number;
  /** Resolves after the time, or at once when `signal` aborts. */
  sleep(durationMs: number, signal: AbortSignal): Promise<void>;
}

export interface Chance {
  /** From 0 up to, not including, 1. */
  fraction(): number;
  /** 32 hex digits that nobody can guess. */
  token(): string;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

/** One line per thing that happened: a static message, and what varies as fields. Nothing secret is ever a field. */
export type Log = (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void;
