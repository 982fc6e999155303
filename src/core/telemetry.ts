import type { ErrorCode } from "./catalogue.ts";
import type { Progress } from "./conditions.ts";
import type { Corrections } from "./fight.ts";
import type { AmkoKind, FederatedKind, Problem } from "./model.ts";
import type { AgentTopic } from "./records.ts";

/** What an agent tells of itself, for whoever counts. Everything here is data; nothing of the agent depends on it. */
export interface Telemetry {
  /** Something happened, once. */
  happened(fact: Fact): void;
  /** A pass ended. */
  passed(report: PassReport): void;
}

export const NO_TELEMETRY: Telemetry = { happened: () => undefined, passed: () => undefined };

/** Why a pass runs. */
export const WAKES = ["start", "poll", "resync", "cluster", "retry", "hook"] as const;
export type Wake = (typeof WAKES)[number];

/** How a pass ended, in one word for people and probes. */
export const PASS_STATES = ["in-sync", "working", "held", "git-away", "failed"] as const;
export type PassState = (typeof PASS_STATES)[number];

export type Fact =
  /** The leader committed an object; `entomb` is a deletion. */
  | { readonly fact: "exported"; readonly kind: FederatedKind; readonly action: "write" | "entomb" }
  | { readonly fact: "proposed"; readonly topic: AgentTopic }
  /** An object was made here what git says. */
  | { readonly fact: "applied"; readonly kind: FederatedKind; readonly action: "write" | "delete" }
  /** A local edit was put back. */
  | { readonly fact: "corrected"; readonly kind: AmkoKind }
  | { readonly fact: "rescued"; readonly kind: FederatedKind; readonly place: "git" | "configmap" }
  | { readonly fact: "acknowledged" }
  | { readonly fact: "office"; readonly change: "taken" | "left" };

/** Where a leader's member stands; `excluded` by the branch, and else as {@link Progress} says. */
export const MEMBER_STATES = ["holds", "behind", "late", "failed", "excluded"] as const;
export type MemberState = Progress | "excluded";

/** How a cluster stands, as a pass found it and left it. Times are Unix time. */
export interface Stance {
  /** By the branch, as far as it could be judged; `unknown` before it was. */
  readonly role: "leader" | "follower" | "none" | "unknown";
  /** `isLeader` of the AMKOCluster, which AMKO obeys. */
  readonly localLeader: boolean;
  /** Null while there is no suspension. */
  readonly suspendedUntilMs: number | null;
  /** What keeps the cluster from being in sync; null when nothing does. */
  readonly problem: Problem["code"] | null;
  /** Committer date of the newest revision that the cluster was found to hold. */
  readonly heldAtSeconds: number;
  /** Committer date of the oldest revision that the cluster lacks; null when it lacks none. */
  readonly lacksSinceSeconds: number | null;
  /** None of them where this cluster does not lead. */
  readonly members: Readonly<Record<MemberState, number>>;
}

export interface PassReport {
  readonly wakes: ReadonlySet<Wake>;
  readonly durationMs: number;
  readonly state: PassState;
  /** Why it ended early; null when it reached its end. */
  readonly error: ErrorCode | null;
  /** What the pass found out; what it leaves out is as it was before. Null where it found nothing to do. */
  readonly stance: Partial<Stance> | null;
  /** Null while the AMKOCluster has not said it. */
  readonly cluster: string | null;
  /** Of the newest revision that was read. */
  readonly viewProblems: readonly Problem[];
  /** Committer date of that revision; null before the first. */
  readonly headAtSeconds: number | null;
  /** This cluster's claim stands in git. */
  readonly inOffice: boolean;
  readonly corrections: Readonly<Partial<Record<AmkoKind, Corrections>>>;
}
