/** The words of the product as types. Everything here is data; nothing here does anything. */

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** A full, lower-case, 40-digit commit id. */
export type CommitId = Branded<string, "CommitId">;
/** The id of a git tree or blob, 40 hex digits. */
export type ObjectId = Branded<string, "ObjectId">;
/** A cluster's context name as people write it (`arn:aws:eks:eu-west-1:1:cluster/a`), decoded, never empty. */
export type ClusterName = Branded<string, "ClusterName">;
/** `metadata.uid` of a Kubernetes object. */
export type Uid = Branded<string, "Uid">;
/** `metadata.resourceVersion`: opaque, only ever compared for equality and sent back. */
export type ResourceVersion = Branded<string, "ResourceVersion">;

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export const NAMESPACE = "avi-system";
/** Annotations under this prefix belong to AMKO; they are part of a snapshot. */
export const AMKO_ANNOTATION_PREFIX = "amko.vmware.com/";
/** AMKO's identity at the Avi controller. Sticky: once on the branch it stays. */
export const UUID_ANNOTATION = "amko.vmware.com/amko-uuid";
/** On a snapshot: it is a tombstone. The value says from where or why. */
export const DELETED_ANNOTATION = "amko-gitops.io/deleted";
/** On a live object: the newest revision that the cluster is known to have held for that kind. */
export const BASE_ANNOTATION = "amko-gitops.io/base";
/** On a live object: the id of the export that is under way, or was the last. */
export const EXPORT_ID_ANNOTATION = "amko-gitops.io/export-id";
/** On a live object: one paragraph that a person wants to see in the commit. */
export const CHANGE_REASON_ANNOTATION = "amko-gitops.io/change-reason";
/** On a live object of the leader: commits that the next export overrides, separated by commas. */
export const SUPERSEDES_ANNOTATION = "amko-gitops.io/supersedes";
/** On the AMKOCluster: the claim that this cluster gave up last. Writing it makes a promotion's late write fail. */
export const STEPPED_DOWN_ANNOTATION = "amko-gitops.io/stepped-down";
/** On a leader's manifest: clusters whose confirmation a promotion does not wait for, separated by commas. */
export const HANDOVER_WITHOUT_ANNOTATION = "amko-gitops.io/handover-without";
/** On the AMKOCluster: until when (RFC 3339) the agent leaves this cluster alone; counts only with a reason. */
export const SUSPENDED_UNTIL_ANNOTATION = "amko-gitops.io/suspended-until";
export const SUSPEND_REASON_ANNOTATION = "amko-gitops.io/suspend-reason";
/** On the AMKOCluster: the head of a rewritten branch that a person accepted. */
export const ACCEPT_REWRITE_ANNOTATION = "amko-gitops.io/accept-rewrite";
/** On the AMKOCluster: "fetch now". Never what to apply. */
export const REQUESTED_REVISION_ANNOTATION = "amko-gitops.io/requested-revision";

export const FEDERATED_KINDS = ["GSLBConfig", "GlobalDeploymentPolicy"] as const;
/** In the order in which they are written to a cluster. */
export type FederatedKind = (typeof FEDERATED_KINDS)[number];
export type AmkoKind = FederatedKind | "AMKOCluster";

/** How each kind is addressed: at the API server, and (federated kinds) in the repository. */
export const KINDS = {
  AMKOCluster: { apiVersion: "amko.vmware.com/v1alpha1", plural: "amkoclusters", folder: "clusters" },
  GSLBConfig: { apiVersion: "amko.vmware.com/v1alpha1", plural: "gslbconfigs", folder: "federation/gslbconfig" },
  GlobalDeploymentPolicy: {
    apiVersion: "amko.vmware.com/v1alpha2",
    plural: "globaldeploymentpolicies",
    folder: "federation/globaldeploymentpolicy",
  },
} as const satisfies Record<AmkoKind, { apiVersion: string; plural: string; folder: string }>;

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: Uid;
  readonly resourceVersion?: ResourceVersion;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
  readonly managedFields?: readonly ManagedField[];
}

export interface ManagedField {
  readonly manager?: string;
  readonly operation?: string;
  readonly time?: string;
  /** Which fields: `{"f:spec": {"f:ttl": {}}}`. */
  readonly fieldsV1?: Json;
}

/** A Kubernetes object as the API server sends it; `spec` and `status` are whatever stands there. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec?: Json;
  readonly status?: Json;
}

/** What a live object always has. */
export type LiveObject = KubernetesObject & {
  readonly metadata: ObjectMeta & { readonly uid: Uid; readonly resourceVersion: ResourceVersion };
};

