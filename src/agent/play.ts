import { problem } from "../core/catalogue.ts";
import { FEDERATED_KINDS } from "../core/model.ts";
import type { Designation } from "../core/role.ts";
import { asFederationError, hasCode } from "../errors.ts";
import { alignAmkoCluster, amkoClusterFight, setLeader } from "./amko-cluster.ts";
import type { Acted, Branch, Context, Local, Memory } from "./context.ts";
import { proposeLeadership, proposeVersion } from "./designation.ts";
import { follow } from "./follow.ts";
import type { Judgement } from "./judge.ts";
import { type Candidate, isSitting, lookForSuccessor, type OfficeResult, stepOffice, type Tenure } from "./office.ts";
import { abandonProposal } from "./propose.ts";
import { serve } from "./serve.ts";

/** Takes the office's next step, then acts as the role says. */
export async function play(context: Context, branch: Branch, judgement: Judgement, local: Local): Promise<Acted> {
  const { role, designation } = judgement;
  if (role.kind !== "lead") context.members.dismiss();
  if (judgement.frozen) return stayFrozen(judgement, local);
  if (judgement.impostor) return standAside(context, judgement, local);
  const asked = await proposeLeadership(context, branch, local, judgement.memory, designation).catch(
    async (error: unknown) => {
      await stepDownAnyway(context, branch, judgement, local, error);
      throw error;
    },
  );
  const tenure = await lookForSuccessor(context, branch, asked.local, asked.memory, designation);
  const candidate = await preparePromotion(context, branch, asked.local, tenure, designation);
  const office = await stepOffice(context, branch, candidate, designation);
  // The office does not depend on the objects; everything else does.
  if (office.local.unread !== null) throw office.local.unread;
  if (office.state !== "serving") context.members.dismiss();
  const acted = await act(context, branch, judgement, office);
  return {
    ...acted,
    ...tellFight(context, acted),
    advice: [...acted.advice, ...(asked.problem === null ? [] : [asked.problem])],
  };
}

/**
 * What somebody asked for by hand cannot be written down here: it was refused in the last pass, too. Two clusters must
 * not lead all the same: the field is put back, and a claim given up.
 */
async function stepDownAnyway(
  context: Context,
  branch: Branch,
  { designation, memory }: Judgement,
  local: Local,
  error: unknown,
): Promise<void> {
  if (designation !== "follower" || !hasCode(error, "AG3003", "AG3007")) return;
  if (memory.told?.startsWith(`${error.code} `) !== true) return;
  await stepOffice(context, branch, { local, memory, wasSucceeded: false, unapplied: [] }, designation);
}

/** A fight over the AMKOCluster stops nothing else; people have to know of it. */
function tellFight(context: Context, acted: Acted): Pick<Acted, "problem" | "againAfterMs"> {
  const fight = amkoClusterFight(context, acted.local, acted.memory);
  if (fight === null || acted.againAfterMs === 0) return acted;
  const { problem: cause, againAfterMs } = fight;
  return {
    problem: acted.problem ?? cause,
    againAfterMs: Math.min(againAfterMs, acted.againAfterMs ?? againAfterMs),
  };
}

/** Also what it proposed stays: whether it is still needed is to be judged when this is over. */
function stayFrozen({ role, memory }: Judgement, local: Local): Acted {
  const acted = nothingDone(local, { ...memory, claim: null });
  return { ...acted, problem: role.kind === "hold" ? role.problem : null };
}

/** The refs under this name are somebody else's: only the local field is put right, so that two do not lead. */
async function standAside(context: Context, { role, designation, memory }: Judgement, local: Local): Promise<Acted> {
  const stood = designation === "follower" ? await setLeader(context, local, false) : local;
  return { ...nothingDone(stood, memory), problem: role.kind === "hold" ? role.problem : null };
}

