import { problem } from "../core/catalogue.ts";
import { type CommitId, FEDERATED_KINDS, type FederatedKind, type Problem } from "../core/model.ts";
import { decideFollower, type FollowerDecision, type KindFacts } from "../core/plan.ts";
import type { OfficeRecord } from "../core/records.ts";
import { hasCode } from "../errors.ts";
import { spendConsent } from "./amko-cluster.ts";
import { type Application, type Applied, type ApplyFailure, applyRevision, lostUuid, settleBase } from "./apply.ts";
import { recordedBase } from "./base.ts";
import type { Acted, Branch, Context, Local, Memory } from "./context.ts";
import { findDrift, judgeDrift, noteCorrections } from "./drift.ts";
import { gatherFacts } from "./facts.ts";
import { writeRecords } from "./record.ts";

/** Further back it is cheaper to write the base than to look. */
const UNTOUCHED_MAX_REVISIONS = 100;

const NO_EXPORT_PROBLEMS = { GSLBConfig: null, GlobalDeploymentPolicy: null } as const;

interface Decided {
  readonly facts: KindFacts;
  readonly decision: FollowerDecision;
}

/**
 * Makes the cluster hold what the revision says: all of these kinds, or none where one is refused. A kind that drifted
 * and is left as it is keeps nobody from the rest.
 */
export async function follow(
  context: Context,
  branch: Branch,
  local: Local,
  memory: Memory,
  kinds: readonly FederatedKind[] = FEDERATED_KINDS,
): Promise<Acted> {
  const found = await gatherFacts(context, { branch, local, memory, purpose: "follow" });
  const gathered = found.facts
    .filter(({ kind }) => kinds.includes(kind))
    .map((facts): Decided => ({ facts, decision: decideFollower(facts) }));
  const drifts = gathered.flatMap(({ facts, decision }) => findDrift(local, facts, decision));
  const { left, againAfterMs } = judgeDrift(context, found.memory, drifts);
  const taken = gathered.filter(({ facts }) => !left.has(facts.kind));
  const applications = taken.flatMap(({ facts, decision }) => toApplication(facts, decision));
  const applied = await applyRevision(context, branch, local, applications);
  const isApplied = applied.failures.length === 0;
  // Also a head that cannot be applied was judged: a branch that is put back later must not go unnoticed.
  const held = taken.filter(({ facts, decision }) => isApplied && isHeadItself(facts) && decision.kind !== "left");
  const settled = await settle(
    context,
    branch,
    applied.local,
    held.map(({ facts }) => facts.kind),
  );
  const failures = [...applied.failures, ...settled.failures];
  const corrected = drifts.filter(({ kind }) => !left.has(kind));
  return {
    local: settled.local,
    memory: isApplied ? noteCorrections(context, local, found.memory, corrected) : found.memory,
    holds: failures.length === 0 && left.size === 0,
    problem: failures[0]?.problem ?? [...left.values()][0] ?? firstProblem(gathered),
    failures,
    exportProblems: NO_EXPORT_PROBLEMS,
    pendingKinds: [],
    advice: [],
    againAfterMs,
  };
}

/** What people should know although the revision is held, as far as it can be: an unusable kind, an object that stays. */
function firstProblem(gathered: readonly Decided[]): Problem | null {
  for (const { facts, decision } of gathered) {
    const [unusable] = facts.head.problems;
    if (unusable !== undefined) return unusable;
    const left = decision.kind === "left" ? decision.names : decision.kind === "apply" ? decision.left : [];
    if (left.length === 0) continue;
    const names = left.join(", ");
    return problem("AG5014", `git says that the ${facts.kind} is deleted, but ${names} never came from git and stays`);
  }
  return null;
}

/**
 * Head becomes the base of the kinds that now hold it: on the objects first, in the ConfigMap after. Where the API server
 * refuses to write it on an object, that kind cannot be said to hold it; the others can.
 */
export async function settle(
  context: Context,
  branch: Branch,
  local: Local,
  kinds: readonly FederatedKind[],
): Promise<Applied> {
  let current = local;
  const failures: ApplyFailure[] = [];
  const bases = { ...local.records.bases };
  const settled: FederatedKind[] = [];
  for (const kind of kinds) {
    const base = recordedBase(kind, current);
    // A revision that leaves the federation's folder as it was is not worth a write, unless there is something to mend.
    const complete = lostUuid(kind, current, branch) === null;
    if (complete && base?.revision != null && (await untouchedSince(context, branch, base.revision))) continue;
    try {
      current = await settleBase(context, kind, current, branch);
    } catch (error) {
      if (!hasCode(error, "AG3007")) throw error;
      const text = `the base of the ${kind} was refused in cluster ${local.self}: ${error.message}`;
      failures.push({ kind, problem: problem("AG3007", text) });
      continue;
    }
    settled.push(kind);
    bases[kind] = { revision: branch.head, amkoClusterUid: local.amkoCluster.metadata.uid, exportId: null };
  }
  const office = withApplied(current.records.office, settled);
  const recorded = await writeRecords(context, current, { ...current.records, bases, office, head: branch.head });
  return { local: await spendConsent(context, recorded), failures };
}

/** What the cluster holds of them is what git says, from here on: an edit of them is the leader's own. */
function withApplied(office: OfficeRecord | null, kinds: readonly FederatedKind[]): OfficeRecord | null {
  return office && { ...office, unapplied: office.unapplied.filter((kind) => !kinds.includes(kind)) };
}

/**
 * Whether no revision after `base` touched the federation's folder. One that was changed and put back was touched: a
 * base that stayed behind would let what came in between look like news, and undo what people do in the cluster now.
 */
async function untouchedSince(
  { repository, signal }: Context,
  { head, revision }: Branch,
  base: CommitId,
): Promise<boolean> {
  if (base === head || (await repository.relation(base, head, signal)) !== "ancestor") return false;
  if ((await repository.read(base, signal)).tree !== revision.tree) return false;
  let count = 0;
  for await (const { tree } of repository.history({ from: head, until: base }, UNTOUCHED_MAX_REVISIONS, signal)) {
    count += 1;
    if (tree !== revision.tree || count === UNTOUCHED_MAX_REVISIONS) return false;
  }
  return true;
}

/** A kind whose head is unusable or absent keeps its own base. */
export function isHeadItself({ head }: KindFacts): boolean {
  return head.content.kind !== "never" && !head.fromHistory;
}

function toApplication({ kind, base, head }: KindFacts, decision: FollowerDecision): readonly Application[] {
  if (decision.kind !== "apply") return [];
  const { snapshot, doomed } = decision;
  return [{ kind, snapshot, revision: head.revision, doomed, base }];
}
