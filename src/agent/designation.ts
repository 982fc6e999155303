import { problem } from "../core/catalogue.ts";
import { editManifest, flipLeader } from "../core/flip.ts";
import { isObject } from "../core/json.ts";
import { FEDERATED_KINDS, type FileChange, type Manifest, type Problem, type Uid } from "../core/model.ts";
import { type AgentTopic, parseRecords } from "../core/records.ts";
import { proposalRef } from "../core/refs.ts";
import { type Designation, versionMismatch } from "../core/role.ts";
import { writerOfField } from "../core/writers.ts";
import { asFederationError, FederationError, hasCode } from "../errors.ts";
import { isLocalLeader } from "./amko-cluster.ts";
import { authorOf } from "./author.ts";
import type { Branch, Context, Local, Memory } from "./context.ts";
import { adoptProposal, proposalState, pushProposal, withdrawProposal } from "./proposal.ts";
import { writeRecords } from "./record.ts";
import { noteRefusal } from "./refusals.ts";
import { recallVersionProposal } from "./stray-proposal.ts";

interface Designated {
  readonly local: Local;
  readonly memory: Memory;
  /** What to merge; null where nothing was proposed. */
  readonly problem: Problem | null;
}

/**
 * Somebody set `isLeader: true` by hand in a cluster that git does not designate: the document's manual procedure.
 * Nothing but the branch decides who leads, so this becomes a ready-made flip to merge (or, where configured, a commit),
 * and the field is put back. Only in a cluster that has been in the federation before: in a fresh install it is a
 * chart's value and nobody's decision.
 */
export async function proposeLeadership(
  context: Context,
  branch: Branch,
  local: Local,
  memory: Memory,
  designation: Designation,
): Promise<Designated> {
  if (designation === "undecided") return { local, memory, problem: null };
  if (designation === "leader") {
    const granted = await forgetFlip(context, local);
    return { ...(await withdrawProposal(context, granted, memory, "leader")), problem: null };
  }
  const asked = asksToLead(local) && (await stillAsks(context, local));
  // A flip that this agent did not push is people's: a switchover to be reviewed, and nothing that was put back here.
  const isOurs = local.records.proposals.leader !== undefined;
  const standing = isOurs && memory.refs?.has(proposalRef(local.self, "leader")) === true;
  const { uid } = local.amkoCluster.metadata;
  const owed = local.records.owedFlip === uid;
  if (!asked && !standing && !owed) return { local: await forgetFlip(context, local), memory, problem: null };
  const where = `isLeader was set to true in cluster ${local.self}, which does not lead by the branch: it was put back`;
  if (!branch.view.manifests.has(local.self)) {
    return {
      local,
      memory,
      problem: problem("AG5020", `${where}, and without a manifest nobody can make it the leader`),
    };
  }
  const unproposed = `${where}; the flip could not be proposed yet`;
  if (!asked && owed && memory.refusedAtMs.propose !== undefined) {
    return { local, memory, problem: problem("AG5020", unproposed) };
  }
  try {
    const proposed = await proposeFlip(context, branch, local, memory, { asked, owed }, where);
    return { ...proposed, local: await oweFlip(context, proposed.local, null) };
  } catch (error) {
    // Refused or out of reach: the field is put back all the same, because two clusters must not lead. Whoever set it
    // wants something that stands nowhere else: it is proposed when refused refs are tried again.
    const { code, message, retry } = asFederationError(error);
    if (retry === "now" || !code.startsWith("AG2")) throw error;
    const cause = problem("AG5020", `${unproposed}: ${message}`);
    if (!asked && !owed) return { local, memory, problem: cause };
    // Recorded before the field is put back: whoever finds it put back is to find that too.
    const recorded = await oweFlip(context, local, uid);
    return { local: recorded, memory: noteRefusal(context, memory, "propose"), problem: cause };
  }
}

/** The edit is answered, and the field put back: the next one is another edit. */
function forgetFlip(context: Context, local: Local): Promise<Local> {
  const { owedFlip, flipOn } = local.records;
  if (owedFlip === null && flipOn === null) return Promise.resolve(local);
  return writeRecords(context, local, { ...local.records, owedFlip: null, flipOn: null });
}

function oweFlip(context: Context, local: Local, owedFlip: Uid | null): Promise<Local> {
  if (local.records.owedFlip === owedFlip) return Promise.resolve(local);
  return writeRecords(context, local, { ...local.records, owedFlip });
}

/**
 * A person's edit, and not what a chart writes again, what a fresh install says, or what is left of a term in office.
 */
function asksToLead({ amkoCluster, records }: Pick<Local, "amkoCluster" | "records">): boolean {
  const { uid } = amkoCluster.metadata;
  const known = FEDERATED_KINDS.some((kind) => records.bases[kind]?.amkoClusterUid === uid);
  const byHelm = writerOfField(amkoCluster, "isLeader")?.startsWith("helm") === true;
  return isLocalLeader(amkoCluster.spec) && records.office === null && known && !byHelm;
}

/**
 * The AMKOCluster and the ConfigMap were read at the same time, and in between another process of this cluster may have
 * stepped down or come into office: half of the one state and half of the other looks like an edit by hand.
 */
async function stillAsks({ cluster, signal }: Context, local: Local): Promise<boolean> {
  const [amkoCluster] = await cluster.list("AMKOCluster", signal);
  const configMap = await cluster.readConfigMap(signal);
  if (amkoCluster?.metadata.resourceVersion !== local.amkoCluster.metadata.resourceVersion) return false;
  return asksToLead({ amkoCluster, records: parseRecords(configMap?.data ?? {}) });
}

