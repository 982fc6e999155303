import { problem } from "./catalogue.ts";
import type { ClusterName, FederationView, Problem } from "./model.ts";
import type { Outcome } from "./outcome.ts";
import { proposalRef } from "./refs.ts";
import type { TakeoverFacts, TakeoverRequest } from "./takeover.ts";

/**
 * Why a takeover must not be done. A failover is refused only where its result would not be sound: whoever calls it has
 * lost a site. A switchover is refused also where it would lose or stall something.
 */
export function takeoverRefusals(
  facts: TakeoverFacts,
  request: TakeoverRequest,
  from: readonly ClusterName[],
  outcome: Outcome,
): readonly Problem[] {
  const unsound = unsoundResult(outcome, request.target);
  if (request.kind === "failover") {
    // Whoever is lost cannot follow anyway, whatever its version.
    const lost = leftOut(outcome, from).map((member) => member.problem);
    return unsound.filter((one) => !lost.includes(one));
  }
  const early = switchoverRefusals(facts, request);
  return early.length > 0 ? early : unsound;
}

/** Those of the clusters that would be left out of the federation afterwards, each with the reason. */
export function leftOut(
  { view }: Outcome,
  clusters: readonly ClusterName[],
): readonly { readonly cluster: ClusterName; readonly problem: Problem }[] {
  return clusters.flatMap((cluster) => {
    const reason = view.members.get(cluster)?.problem ?? null;
    return reason === null ? [] : [{ cluster, problem: reason }];
  });
}

/** What `validate` would refuse afterwards. */
function unsoundResult({ view, newErrors }: Outcome, target: ClusterName): readonly Problem[] {
  const { leadership } = view;
  if (leadership.kind !== "leader") return [leadership.problem];
  if (leadership.cluster !== target) return [problem("AG5029", `cluster ${leadership.cluster} would go on leading`)];
  return newErrors;
}

function switchoverRefusals(facts: TakeoverFacts, { target, force }: TakeoverRequest): readonly Problem[] {
  const { view, proposals } = facts;
  const { leadership } = view;
  if (leadership.kind !== "leader") {
    const remedy = "Use amko-gitops failover, which writes one leader, or mend the manifests.";
    return [{ ...leadership.problem, message: `nobody can hand over: ${leadership.problem.message}`, remedy }];
  }
  const outsider = notAMember(view, leadership.cluster, target);
  if (outsider !== null) return [outsider];
  const unready = unreadyTarget(facts, target, force);
  const proposal = proposalRef(leadership.cluster, "config");
  if (!proposals.has(proposal)) return unready;
  const message = `a change of cluster ${leadership.cluster} waits in …/${proposal} and would be dropped`;
  return [...unready, { ...problem("AG5016", message), remedy: "Merge that branch first, or delete it." }];
}

function notAMember({ members }: FederationView, leader: ClusterName, target: ClusterName): Problem | null {
  const member = members.get(target);
  if (member !== undefined) return member.problem;
  return problem("AG5005", `cluster ${target} is not in spec.clusters of the leader ${leader}`);
}

function unreadyTarget({ standings }: TakeoverFacts, target: ClusterName, force: boolean): readonly Problem[] {
  const standing = standings.get(target) ?? { kind: "unreported" };
  switch (standing.kind) {
    case "holds":
      return [];
    case "behind":
      if (force) return [];
      return [problem("AG5026", `cluster ${target} holds ${standing.applied.slice(0, 8)}, not the newest revision`)];
    case "failing":
      return force ? [] : [problem("AG5027", `cluster ${target} cannot apply what git says: ${standing.reason}`)];
    case "unreported":
      return [problem("AG5028", `cluster ${target} has never acknowledged a revision`)];
    default:
      return standing satisfies never;
  }
}
