import { FEDERATED_KINDS, type FederatedKind, type Problem, type Snapshot } from "../core/model.ts";
import { decideLeader, type KindFacts, type LeaderDecision } from "../core/plan.ts";
import { formatRevision } from "../core/records.ts";
import { type Application, type ApplyFailure, applyRevision } from "./apply.ts";
import type { Acted, Branch, Context, Local, Memory } from "./context.ts";
import { type Export, exportProblem } from "./export.ts";
import { gatherFacts } from "./facts.ts";
import { isHeadItself, settle } from "./follow.ts";
import { pendingSupersedes, writeMerge } from "./merge.ts";
import { awaitBatch, awaitDeletions } from "./pending.ts";
import { withdrawProposal } from "./proposal.ts";
import { proposeChanges } from "./propose.ts";
import { exportChanges } from "./publish.ts";
import { forgetBases } from "./record.ts";

interface Decided {
  readonly facts: KindFacts;
  readonly decision: LeaderDecision;
}

/** Brings the leader's cluster and the branch together: applies what git changed, commits what the cluster changed. */
export async function lead(
  context: Context,
  branch: Branch,
  local: Local,
  memory: Memory,
  /** Why nothing may be exported now; null when it may. */
  stop: Problem | null,
): Promise<Acted> {
  const found = await gatherFacts(context, { branch, local, memory, purpose: "lead" });
  const decided = found.facts.map((facts): Decided => ({ facts, decision: withhold(decideLeader(facts), stop) }));
  const taken = await takeFromGit(context, branch, local, decided);
  // Before anything is pushed, and whether or not it can be: what the cluster holds is recorded.
  const settled = await settle(context, branch, taken.acted.local, taken.held);
  const acted = withFailures({ ...taken.acted, local: settled.local, memory: found.memory }, settled.failures);
  return taken.merged ? { ...acted, againAfterMs: 0 } : giveToGit(context, branch, acted, decided);
}

/** Where the base could not be written the kind is as git says, and cannot say so. */
function withFailures(acted: Acted, failures: readonly ApplyFailure[]): Acted {
  const [first] = failures;
  if (first === undefined) return acted;
  return { ...acted, problem: acted.problem ?? first.problem, failures: [...acted.failures, ...failures] };
}

/** Commits or proposes what the cluster changed, once it has waited as long as it has to. */
async function giveToGit(context: Context, branch: Branch, acted: Acted, decided: readonly Decided[]): Promise<Acted> {
  const decisions = decided.map(({ facts: { kind }, decision }) => ({ kind, decision }));
  const grace = awaitDeletions(context, acted.local, acted.memory, decisions);
  const exports = decided
    .filter(({ facts }) => acted.exportProblems[facts.kind] === null)
    .flatMap(({ facts, decision }) => toExports(facts, decision, grace.due));
  const batch = awaitBatch(context, grace.memory, exports);
  const waiting: Acted = { ...acted, memory: batch.memory, againAfterMs: batch.againAfterMs ?? grace.againAfterMs };
  if (exports.length === 0) return withdrawSettled(context, waiting, decided);
  if (batch.againAfterMs !== null) return waiting;
  if (context.settings.publish === "propose") {
    const proposed = await proposeChanges(context, branch, waiting.local, waiting.memory, exports);
    // The cluster holds the head, and more: what waits to be merged. Except where one of them has no object at all.
    const holds = acted.problem === null && !exports.some(changesExistence);
    const { local, memory, problem, refused, closed } = proposed;
    const offered = exports.map(({ kind }) => kind).filter((kind) => !refused.has(kind));
    const kept = closed === null ? refused : new Map([...refused, ...offered.map((kind) => [kind, closed] as const)]);
    const told = withAdvice(withRefused(waiting, kept), problem);
    const pendingKinds = offered.filter((kind) => !kept.has(kind));
    return { ...told, local, memory, holds, pendingKinds, againAfterMs: grace.againAfterMs };
  }
  const exported = await exportChanges(context, branch, waiting.local, exports);
  const told = withRefused({ ...waiting, local: exported.local }, exported.refused);
  if (exported.commit === null) return told;
  const members = [...branch.view.members.values()].filter((member) => member.problem === null);
  const revision = formatRevision(context.settings.branch, exported.commit);
  context.members.nudge(
    members.map(({ cluster }) => cluster),
    revision,
  );
  // The next pass reads the branch, finds cluster and head equal, and makes the new head the base.
  const emptied = { ...waiting.memory, batchSinceMs: null };
  return { ...told, memory: emptied, againAfterMs: 0 };
}

/** What waits for people hides nothing that has failed. */
function withAdvice(acted: Acted, problem: Problem): Acted {
  if (acted.problem === null) return { ...acted, problem };
  return acted.problem === problem ? acted : { ...acted, advice: [...acted.advice, problem] };
}

