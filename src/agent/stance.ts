import type { MemberProgress, Progress } from "../core/conditions.ts";
import { FEDERATED_KINDS } from "../core/model.ts";
import type { Role } from "../core/role.ts";
import type { MemberState, Stance } from "../core/telemetry.ts";
import { isLocalLeader } from "./amko-cluster.ts";
import type { Acted, Branch, Context, Local } from "./context.ts";
import { type Judgement, suspendedNow } from "./judge.ts";

/** How a cluster stands after a pass that reached its end. */
export function stanceOf(
  context: Context,
  { revision }: Branch,
  role: Role,
  { local, holds, problem }: Pick<Acted, "local" | "holds" | "problem">,
  members: readonly MemberProgress[],
): Partial<Stance> {
  return {
    ...stanceWithoutGit(context, local),
    role: ROLES[role.kind],
    problem: problem?.code ?? null,
    members: countMembers(role, members),
    ...(holds ? { heldAtSeconds: revision.committedAtSeconds, lacksSinceSeconds: null } : {}),
  };
}

/** After a pass that broke off: who this is meant to be, as far as that was judged, and of whom it tells nothing then. */
export function stanceAfter(context: Context, { role, judged }: Judgement, local: Local): Partial<Stance> {
  const stance = stanceWithoutGit(context, local);
  if (!judged) return stance;
  return { ...stance, role: ROLES[role.kind], ...(role.kind === "lead" ? {} : { members: NO_MEMBERS }) };
}

/** What the AMKOCluster alone says. */
export function stanceWithoutGit(
  { clock }: Context,
  { amkoCluster }: Local,
): Pick<Stance, "localLeader" | "suspendedUntilMs"> {
  const nowMs = clock.nowMs();
  const suspension = suspendedNow(amkoCluster, nowMs);
  return {
    localLeader: isLocalLeader(amkoCluster.spec),
    suspendedUntilMs: suspension === null ? null : nowMs + suspension.restMs,
  };
}

const NO_MEMBERS = { holds: 0, behind: 0, late: 0, failed: 0, excluded: 0 } as const satisfies Stance["members"];

/** There is no AMKO here that could lead, hold anything or lack it. */
export const NOT_HERE = {
  role: "none",
  localLeader: false,
  suspendedUntilMs: null,
  lacksSinceSeconds: null,
  members: NO_MEMBERS,
} as const satisfies Partial<Stance>;

const ROLES = { lead: "leader", follow: "follower", hold: "none" } as const satisfies Record<
  Role["kind"],
  Stance["role"]
>;

/** The worst of a member's kinds decides. */
const WORST_FIRST: readonly Progress[] = ["failed", "late", "behind", "holds"];

function countMembers(role: Role, members: readonly MemberProgress[]): Stance["members"] {
  const excluded = role.kind === "lead" ? role.members.filter(({ problem }) => problem !== null).length : 0;
  const states = members.map(({ progress }): MemberState | undefined =>
    WORST_FIRST.find((worst) => FEDERATED_KINDS.some((kind) => progress[kind] === worst)),
  );
  const count = (state: MemberState): number => states.filter((one) => one === state).length;
  return { holds: count("holds"), behind: count("behind"), late: count("late"), failed: count("failed"), excluded };
}