/** What is federated of an object: annotations under `amko.vmware.com/`, and the spec. */
export interface Content {
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: JsonObject;
}

/** A committed GSLBConfig or GlobalDeploymentPolicy. `deleted` is the tombstone's text, null on a living one. */
export interface Snapshot extends Content {
  readonly kind: FederatedKind;
  readonly name: string;
  readonly deleted: string | null;
}

/** One entry of a revision's tree, its path relative to the federation's folder. */
export interface RevisionFile {
  readonly path: string;
  /** `file` is a regular file, executable or not. Nothing but a `file` is ever read. */
  readonly type: "file" | "symlink" | "submodule";
  readonly id: ObjectId;
  /** In bytes; known also where the content was not read. */
  readonly size: number;
  /** Null when it is no regular file or larger than {@link FILE_SIZE_MAX_BYTES}. */
  readonly bytes: Uint8Array | null;
}

export const FILE_SIZE_MAX_BYTES = 1024 * 1024;

/** A commit of the tracked branch with the files that matter: `clusters/*` `/*` and `federation/*` `/*`. */
export interface Revision {
  readonly commit: CommitId;
  /** The tree under `--path`; two revisions with the same tree say the same. Null when the folder is not there. */
  readonly tree: ObjectId | null;
  readonly parents: readonly CommitId[];
  /** Committer date, for people. Order is by ancestry, never by this. */
  readonly committedAtSeconds: number;
  readonly author: string;
  readonly message: string;
  readonly files: readonly RevisionFile[];
}

/** Replaces, adds (bytes) or removes (null) one file, its path relative to the federation's folder. */
export interface FileChange {
  readonly path: string;
  readonly bytes: Uint8Array | null;
}

export type Severity = "error" | "warning";

/** Something wrong, told to people: where, what, and what to do. */
export interface Problem {
  readonly code: string;
  readonly severity: Severity;
  /** One sentence that gives the cause. */
  readonly message: string;
  readonly remedy: string;
  /** In the repository, relative to the federation's folder; null when it is about no file. */
  readonly path: string | null;
  /** From 1; null when it is about the whole file. */
  readonly line: number | null;
}

/** Who leads, by the one rule: every readable manifest with `isLeader: true` is a claim, valid or not. */
export type Leadership =
  | { readonly kind: "leader"; readonly cluster: ClusterName }
  | { readonly kind: "invalid"; readonly cluster: ClusterName; readonly problem: Problem }
  | { readonly kind: "leaderless"; readonly problem: Problem }
  | { readonly kind: "conflict"; readonly clusters: readonly ClusterName[]; readonly problem: Problem }
  | { readonly kind: "unknown"; readonly problem: Problem };

/** A committed AMKOCluster that could be read. */
export interface Manifest {
  readonly cluster: ClusterName;
  readonly path: string;
  readonly isLeader: boolean;
  readonly version: string;
  readonly clusters: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
  /** Why it is invalid; null when it is valid. */
  readonly problem: Problem | null;
}

/** A cluster of the federation set: included while `problem` is null, otherwise excluded with that reason. */
export interface Member {
  readonly cluster: ClusterName;
  readonly problem: Problem | null;
}

/** What one revision says of one kind. `snapshot.deleted` is a string on `deleted`. */
export type KindState =
  | { readonly kind: "present"; readonly snapshot: Snapshot; readonly path: string }
  | { readonly kind: "deleted"; readonly snapshot: Snapshot; readonly path: string }
  | { readonly kind: "absent" }
  | { readonly kind: "unusable"; readonly problems: readonly Problem[] };

/** What clusters hold of each kind: what a revision says, or the newest content before it that can be used. */
export type UsableKinds = Readonly<Record<FederatedKind, KindState>>;

/** What one revision says: a pure function of its files. */
export interface FederationView {
  readonly leadership: Leadership;
  /** Every manifest that could be read, by cluster; where a cluster has two, the first by path, invalid. */
  readonly manifests: ReadonlyMap<ClusterName, Manifest>;
  /** The federation set: the leader's `spec.clusters` without the leader. Empty unless somebody leads. */
  readonly members: ReadonlyMap<ClusterName, Member>;
  readonly kinds: Readonly<Record<FederatedKind, KindState>>;
  /** Everything that is wrong, errors and warnings, in order of path and line. */
  readonly problems: readonly Problem[];
}
