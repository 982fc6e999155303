import { keepsOffice, nextOfficeStep, type OfficeFacts } from "../core/handover.ts";
import {
  type ClusterName,
  type CommitId,
  FEDERATED_KINDS,
  type FederatedKind,
  STEPPED_DOWN_ANNOTATION,
} from "../core/model.ts";
import { annotationPatch, specPatch } from "../core/patch.ts";
import type { Records } from "../core/records.ts";
import { clusterRef, refsByCluster } from "../core/refs.ts";
import type { Designation } from "../core/role.ts";
import { asFederationError, FederationError, hasCode } from "../errors.ts";
import { correct, isLocalLeader, setLeader, writeAmkoCluster } from "./amko-cluster.ts";
import { authorOf } from "./author.ts";
import type { Branch, Context, Local, Memory } from "./context.ts";
import { handoverWithout } from "./handover-without.ts";
import { withRef } from "./observe.ts";
import { writeRecords } from "./record.ts";
import { noteRefusal } from "./refusals.ts";
import { keepClaim, ledAllAlong } from "./standing-claim.ts";

export interface OfficeResult {
  readonly local: Local;
  readonly memory: Memory;
  /**
   * `serving`: in office, may export. `claimed`: the branch has to be read again first. `waiting`: others are still in
   * office. `out`: not in office.
   */
  readonly state: "serving" | "claimed" | "waiting" | "out";
  readonly others: readonly ClusterName[];
  readonly againAfterMs: number | null;
}

/** How the cluster stands before the step. */
export interface Candidate extends Tenure {
  readonly local: Local;
  /** Kinds of the revision that could not be applied here, when it came into office or comes into it now. */
  readonly unapplied: readonly FederatedKind[];
}

/** What became of the office while this cluster did not look. */
export interface Tenure {
  readonly memory: Memory;
  /** The branch named another cluster since this one acted on it last. */
  readonly wasSucceeded: boolean;
}

/** Takes the one next step of a promotion, a term or a demotion. */
export async function stepOffice(
  context: Context,
  branch: Branch,
  { local, memory: remembered, wasSucceeded, unapplied }: Candidate,
  designation: Designation,
): Promise<OfficeResult> {
  const renamed = await releaseFormerName(context, local, remembered);
  const memory = await keepClaim(context, branch, local, renamed, designation);
  const without = await handoverWithout(context, branch, local, designation);
  const step = nextOfficeStep(gatherFacts(context, local, { memory, wasSucceeded }, designation, without));
  // An office is given up whatever the cluster holds; nobody comes into one without having applied.
  if (local.unread !== null && (step.kind === "claim" || step.kind === "take-office")) throw local.unread;
  const result = (state: OfficeResult["state"], next: Partial<OfficeResult> = {}): OfficeResult => ({
    local,
    memory,
    state,
    others: [],
    againAfterMs: null,
    ...next,
  });
  switch (step.kind) {
    case "serve":
      return result("serving", step.putBack ? await correct(context, local, memory, { isLeader: true }) : {});
    case "claim":
      return result("claimed", {
        memory: await claim(context, branch, local, memory, step.expected),
        againAfterMs: 0,
      });
    case "wait": {
      const againAfterMs = step.untilMs === null ? null : Math.max(0, step.untilMs - context.clock.elapsedMs());
      const stood = step.standDown ? await setLeader(context, local, false) : local;
      return result("waiting", { local: stood, others: step.others, againAfterMs });
    }
    case "take-office": {
      // Whoever did not answer through git may answer directly; its AMKO should stop before the one here starts.
      const others = [...step.unconfirmed.keys()];
      await context.members.standDown(others, context.signal);
      const unconfirmed = [...step.unconfirmed.values()];
      const office = { amkoClusterUid: local.amkoCluster.metadata.uid, claim: step.claim, unconfirmed, unapplied };
      const bases = basesForOffice(local, isSitting(context, local, { memory, wasSucceeded }));
      const recorded = await writeRecords(context, local, { ...local.records, bases, office });
      const taken = await setLeader(context, recorded, true);
      context.telemetry.happened({ fact: "office", change: "taken" });
      context.log("info", "took office", { cluster: local.self, revision: branch.head, unconfirmed: others });
      context.note({
        type: "Normal",
        reason: "TookOffice",
        message: "This cluster leads by the branch: isLeader is true here now.",
      });
      return result("serving", { local: taken, memory: { ...memory, claim: null }, others });
    }
    case "step-down":
      return result("out", await stepDown(context, local, memory, step.release));
    case "rest":
      return result("out", { memory: { ...memory, claim: null } });
    default:
      return step satisfies never;
  }
}

