import { problem } from "../core/catalogue.ts";
import type { CommitId, FederatedKind, Problem } from "../core/model.ts";
import { decideFollower, type FollowerDecision, type KindFacts } from "../core/plan.ts";
import { spendConsent } from "./amko-cluster.ts";
import { type Application, applyRevision, settleBase } from "./apply.ts";
import { recordedBase } from "./base.ts";
import type { Acted, Branch, Context, Local, Memory } from "./context.ts";
import { findDrift, judgeDrift } from "./drift.ts";
import { gatherFacts } from "./facts.ts";
import { writeRecords } from "./record.ts";

/** Further back it is cheaper to write the base than to look. */
const UNTOUCHED_MAX_REVISIONS = 100;

const NO_EXPORT_PROBLEMS = { GSLBConfig: null, GlobalDeploymentPolicy: null } as const;

interface Decided {
  readonly facts: KindFacts;
  readonly decision: FollowerDecision;
}

/** Makes the cluster hold what the revision says: both kinds, or neither where one is refused. */
export async function follow(context: Context, branch: Branch, local: Local, memory: Memory): Promise<Acted> {
  const found = await gatherFacts(context, { branch, local, memory, purpose: "follow" });
  const gathered = found.facts.map((facts): Decided => ({ facts, decision: decideFollower(facts) }));
  const applications = gathered.flatMap(({ facts, decision }) => toApplication(facts, decision));
  const acted = {
    local,
    memory: found.memory,
    holds: false,
    failures: [],
    exportProblems: NO_EXPORT_PROBLEMS,
    pendingKinds: [],
    advice: null,
    againAfterMs: null,
  };
  const drifts = gathered.flatMap(({ facts, decision }) => findDrift(local, facts, decision));
  const verdict = judgeDrift(context, local, found.memory, drifts);
  if (verdict.kind === "leave") return { ...acted, problem: verdict.problem, againAfterMs: verdict.againAfterMs };
  const applied = await applyRevision(context, branch, local, applications);
  if (applied.failures.length > 0) {
    // Also a head that cannot be applied was judged: a branch that is put back later must not go unnoticed.
    const local = await settle(context, branch, applied.local, []);
    const [first] = applied.failures;
    return { ...acted, ...applied, local, memory: verdict.memory, problem: first?.problem ?? null };
  }
  const held = gathered.filter(({ facts, decision }) => isHeadItself(facts) && decision.kind !== "left");
  const settled = await settle(
    context,
    branch,
    applied.local,
    held.map(({ facts }) => facts.kind),
  );
  return { ...acted, local: settled, memory: verdict.memory, holds: true, problem: firstProblem(gathered) };
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

/** Head becomes the base of the kinds that now hold it: on the objects first, in the ConfigMap after. */
export async function settle(
  context: Context,
  branch: Branch,
  local: Local,
  kinds: readonly FederatedKind[],
): Promise<Local> {
  let current = local;
  const bases = { ...local.records.bases };
  for (const kind of kinds) {
    const base = recordedBase(kind, local);
    // A revision that leaves the federation's folder as it was is not worth a write.
    if (base?.revision != null && (await untouchedSince(context, branch, base.revision))) continue;
    current = await settleBase(context, kind, current, branch);
    bases[kind] = { revision: branch.head, amkoClusterUid: local.amkoCluster.metadata.uid, exportId: null };
  }
  const recorded = await writeRecords(context, current, { ...current.records, bases, head: branch.head });
  return spendConsent(context, recorded);
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
