import { problem } from "../core/catalogue.ts";
import { parseMessage, TRAILERS, trailerValues } from "../core/message.ts";
import { type CommitId, EXPORT_ID_ANNOTATION, type FederatedKind, type Problem } from "../core/model.ts";
import { proposalRef } from "../core/refs.ts";
import { readSnapshot } from "../core/snapshot.ts";
import { digestOfSnapshot, recordedBase } from "./base.ts";
import type { Branch, Context, Local, Memory } from "./context.ts";
import { type Export, prepareExport } from "./export.ts";
import { pendingId, recordExports } from "./export-record.ts";
import { standsInGit } from "./past.ts";
import { adoptProposal, type ProposalState, proposalState, pushProposal, withdrawProposal } from "./proposal.ts";
import { rescue } from "./rescue.ts";

export interface Proposed {
  readonly local: Local;
  readonly memory: Memory;
  /** What people have to do about it. */
  readonly problem: Problem;
  /** Why a kind is not among what is proposed. */
  readonly refused: ReadonlyMap<FederatedKind, Problem>;
  /** Why nothing waits to be merged: people closed it. */
  readonly closed: Problem | null;
}

const NONE_REFUSED: Proposed["refused"] = new Map();

/**
 * Keeps `propose/<self>/config` what the leader's cluster holds, on top of the head. People's own changes to it are
 * not overwritten, and what they closed is not proposed again until it changes.
 */
export async function proposeChanges(
  context: Context,
  branch: Branch,
  local: Local,
  memory: Memory,
  exports: readonly Export[],
): Promise<Proposed> {
  const wanted = prepareExport(branch, local, exports, "").changes;
  const found = await proposalState(context, branch, local, memory, "config", wanted);
  const state = await reconsider(context, local, found, exports);
  const adopted =
    state.kind === "current" ? await adoptProposal(context, local, "config", wanted, state.commit) : local;
  const problem = tell(local, state);
  const closed = state.kind === "closed" ? problem : null;
  const told = { local: adopted, memory, problem, refused: NONE_REFUSED, closed };
  if (state.kind !== "none" && state.kind !== "outdated") return told;
  // A proposal that moves along keeps its id: whichever state of it is merged is recognised by it.
  const known = state.kind === "outdated" ? recordedId(exports) : pendingId(context, local, exports);
  const exportId = known ?? context.chance.token();
  const recorded = await recordExports(context, branch, adopted, exports, exportId);
  const [refusal] = recorded.refused.values();
  if (refusal !== undefined) {
    const kept = { local: recorded.local, memory, closed: null };
    const others = recorded.exports.length > 0;
    const rest = others ? await proposeChanges(context, branch, kept.local, memory, recorded.exports) : kept;
    return { ...rest, problem: refusal, refused: recorded.refused };
  }
  const { changes, message } = prepareExport(branch, adopted, recorded.exports, exportId);
  const expected = state.kind === "outdated" ? state.commit : null;
  const snapshots = Object.fromEntries(recorded.exports.flatMap(digestEntry));
  const pushed = await pushProposal(context, branch, recorded.local, memory, {
    topic: "config",
    changes,
    message,
    expected,
    snapshots,
  });
  return { ...told, ...pushed };
}

/** What the records alone cannot tell. */
async function reconsider(
  context: Context,
  local: Local,
  state: ProposalState,
  exports: readonly Export[],
): Promise<ProposalState> {
  if (state.kind === "closed" && wasMerged(local, exports)) return { kind: "none" };
  if (state.kind === "changed" && (await isOwn(context, local, state.commit, exports))) {
    return { kind: "outdated", commit: state.commit };
  }
  return state;
}

/** Pushed by this agent, which lost its record of it since: the commit carries the id that stands on the object. */
async function isOwn(
  { repository, signal }: Context,
  { records }: Local,
  commit: CommitId,
  exports: readonly Export[],
): Promise<boolean> {
  if (records.proposals.config !== undefined) return false;
  const { message, parents } = await repository.read(commit, signal);
  const [id = null, ...others] = trailerValues(parseMessage(message), TRAILERS.exportId);
  return parents.length === 1 && others.length === 0 && id !== null && id === recordedId(exports);
}

/** An own export is the base, and not yet recorded as such: people merged it, and git lost it since. */
function wasMerged(local: Local, exports: readonly Export[]): boolean {
  return exports.some(({ kind, base }) => base !== null && base.revision !== recordedBase(kind, local)?.revision);
}

function digestEntry(one: Export): readonly (readonly [FederatedKind, string])[] {
  return one.action === "write" ? [[one.kind, digestOfSnapshot(one.kind, one.object)]] : [];
}

function recordedId(exports: readonly Export[]): string | null {
  for (const one of exports) {
    const id = one.action === "write" ? one.object.metadata.annotations?.[EXPORT_ID_ANNOTATION] : undefined;
    if (id !== undefined) return id;
  }
  return null;
}

function tell({ self }: Local, state: ProposalState): Problem {
  const ref = proposalRef(self, "config");
  switch (state.kind) {
    case "changed":
      return problem("AG5017", `people changed the proposal …/${ref}, and the cluster holds something else`);
    case "closed":
      return problem("AG5018", `the proposal …/${ref} was closed, and the cluster still holds what nobody merged`);
    case "none":
    case "current":
    case "outdated":
      return problem("AG5016", `a change of this cluster waits in …/${ref} to be merged`);
    default:
      return state satisfies never;
  }
}

/** Deposed: what was proposed and never merged is rescued, and the proposal is deleted. */
export async function abandonProposal(
  context: Context,
  branch: Branch,
  local: Local,
  memory: Memory,
): Promise<{ readonly local: Local; readonly memory: Memory }> {
  const record = local.records.proposals.config;
  if (record === undefined) return { local, memory };
  let current = local;
  if (memory.refs?.get(proposalRef(local.self, "config")) === record.commit) {
    const { files } = await context.repository.read(record.commit, context.signal);
    for (const file of files.filter(({ path }) => path.startsWith("federation/"))) {
      const read = readSnapshot(file, context.schemas);
      if (!read.ok || read.snapshot.deleted !== null) continue;
      if (await standsInGit(context, read.snapshot.kind, read.snapshot, branch.head)) continue;
      current = await rescue(context, current, read.snapshot);
    }
  }
  return withdrawProposal(context, current, memory, "config");
}