/** A cluster that was renamed in office has its own claim under its former name: nobody waits for that one. */
async function releaseFormerName(
  context: Context,
  { self, amkoCluster, records: { office } }: Local,
  memory: Memory,
): Promise<Memory> {
  if (office === null || office.amkoClusterUid !== amkoCluster.metadata.uid) return memory;
  const leading = refsByCluster(memory.refs ?? new Map(), "leading");
  const [former] = [...leading].find(([name, claim]) => name !== self && claim === office.claim) ?? [];
  return former === undefined ? memory : releaseClaim(context, former, memory, office.claim);
}

/**
 * A poll of a settled cluster looks at the branch alone, which may have moved to another leader and back. Before a field
 * that says false is put right, it has to be known whether it was set on behalf of a successor: of one who is in office,
 * or of one who was, and has confirmed since that this cluster leads again.
 */
export async function lookForSuccessor(
  context: Context,
  { listing, head }: Branch,
  { self, amkoCluster, records }: Local,
  memory: Memory,
  designation: Designation,
): Promise<Tenure> {
  if (designation !== "leader" || isLocalLeader(amkoCluster.spec)) return { memory, wasSucceeded: false };
  const looked = listing.refs === null ? await context.repository.list("all", context.signal) : memory;
  const before = records.office === null || records.head === head ? null : records.head;
  const wasSucceeded = before !== null && !(await ledAllAlong(context, self, head, before));
  return { memory: { ...memory, refs: looked.refs }, wasSucceeded };
}

/**
 * In office under this AMKOCluster, or leading when its agent starts for the first time: then the cluster's own objects
 * are the leader's. A cluster that was a follower before, or was stood down, applies first.
 */
export function isSitting(context: Context, local: Local, tenure: Tenure): boolean {
  const { amkoCluster, records } = local;
  const { uid } = amkoCluster.metadata;
  const leads = isLocalLeader(amkoCluster.spec);
  if (records.office !== null && records.office.amkoClusterUid !== uid) return false;
  if (records.office !== null) return leads || keepsOffice(gatherFacts(context, local, tenure, "leader", new Set()));
  const followed = FEDERATED_KINDS.some((kind) => records.bases[kind]?.amkoClusterUid === uid);
  return leads && !followed;
}

function gatherFacts(
  { settings, clock }: Context,
  { self, amkoCluster, records }: Local,
  { memory, wasSucceeded }: Tenure,
  designation: Designation,
  without: ReadonlySet<ClusterName>,
): OfficeFacts {
  return {
    self,
    designation,
    localLeader: isLocalLeader(amkoCluster.spec),
    wasSucceeded,
    amkoClusterUid: amkoCluster.metadata.uid,
    steppedDown: amkoCluster.metadata.annotations?.[STEPPED_DOWN_ANNOTATION] ?? null,
    office: records.office,
    leading: standingClaims(memory),
    claim: memory.claim,
    handoverWithout: without,
    nowMs: clock.elapsedMs(),
    handoverTimeoutMs: settings.handoverTimeoutMs,
  };
}

/**
 * Promotion applies first, so what is still missing here could not be applied, or was deleted before the office: no
 * deletion of this term. Without a base the object comes back.
 */
function basesForOffice({ objects, records }: Local, sitting: boolean): Records["bases"] {
  if (sitting && records.office !== null) return records.bases;
  const baseOf = (kind: FederatedKind): Records["bases"][FederatedKind] =>
    objects[kind].length === 0 ? null : records.bases[kind];
  return { GSLBConfig: baseOf("GSLBConfig"), GlobalDeploymentPolicy: baseOf("GlobalDeploymentPolicy") };
}

