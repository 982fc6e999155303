import { createHash } from "node:crypto";
import { changesBetween, isAllThatChanged } from "../core/file-changes.ts";
import type { CommitId, FileChange } from "../core/model.ts";
import type { AgentTopic, ProposalRecord, ProposalTopic } from "../core/records.ts";
import { proposalRef } from "../core/refs.ts";
import { hasCode } from "../errors.ts";
import { authorOf } from "./author.ts";
import type { Branch, Context, Local, Memory } from "./context.ts";
import { withRef } from "./observe.ts";
import { writeRecords } from "./record.ts";
import { noteRefusal } from "./refusals.ts";

/** What stands on a proposal's ref, seen from what this agent pushed there last. */
export type ProposalState =
  /** Nothing was proposed, or something else. */
  | { readonly kind: "none" }
  /** It stands as it should, on top of the head. */
  | { readonly kind: "current"; readonly commit: CommitId }
  /** It stands as this agent pushed it, but the head or the change moved on. */
  | { readonly kind: "outdated"; readonly commit: CommitId }
  /** Somebody else pushed to it: theirs is not overwritten. */
  | { readonly kind: "changed"; readonly commit: CommitId }
  /** It was proposed and its ref is gone: closed, or merged. */
  | { readonly kind: "closed" };

/** Of a snapshot's canonical bytes, or of a whole change, in whatever order. */
export function digestOf(changes: readonly FileChange[]): string {
  const hash = createHash("sha256");
  for (const { path, bytes } of changes.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    hash.update(`${path}\0${bytes === null ? "removed" : bytes.length}\0`);
    if (bytes !== null) hash.update(bytes);
  }
  return hash.digest("hex").slice(0, 32);
}

/** Compares a proposal's ref with what is to be proposed now. */
export async function proposalState(
  { repository, signal }: Context,
  { head, revision }: Branch,
  { self, records }: Local,
  { refs }: Memory,
  topic: ProposalTopic,
  changes: readonly FileChange[],
): Promise<ProposalState> {
  const commit = refs?.get(proposalRef(self, topic)) ?? null;
  const record = records.proposals[topic];
  if (commit === null) return record?.digest === digestOf(changes) ? { kind: "closed" } : { kind: "none" };
  const { parents, files } = await repository.read(commit, signal);
  const onHead = parents.length === 1 && parents[0] === head;
  // Whoever pushed it, and whether or not we remember that it was us: it says what is to be proposed, and nothing else.
  if (onHead && isAllThatChanged(changes, revision.files, files)) return { kind: "current", commit };
  if (record?.commit === commit) return { kind: "outdated", commit };
  // An agent that died right after its push, or could not write it down, finds what it was about to push.
  const [parent, ...others] = parents;
  if (record?.next === undefined || parent === undefined || others.length > 0) return { kind: "changed", commit };
  const below = await repository.read(parent, signal);
  const isMeant = digestOf(changesBetween(below.files, files)) === record.next;
  return { kind: isMeant ? "outdated" : "changed", commit };
}

export interface ProposalRequest {
  readonly topic: AgentTopic;
  readonly changes: readonly FileChange[];
  readonly message: string;
  /** What the ref holds now; null where it does not exist. */
  readonly expected: CommitId | null;
  readonly snapshots?: ProposalRecord["snapshots"];
}

/** Pushes a change to review: one commit on top of the head. Remembers it, to know people's changes from its own. */
export async function pushProposal(
  context: Context,
  branch: Branch,
  local: Local,
  memory: Memory,
  { topic, changes, message, expected, snapshots = {} }: ProposalRequest,
): Promise<{ readonly local: Local; readonly memory: Memory }> {
  const ref = proposalRef(local.self, topic);
  const author = authorOf(context, local.self);
  const digest = digestOf(changes);
  const announced = await announce(context, local, topic, digest);
  const commit = await context.repository.propose(
    { ref, expected, parent: branch.head, changes, message, author },
    context.signal,
  );
  context.telemetry.happened({ fact: "proposed", topic });
  context.log("info", "proposed", { cluster: local.self, ref, revision: commit });
  const amkoClusterUid = local.amkoCluster.metadata.uid;
  const record = { commit, digest, amkoClusterUid, snapshots };
  const proposals = { ...announced.records.proposals, [topic]: record };
  const recorded = await writeRecords(context, announced, { ...announced.records, proposals });
  return { local: recorded, memory: { ...memory, refs: withRef(memory.refs ?? new Map(), ref, commit) } };
}

/** What replaces a proposal is recorded first, so that nobody's change is taken for it, nor it for somebody's change. */
function announce(context: Context, local: Local, topic: AgentTopic, next: string): Promise<Local> {
  const known = local.records.proposals[topic];
  if (known === undefined) return Promise.resolve(local);
  const proposals = { ...local.records.proposals, [topic]: { ...known, next } };
  return writeRecords(context, local, { ...local.records, proposals });
}

/** Remembers a proposal that stands as it should: whoever pushed it, or an earlier life of this agent that died then. */
export async function adoptProposal(
  context: Context,
  local: Local,
  topic: ProposalTopic,
  changes: readonly FileChange[],
  commit: CommitId,
): Promise<Local> {
  const known = local.records.proposals[topic];
  if (known?.commit === commit) return local;
  const amkoClusterUid = local.amkoCluster.metadata.uid;
  const record = { commit, digest: digestOf(changes), amkoClusterUid, snapshots: known?.snapshots ?? {} };
  const proposals = { ...local.records.proposals, [topic]: record };
  return writeRecords(context, local, { ...local.records, proposals });
}

/** Is the digest of nothing that could be proposed, and of no record that was lost: an empty one is read as none. */
const WITHDRAWN = "withdrawn";

/**
 * Takes back what is not needed any more: the ref, if it is still as this agent left it, and the record. Where git lets
 * nobody delete it, it stays for people, and is tried again from time to time.
 */
export async function withdrawProposal(
  context: Context,
  local: Local,
  memory: Memory,
  topic: ProposalTopic,
): Promise<{ readonly local: Local; readonly memory: Memory }> {
  const ref = proposalRef(local.self, topic);
  const commit = memory.refs?.get(ref) ?? null;
  const record = local.records.proposals[topic];
  if (record === undefined) return { local, memory };
  const ours = commit !== null && commit === record.commit;
  if (ours && memory.refusedAtMs.withdraw !== undefined) return { local, memory };
  let current = local;
  if (ours) {
    // First said, then done: an agent that dies in between must not take its own withdrawal for a person's refusal.
    const withdrawing = { ...local.records.proposals, [topic]: { ...record, digest: WITHDRAWN } };
    current = await writeRecords(context, local, { ...local.records, proposals: withdrawing });
    try {
      await context.repository.moveRef({ ref, expected: commit, target: null }, context.signal);
    } catch (error) {
      if (!hasCode(error, "AG2004", "AG2013")) throw error;
      const { code, message } = error;
      context.log("warn", "proposal could not be withdrawn", { cluster: local.self, ref, code, cause: message });
      return { local: current, memory: noteRefusal(context, memory, "withdraw") };
    }
    context.log("info", "withdrew a proposal", { cluster: local.self, ref });
  }
  const { [topic]: _withdrawn, ...proposals } = current.records.proposals;
  const recorded = await writeRecords(context, current, { ...current.records, proposals });
  return { local: recorded, memory: ours ? { ...memory, refs: withRef(memory.refs ?? new Map(), ref, null) } : memory };
}
