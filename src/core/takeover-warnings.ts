import { isObject } from "./json.ts";
import type { ClusterName, FederationView } from "./model.ts";
import { encodeClusterName } from "./names.ts";
import type { Outcome } from "./outcome.ts";
import type { TakeoverFacts, TakeoverRequest } from "./takeover.ts";
import { leftOut } from "./takeover-refusals.ts";

/** What is done: who stops leading, who is not waited for, and what the federation says then. */
export interface TakeoverEffect {
  readonly from: readonly ClusterName[];
  readonly without: readonly ClusterName[];
  readonly outcome: Outcome;
}

/** What a person should know before saying yes: what may be lost, and what happens besides. Sentences. */
export function takeoverWarnings(
  facts: TakeoverFacts,
  request: TakeoverRequest,
  { from, without, outcome }: TakeoverEffect,
): readonly string[] {
  const excluded = leftOut(outcome, from).map(
    ({ cluster, problem }) => `${cluster} is left out when it comes back, until that is mended: ${problem.message}.`,
  );
  const warnings =
    request.kind === "failover"
      ? [...from.flatMap((cluster) => lossesOf(facts, cluster)), ...excluded, ...notWaited(request, without)]
      : from.flatMap((cluster) => handingOver(facts, request, cluster));
  return [
    ...warnings,
    ...thrownOut(facts, request, from, outcome),
    ...stillInOffice(facts, request, from, without),
    ...targetWarnings(facts, request),
    `AMKO in ${request.target} restarts to take over.`,
    ...controllerWarnings(facts.view, request),
  ];
}

function lossesOf({ proposals }: TakeoverFacts, cluster: ClusterName): readonly string[] {
  const prefix = `propose/${encodeClusterName(cluster)}/`;
  const open = [...proposals].filter((ref) => ref.startsWith(prefix));
  return [
    `What was changed in ${cluster} and never reached git is missing. Its agent keeps it in …/rescue/ if it comes back.`,
    ...open.map((ref) => `The proposal …/${ref} is open: what stands in it is not in force.`),
  ];
}

function notWaited({ target }: TakeoverRequest, without: readonly ClusterName[]): readonly string[] {
  return without.map(
    (cluster) =>
      `${target} does not wait for ${cluster}: AMKO there may still act until its agent reads the branch. Make sure that it is down.`,
  );
}

/** In a handover the former leader steps down first. */
function handingOver(
  { standings }: TakeoverFacts,
  { target }: TakeoverRequest,
  cluster: ClusterName,
): readonly string[] {
  const standing = standings.get(cluster);
  const answers = standing?.kind === "holds";
  return [
    ...(answers
      ? []
      : [
          `${cluster} has not acknowledged the newest revision: if its agent does not read the branch, ${target} waits for --handover-timeout. If ${cluster} is dead, use failover.`,
        ]),
    `AMKO in ${cluster} may act for some 30 s more, until its liveness probe restarts it.`,
  ];
}

/** The federation is whom the new leader's manifest names. */
function thrownOut(
  { view }: TakeoverFacts,
  { target }: TakeoverRequest,
  from: readonly ClusterName[],
  { view: { members } }: Outcome,
): readonly string[] {
  return [...new Set([...from, ...view.members.keys()])]
    .filter((cluster) => cluster !== target && !members.has(cluster))
    .map((cluster) => `${cluster} is not in spec.clusters of ${target}: it applies nothing any more.`);
}

function stillInOffice(
  { inOffice }: TakeoverFacts,
  { target, kind }: TakeoverRequest,
  from: readonly ClusterName[],
  without: readonly ClusterName[],
): readonly string[] {
  const expected = new Set([target, ...without, ...(kind === "switchover" ? from : [])]);
  const hint = kind === "failover" ? " If it is gone too, name it with --handover-without." : "";
  return [...inOffice]
    .filter((cluster) => !expected.has(cluster))
    .map((cluster) => `${cluster} is in office too: ${target} waits for it, for --handover-timeout at most.${hint}`);
}

function targetWarnings({ standings, view }: TakeoverFacts, { target }: TakeoverRequest): readonly string[] {
  const outside = view.leadership.kind === "leader" && !view.members.has(target);
  const standing = standings.get(target) ?? { kind: "unreported" };
  const first = outside ? [`${target} was no member until now: it has applied nothing of the federation.`] : [];
  switch (standing.kind) {
    case "holds":
      return first;
    case "behind":
      return [
        ...first,
        `${target} holds ${standing.applied.slice(0, 8)}: it applies the newest revision before it takes office.`,
      ];
    case "failing":
      return [...first, `${target} cannot apply what git says, and leads with what it holds: ${standing.reason}`];
    case "unreported":
      return [
        ...first,
        `${target} has never reported: if its agent does not run, or may not push, nobody will lead. Look at it first.`,
      ];
    default:
      return standing satisfies never;
  }
}

function controllerWarnings({ kinds }: FederationView, { target, controllerIp }: TakeoverRequest): readonly string[] {
  if (controllerIp === null || kinds.GSLBConfig.kind !== "present") return [];
  const leader = kinds.GSLBConfig.snapshot.spec["gslbLeader"];
  const former = isObject(leader) ? leader["controllerIP"] : undefined;
  const instead = typeof former === "string" && former !== "" ? ` instead of ${former}` : "";
  if (former === controllerIp) return [];
  return [`AMKO in ${target} programs the Avi controller ${controllerIp}${instead}, with all that it has.`];
}