/** Without the own one that git does not let us take back: it was tried, and is tried again at the next resync. */
function standingClaims({ refs, unreleased }: Memory): ReadonlyMap<ClusterName, CommitId> {
  const leading = refsByCluster(refs ?? new Map(), "leading");
  return new Map([...leading].filter(([, claim]) => claim !== unreleased));
}

/** Pushes a value that nobody ever had, so that a restored record cannot be mistaken for this claim. */
async function claim(
  context: Context,
  { head }: Branch,
  local: Local,
  memory: Memory,
  expected: CommitId | null,
): Promise<Memory> {
  const { repository, clock, chance, log } = context;
  const ref = clusterRef("leading", local.self);
  const replaced = memory.claim?.replaced === undefined ? expected : memory.claim.replaced;
  const text = `cluster: ${JSON.stringify(local.self)}\nat: ${JSON.stringify(clock.nowMs())}\nvalue: ${JSON.stringify(chance.token())}\n`;
  const commit = await repository.writeOrphan(
    {
      ref,
      expected,
      files: [{ path: "claim.yaml", bytes: new TextEncoder().encode(text) }],
      message: `leading: cluster ${local.self} claims office\n`,
      author: authorOf(context, local.self),
    },
    context.signal,
  );
  log("info", "claimed office", { cluster: local.self, claim: commit });
  // Another process of this cluster may claim too; the wait for others counts from the first claim all the same. It
  // counts from when the claim stood, however long its push took: before, nobody could know of it.
  const atMs = memory.claim?.atMs ?? clock.elapsedMs();
  return { ...memory, refs: withRef(memory.refs ?? new Map(), ref, commit), claim: { commit, atMs, replaced, head } };
}

/**
 * The local field first, so that AMKO stops; then the record; then the ref, which tells the successor, whatever became
 * of the record. The object is written in any case: a late write of a promotion must find it changed.
 */
async function stepDown(
  context: Context,
  local: Local,
  memory: Memory,
  release: CommitId | null,
): Promise<{ readonly local: Local; readonly memory: Memory }> {
  const given = release ?? local.records.office?.claim ?? "none";
  const stood = await writeAmkoCluster(context, local, [
    ...specPatch(local.amkoCluster, { isLeader: false }),
    ...annotationPatch(local.amkoCluster, { [STEPPED_DOWN_ANNOTATION]: given }),
  ]);
  // A claim alone may be left over, and git may not let it go for long.
  if (isLocalLeader(local.amkoCluster.spec) || local.records.office !== null) {
    context.telemetry.happened({ fact: "office", change: "left" });
    context.log("info", "stepped down", { cluster: local.self, claim: release });
    context.note({
      type: "Normal",
      reason: "SteppedDown",
      message: "This cluster does not lead by the branch: isLeader is false here now.",
    });
  }
  const forgetting = writeRecords(context, stood, { ...stood.records, office: null, restart: null });
  const forgotten = await forgetting.catch(asFederationError);
  const released = release === null ? memory : await releaseClaim(context, stood.self, memory, release);
  if (forgotten instanceof FederationError) throw forgotten;
  return { local: forgotten, memory: { ...released, claim: null } };
}

/** Tells the successor, who waits for this. Where git refuses, the cluster is a follower all the same. */
async function releaseClaim(
  context: Context,
  cluster: ClusterName,
  memory: Memory,
  release: CommitId,
): Promise<Memory> {
  const { repository, log } = context;
  const ref = clusterRef("leading", cluster);
  if (memory.unreleased === release) return memory;
  try {
    await repository.moveRef({ ref, expected: release, target: null }, context.signal);
  } catch (error) {
    if (!hasCode(error, "AG2004", "AG2013")) throw error;
    log("warn", "claim could not be given up", { cluster, ref, code: error.code, cause: error.message });
    return { ...noteRefusal(context, memory, "leading"), unreleased: release };
  }
  return { ...memory, refs: withRef(memory.refs ?? new Map(), ref, null) };
}
