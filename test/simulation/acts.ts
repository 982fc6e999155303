import type { AgentSettings } from "../../src/agent/context.ts";
import type { AmkoKind } from "../../src/core/model.ts";
import type { Wake } from "../../src/core/telemetry.ts";

/** What somebody writes into one field. */
export interface Change {
  /** Of {@link FIELDS}, counted round. */
  readonly field: number;
  /** A value that nobody wrote before, none, or one that it had in an older revision. */
  readonly value: "fresh" | "gone" | "older";
}

export type MergeWay = "push" | "merge" | "squash";
export type ManifestDamage = "unreadable" | "invalid" | "missing" | "of another cluster";
export type Backup = "everything" | AmkoKind | "ConfigMap";

/** What people, Helm, the operator of a cluster and time do. Clusters are numbers, counted round. */
export type Act =
  | { readonly do: "edit"; readonly at: number; readonly change: Change }
  | { readonly do: "delete"; readonly at: number; readonly kind: number }
  | { readonly do: "create"; readonly at: number; readonly kind: number; readonly otherName: boolean }
  | { readonly do: "git edit"; readonly change: Change }
  | { readonly do: "git tombstone" | "git remove" | "git rename" | "git break"; readonly kind: number }
  /** Somebody replaces the GSLBConfig by one without AMKO's UUID, in a cluster or (null) in git. */
  | { readonly do: "lose uuid"; readonly at: number | null }
  | { readonly do: "git roll back"; readonly kind: number; readonly by: number }
  /** The branch is forced back, to where it was or to a new commit beside what was there. */
  | { readonly do: "git rewind" | "git rewrite"; readonly by: number }
  | { readonly do: "accept rewrite"; readonly at: number }
  | { readonly do: "git manifest"; readonly at: number; readonly how: ManifestDamage }
  | { readonly do: "protect"; readonly protect: boolean }
  | { readonly do: "flip"; readonly to: number; readonly way: MergeWay; readonly edit: Change | null }
  | { readonly do: "flip without handover"; readonly to: number }
  | { readonly do: "second claim"; readonly at: number }
  | { readonly do: "nobody leads" }
  | { readonly do: "exclude"; readonly at: number; readonly how: "version" | "list" }
  | { readonly do: "touch isLeader"; readonly at: number; readonly value: boolean }
  | { readonly do: "helm upgrade"; readonly at: number; readonly newVersion: boolean }
  | { readonly do: "suspend"; readonly at: number; readonly forMs: number }
  | { readonly do: "time"; readonly ms: number }
  | { readonly do: "restore"; readonly at: number; readonly what: Backup; readonly back: number }
  | { readonly do: "reinstall"; readonly at: number }
  | { readonly do: "rebuild"; readonly at: number; readonly accepted: boolean; readonly leads?: boolean }
  | { readonly do: "delete ref"; readonly at: number; readonly purpose: "applied" | "leading" | "identity" | "failed" }
  | { readonly do: "merge proposal"; readonly at: number; readonly way: MergeWay; readonly topic: "config" | "any" }
  | { readonly do: "close proposal"; readonly at: number }
  | { readonly do: "git away" | "api away" | "push away"; readonly at: number; readonly away: boolean }
  /** With its CRD go all objects of a kind; while it is away nobody can list them. */
  | { readonly do: "crd"; readonly at: number; readonly kind: number; readonly there: boolean }
  | { readonly do: "uninstall"; readonly at: number }
  /** AMKO's own federator beside AMKO. */
  | { readonly do: "federator"; readonly at: number; readonly there: boolean }
  /** The members' kubeconfig lacks a cluster; null takes it away. */
  | { readonly do: "credentials"; readonly without: number | null }
  | { readonly do: "refuse"; readonly at: number; readonly kind: number; readonly refuse: boolean };

/** What happens to one request of a pass, or while it is under way. */
export interface Incident {
  readonly on: "request" | "write";
  /** From 0: which request of the pass, or which of those that change something. */
  readonly nth: number;
  /** Before it takes effect, or after, when its answer is not seen yet. */
  readonly moment: "before" | "after";
  readonly what: Trouble;
}

export type Trouble =
  /** The process dies. */
  | { readonly do: "crash" }
  /** The connection is cut, the server refuses, or it says that somebody was faster. */
  | { readonly do: "fail"; readonly how: "cut" | "refused" | "conflict" }
  /** It is cut off, and lands after so many steps all the same. */
  | { readonly do: "late"; readonly steps: number }
  | { readonly do: "act"; readonly act: Act }
  | { readonly do: "pass"; readonly pass: Pass };

/** One pass of a cluster's agent. There are two processes of each, as during a rolling update. */
export interface Pass {
  readonly do: "pass";
  readonly at: number;
  readonly process: 0 | 1;
  readonly wake: Wake;
  readonly incidents: readonly Incident[];
}

export type Step = Act | Pass;

export interface History {
  readonly clusters: 2 | 3 | 4;
  readonly publish: "direct" | "propose";
  /** Milliseconds; null waits for ever. */
  readonly handoverTimeoutMs: number | null;
  /** Where they are not the usual ones. */
  readonly settings?: Partial<
    Pick<AgentSettings, "localDesignation" | "historyRewrite" | "drift" | "batchWindowMs" | "ackIntervalMs">
  >;
  /** Leaders have credentials for the other clusters. */
  readonly members?: boolean;
  readonly steps: readonly Step[];
}