async function act(
  context: Context,
  branch: Branch,
  { role, designation }: Judgement,
  office: OfficeResult,
): Promise<Acted> {
  switch (role.kind) {
    case "hold": {
      const left =
        designation === "follower" ? await abandonProposal(context, branch, office.local, office.memory) : office;
      // A version proposal is kept up to date where versions differ; in another hold it stays as it is.
      const differs = role.problem.code === "AG5007";
      const manifest = branch.view.manifests.get(office.local.self);
      const proposed = differs ? await proposeVersion(context, branch, left.local, left.memory, manifest) : left;
      return { ...nothingDone(proposed.local, proposed.memory), problem: role.problem };
    }
    case "follow": {
      const aligned = await alignAmkoCluster(context, office.local, office.memory, role.manifest);
      const deposed = await abandonProposal(context, branch, aligned.local, aligned.memory);
      const { local, memory } = await proposeVersion(context, branch, deposed.local, deposed.memory, role.manifest);
      return follow(context, branch, local, memory);
    }
    case "lead": {
      if (office.state !== "serving") return awaitOffice(office);
      const aligned = await alignAmkoCluster(context, office.local, office.memory, role.manifest);
      const { local, memory } = await proposeVersion(context, branch, aligned.local, aligned.memory, role.manifest);
      return serve(context, branch, local, memory);
    }
    default:
      return role satisfies never;
  }
}

/** A promotion applies the revision first, as a follower would, so that an edit merged with the flip takes effect. */
async function preparePromotion(
  context: Context,
  branch: Branch,
  local: Local,
  { memory, wasSucceeded }: Tenure,
  designation: Designation,
): Promise<Candidate> {
  const sitting = isSitting(context, local, { memory, wasSucceeded });
  if (designation !== "leader" || sitting || local.unread !== null) {
    return { local, memory, wasSucceeded, unapplied: local.records.office?.unapplied ?? [] };
  }
  // In every pass until it takes office: what is edited or deleted here while it waits is a follower's drift.
  // Drift that is left alone, because that was configured or somebody fights for it, would be the leader's own edit.
  const correcting = { ...context, settings: { ...context.settings, drift: "correct" } } as const;
  const { GSLBConfig: _config, GlobalDeploymentPolicy: _policy, ...corrections } = memory.corrections;
  // A kind that cannot be applied does not stop a promotion: the leader tries it again, and its status says so.
  try {
    const first = await follow(correcting, branch, local, { ...memory, corrections });
    const unapplied = first.failures.map(({ kind }) => kind);
    const others = FEDERATED_KINDS.filter((kind) => !unapplied.includes(kind));
    if (unapplied.length === 0) return { ...first, wasSucceeded, unapplied };
    // In office it is tried again, and may succeed before any status could tell.
    for (const { kind, problem: cause } of first.failures) {
      const { code, message } = cause;
      context.log("warn", "promotion goes on without a kind", { cluster: local.self, kind, code, cause: message });
    }
    // A leader takes each kind by itself: what is refused must not make the other one's drift its word.
    const rest = await follow(correcting, branch, first.local, first.memory, others);
    return { ...rest, wasSucceeded, unapplied: [...unapplied, ...rest.failures.map(({ kind }) => kind)] };
  } catch (error) {
    const { code, message, retry } = asFederationError(error);
    if (retry === "now" || !code.startsWith("AG3")) throw error;
    context.log("warn", "promotion goes on without the revision", { cluster: local.self, code, cause: message });
    return { local, memory, wasSucceeded, unapplied: FEDERATED_KINDS };
  }
}

/** Claimed, and the branch has to be read again; or another cluster is still in office. */
function awaitOffice({ local, memory, state, others, againAfterMs }: OfficeResult): Acted {
  const cause = problem("AG5011", `not in office yet: ${others.join(", ")} has not confirmed that it stepped down`);
  return { ...nothingDone(local, memory), problem: state === "waiting" ? cause : null, againAfterMs };
}

export function nothingDone(local: Local, memory: Memory): Acted {
  const exportProblems = { GSLBConfig: null, GlobalDeploymentPolicy: null };
  return {
    local,
    memory,
    holds: false,
    problem: null,
    failures: [],
    exportProblems,
    pendingKinds: [],
    advice: [],
    againAfterMs: null,
  };
}
