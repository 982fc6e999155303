import type { ClusterName, CommitId, Uid } from "./model.ts";
import type { OfficeRecord } from "./records.ts";
import type { Designation } from "./role.ts";

/** What decides whether this cluster takes office, keeps it, waits or steps down. */
export interface OfficeFacts {
  readonly self: ClusterName;
  readonly designation: Designation;
  /** `spec.isLeader` of the local AMKOCluster. */
  readonly localLeader: boolean;
  readonly amkoClusterUid: Uid;
  /** The branch named another cluster since this one acted on it last. */
  readonly wasSucceeded: boolean;
  /** The claim that the local AMKOCluster says was given up last; null when it says nothing. */
  readonly steppedDown: string | null;
  readonly office: OfficeRecord | null;
  /** The refs under `leading/`, by cluster, as just read. */
  readonly leading: ReadonlyMap<ClusterName, CommitId>;
  /** What this process pushed for the present designation, if it did; the branch was read again after it. */
  readonly claim: Claim | null;
  /** Clusters whose confirmation nobody waits for. */
  readonly handoverWithout: ReadonlySet<ClusterName>;
  /** By the clock of `claim.atMs`. */
  readonly nowMs: number;
  /** Null waits for ever. */
  readonly handoverTimeoutMs: number | null;
}

export interface Claim {
  readonly commit: CommitId;
  readonly atMs: number;
  /** What the ref held before the first claim of this designation; not given where that is not known. */
  readonly replaced?: CommitId | null;
  /** The newest head of the branch that is known to have named this cluster, like every one since the claim. */
  readonly head?: CommitId;
}

export type OfficeStep =
  /** In office. Where somebody set the local field to false it is put back. */
  | { readonly kind: "serve"; readonly putBack: boolean }
  /** Push `leading/<self>` with a new value, then read the branch again. */
  | { readonly kind: "claim"; readonly expected: CommitId | null }
  /** Another cluster is in office. Meanwhile the local field must not say leader. */
  | {
      readonly kind: "wait";
      readonly others: readonly ClusterName[];
      readonly untilMs: number | null;
      readonly standDown: boolean;
    }
  | { readonly kind: "take-office"; readonly claim: CommitId; readonly unconfirmed: ReadonlyMap<ClusterName, CommitId> }
  /** Set the local field to false first, then forget the office, then delete `leading/<self>` (null: it is not there). */
  | { readonly kind: "step-down"; readonly release: CommitId | null }
  /** Nothing to do about the office. */
  | { readonly kind: "rest" };

/** The next step of a promotion, a term or a demotion. Total; every step can be repeated after a crash. */
export function nextOfficeStep(facts: OfficeFacts): OfficeStep {
  switch (facts.designation) {
    case "leader":
      return asLeader(facts);
    case "follower":
      return asFollower(facts);
    case "undecided":
      // Nobody can tell who leads: everything stays as it is.
      return { kind: "rest" };
    default:
      return facts.designation satisfies never;
  }
}

/**
 * In office: recorded under this AMKOCluster, with the very claim that stands in git. A claim that another process of
 * this agent is giving up at the moment is over, although its record and its ref still stand.
 */
export function isInOffice({ self, office, amkoClusterUid, steppedDown, leading }: OfficeFacts): boolean {
  if (office === null || office.amkoClusterUid !== amkoClusterUid) return false;
  return leading.get(self) === office.claim && steppedDown !== office.claim;
}

/**
 * In office without a break. The field may have been set to false on behalf of a successor, who is in office, or was
 * meanwhile: then this cluster comes into office anew. A claim that was waited for when it did so is nobody's news.
 */
export function keepsOffice(facts: OfficeFacts): boolean {
  const { self, localLeader, leading, office, wasSucceeded } = facts;
  if (!isInOffice(facts) || localLeader) return isInOffice(facts);
  const news = [...leading].filter(([cluster, claim]) => cluster !== self && !office?.unconfirmed.includes(claim));
  return news.length === 0 && !wasSucceeded;
}

function asLeader(facts: OfficeFacts): OfficeStep {
  const { self, localLeader, leading, claim, nowMs, handoverTimeoutMs } = facts;
  if (keepsOffice(facts)) return { kind: "serve", putBack: !localLeader };
  const others = new Map([...leading].filter(([cluster]) => cluster !== self));
  const standing = leading.get(self) ?? null;
  if (claim === null || standing === null || !isOurs(facts, claim, standing)) {
    return { kind: "claim", expected: standing };
  }
  const awaited = [...others.keys()].filter((cluster) => !facts.handoverWithout.has(cluster));
  const untilMs = handoverTimeoutMs === null ? null : claim.atMs + handoverTimeoutMs;
  if (awaited.length > 0 && (untilMs === null || nowMs < untilMs)) {
    return { kind: "wait", others: awaited, untilMs, standDown: localLeader };
  }
  return { kind: "take-office", claim: standing, unconfirmed: others };
}

/**
 * The claim that this process pushed, or one that another process of this cluster pushed over it since: it is as new,
 * and two that claim over each other would never be done. Never one that somebody here is giving up at the moment: its
 * ref is about to go, and then the next cluster sees nobody in office.
 */
function isOurs({ steppedDown }: OfficeFacts, { commit, replaced }: Claim, standing: CommitId): boolean {
  if (standing === steppedDown) return false;
  return standing === commit || (replaced !== undefined && standing !== replaced);
}

function asFollower({ self, localLeader, office, leading }: OfficeFacts): OfficeStep {
  const release = leading.get(self) ?? null;
  return localLeader || office !== null || release !== null ? { kind: "step-down", release } : { kind: "rest" };
}