async function proposeFlip(
  context: Context,
  branch: Branch,
  local: Local,
  memory: Memory,
  { asked, owed }: { readonly asked: boolean; readonly owed: boolean },
  where: string,
): Promise<Designated> {
  const changes = flipLeader(branch.view, branch.revision.files, local.self);
  if (changes.length === 0) return { local, memory, problem: null };
  const message = `federation: make ${local.self} the leader\n\nisLeader was set to true in the cluster by hand.\n`;
  // With an invalid manifest, or at another version than it says, it could not lead: people decide about that.
  const manifest = branch.view.manifests.get(local.self);
  const couldLead = manifest?.problem === null && versionMismatch(manifest, local.amkoCluster) === null;
  if (asked && couldLead && context.settings.localDesignation === "commit") {
    // An agent that died before it put the field back finds the edit again: people may have decided otherwise since.
    if (await wasCommitted(context, branch, local, message)) return { local, memory, problem: null };
    await writeRecords(context, local, { ...local.records, flipOn: branch.head });
    const author = authorOf(context, local.self);
    const commit = await context.repository.publish({ parent: branch.head, changes, message, author }, context.signal);
    // The branch says something else now: it is read again before anything is put back.
    throw new FederationError("AG2003", `the flip to ${local.self} was committed as ${commit}`);
  }
  const request = { topic: "leader", changes, message, anew: asked || owed } as const;
  const kept = await keepProposal(context, branch, local, memory, request);
  const ref = proposalRef(local.self, "leader");
  return { ...kept, problem: kept.stands ? problem("AG5020", `${where}, and a flip is ready in …/${ref}`) : null };
}

/** How far back the answer to an edit is looked for. */
const ANSWER_MAX_REVISIONS = 500;

/** Whether the flip that was to be committed stands in the branch, as the only child of the head that it was made on. */
async function wasCommitted(
  { repository, signal }: Context,
  { head }: Branch,
  { records: { flipOn } }: Local,
  flip: string,
): Promise<boolean> {
  if (flipOn === null || flipOn === head || (await repository.relation(flipOn, head, signal)) !== "ancestor")
    return false;
  for await (const revision of repository.history({ from: head, until: flipOn }, ANSWER_MAX_REVISIONS, signal)) {
    const { message, parents } = revision;
    if (parents.length === 1 && parents[0] === flipOn && message.trimEnd() === flip.trimEnd()) return true;
  }
  return false;
}

/** The local AMKO runs at another version than the manifest says: the mended manifest is proposed. */
export async function proposeVersion(
  context: Context,
  branch: Branch,
  local: Local,
  memory: Memory,
  manifest: Manifest | undefined,
): Promise<{ readonly local: Local; readonly memory: Memory }> {
  const version = isObject(local.amkoCluster.spec) ? local.amkoCluster.spec["version"] : undefined;
  const differs =
    manifest !== undefined && typeof version === "string" && version !== "" && version !== manifest.version;
  if (!differs) {
    const known = await recallVersionProposal(context, local, memory);
    return withdrawProposal(context, known, memory, "version");
  }
  const change = editManifest(manifest, branch.revision.files, [{ path: ["spec", "version"], value: version }]);
  if (change === null) return { local, memory };
  const message = `federation: ${local.self} runs AMKO ${version}\n\nIts manifest says ${manifest.version}.\n`;
  if (memory.refusedAtMs.propose !== undefined) return { local, memory };
  try {
    const request = { topic: "version", changes: [change], message, anew: true } as const;
    return await keepProposal(context, branch, local, memory, request);
  } catch (error) {
    // The status says what differs all the same.
    if (!hasCode(error, "AG2004", "AG2013")) throw error;
    const { code, message: cause } = error;
    context.log("warn", "version could not be proposed", { cluster: local.self, code, cause });
    return { local, memory: noteRefusal(context, memory, "propose") };
  }
}

interface KeptProposal {
  readonly topic: AgentTopic;
  readonly changes: readonly FileChange[];
  readonly message: string;
  /** Push it also where nothing stands yet. */
  readonly anew: boolean;
}

/** Pushes a proposal where it is missing, and moves it along with the branch; what people changed or closed is theirs. */
async function keepProposal(
  context: Context,
  branch: Branch,
  local: Local,
  memory: Memory,
  { topic, changes, message, anew }: KeptProposal,
): Promise<{ readonly local: Local; readonly memory: Memory; readonly stands: boolean }> {
  const state = await proposalState(context, branch, local, memory, topic, changes);
  switch (state.kind) {
    case "current":
      return { local: await adoptProposal(context, local, topic, changes, state.commit), memory, stands: true };
    case "changed":
      return { local, memory, stands: true };
    case "closed":
    case "none":
      // What people closed stays closed, until somebody asks for it by hand once more.
      if (!anew || (state.kind === "closed" && topic !== "leader")) return { local, memory, stands: false };
      return {
        ...(await pushProposal(context, branch, local, memory, { topic, changes, message, expected: null })),
        stands: true,
      };
    case "outdated":
      return {
        ...(await pushProposal(context, branch, local, memory, { topic, changes, message, expected: state.commit })),
        stands: true,
      };
    default:
      return state satisfies never;
  }
}