/** What the API server keeps out of git, or people do, is told of its kind alone. */
function withRefused(acted: Acted, refused: ReadonlyMap<FederatedKind, Problem>): Acted {
  const [first = null] = refused.values();
  const exportProblems = { ...acted.exportProblems, ...Object.fromEntries(refused) };
  return { ...acted, problem: acted.problem ?? first, exportProblems };
}

/** It brings an object to where git has a tombstone, or the other way round. */
function changesExistence(one: Export): boolean {
  return one.action === "entomb" || one.before.kind === "deleted";
}

/** A proposal goes only when nothing is left of it: not while its change is blocked, or waits for something. */
async function withdrawSettled(context: Context, acted: Acted, decided: readonly Decided[]): Promise<Acted> {
  if (!decided.every(({ decision }) => decision.kind === "settled" || decision.kind === "apply")) return acted;
  const withdrawn = await withdrawProposal(context, acted.local, acted.memory, "config");
  return { ...acted, ...withdrawn, holds: acted.problem === null };
}

/** What git says is still applied; what would go to git waits, merges too, since they are written to be exported. */
function withhold(decision: LeaderDecision, stop: Problem | null): LeaderDecision {
  const exports = decision.kind === "export" || decision.kind === "entomb" || decision.kind === "merge";
  return stop !== null && exports ? { kind: "blocked", problem: stop } : decision;
}

interface Taken {
  readonly acted: Omit<Acted, "memory">;
  /** Kinds of which the cluster holds the head now. */
  readonly held: readonly FederatedKind[];
  readonly merged: boolean;
}

/** What git changed is written to the leader's own cluster, each kind by itself; so are merges, to be exported next. */
async function takeFromGit(
  context: Context,
  branch: Branch,
  local: Local,
  decided: readonly Decided[],
): Promise<Taken> {
  const failures: ApplyFailure[] = [];
  const exportProblems: Record<FederatedKind, Problem | null> = { GSLBConfig: null, GlobalDeploymentPolicy: null };
  const held: FederatedKind[] = [];
  let current = local;
  let merged = false;
  for (const { facts, decision } of decided) {
    const { kind } = facts;
    if (decision.kind === "blocked") exportProblems[kind] = decision.problem;
    if (decision.kind === "export") exportProblems[kind] = exportProblem(context, branch, kind, decision.object);
    if (decision.kind === "apply") {
      const application = toApplication(facts, decision.snapshot);
      const ready = await forgetDoomed(context, current, application);
      const applied = await applyRevision(context, branch, ready, [application]);
      current = applied.local;
      failures.push(...applied.failures);
    }
    if (decision.kind === "merge") {
      const { object, merge } = decision;
      const request = { kind, object, merge, revision: facts.head.revision };
      const written = await writeMerge(context, current, request);
      if (written.kind === "refused") exportProblems[kind] = written.problem;
      else current = written.local;
      merged ||= written.kind === "written";
    }
    const failed = failures.some((failure) => failure.kind === kind);
    const took = decision.kind === "settled" || (decision.kind === "apply" && !failed);
    if (took && isHeadItself(facts)) held.push(kind);
  }
  const blocked = FEDERATED_KINDS.map((kind) => exportProblems[kind]).find((one) => one !== null) ?? null;
  const cause = failures[0]?.problem ?? blocked;
  const acted = {
    local: current,
    holds: false,
    problem: cause,
    failures,
    exportProblems,
    advice: [],
    pendingKinds: [],
    againAfterMs: null,
  };
  return { acted, held, merged };
}

/**
 * Before git's deletion is carried out. Should the agent die in between, and the branch be put back to before the
 * tombstone, what is missing here must not look like a deletion by hand.
 */
async function forgetDoomed(context: Context, local: Local, { kind, snapshot }: Application): Promise<Local> {
  return snapshot.deleted === null ? local : forgetBases(context, local, [kind]);
}

function toApplication({ kind, head, live, base }: KindFacts, snapshot: Snapshot): Application {
  const doomed = snapshot.deleted === null ? [] : live;
  return { kind, snapshot, revision: head.revision, doomed, base };
}

function toExports(
  { kind, head, base }: KindFacts,
  decision: LeaderDecision,
  due: ReadonlySet<FederatedKind>,
): readonly Export[] {
  if (decision.kind === "entomb") {
    return due.has(kind) ? [{ action: "entomb", kind, snapshot: decision.snapshot, base }] : [];
  }
  if (decision.kind !== "export") return [];
  const supersedes = [...decision.supersedes, ...pendingSupersedes(decision.object)];
  return [{ action: "write", kind, object: decision.object, before: head.content, base, supersedes }];
}
