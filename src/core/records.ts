import { isObject } from "./json.ts";
import type { CommitId, FederatedKind, Json, Uid } from "./model.ts";
import { FEDERATED_KINDS } from "./model.ts";
import type { FieldValues, RestartRecord } from "./restart.ts";

/** What the agent remembers of one kind, beside the annotation on the object. */
export interface BaseRecord {
  /** The newest revision that the cluster is known to have held for the kind. */
  readonly revision: CommitId;
  /** The AMKOCluster it was recorded under; under another one (reinstalled, restored) it does not count. */
  readonly amkoClusterUid: Uid;
  /** The id of the export that is under way or was the last; null when there was none. */
  readonly exportId: string | null;
}

/** This cluster is in office: its AMKOCluster may say leader. */
export interface OfficeRecord {
  readonly amkoClusterUid: Uid;
  /** The value of `amko/leading/<self>` that was claimed. */
  readonly claim: CommitId;
  /** The claims of others that stood beside it when it took office, and were not to be waited for any longer. */
  readonly unconfirmed: readonly CommitId[];
  /** Kinds that could not be applied before: what the cluster holds of them is no word of the leader, and git wins. */
  readonly unapplied: readonly FederatedKind[];
}

/** What the ConfigMap `amko-gitops` holds. Everything in it can be lost without harm: then git wins. */
export interface Records {
  readonly bases: Readonly<Record<FederatedKind, BaseRecord | null>>;
  readonly office: OfficeRecord | null;
  /** The newest head that was judged; a head that does not descend from it means a rewritten branch. */
  readonly head: CommitId | null;
  /** What this agent proposed last, by the last part of the ref. */
  readonly proposals: Readonly<Partial<Record<ProposalTopic, ProposalRecord>>>;
  /** What AMKO here runs with, while this cluster is in office. */
  readonly restart: RestartRecord | null;
  /** The AMKOCluster in which somebody set `isLeader` by hand: put back, and git has not taken the flip yet. */
  readonly owedFlip: Uid | null;
  /** The head on which this agent was about to commit a flip that somebody asked for by hand (`--local-designation`). */
  readonly flipOn: CommitId | null;
}

/** `config`: a change of the leader's objects; `leader`: a flip that somebody asked for; `version`: a mended manifest. */
export const AGENT_TOPICS = ["config", "leader", "version"] as const;
export type AgentTopic = (typeof AGENT_TOPICS)[number];

/** `adopt` and `rollback` come from people's command line; no agent touches them. */
const PROPOSAL_TOPICS = [...AGENT_TOPICS, "adopt", "rollback"] as const;
export type ProposalTopic = (typeof PROPOSAL_TOPICS)[number];

export interface ProposalRecord {
  /** The commit that was pushed; where the ref holds another one, people changed the proposal. */
  readonly commit: CommitId;
  /** Of what was proposed: the same is not proposed again after people closed it. */
  readonly digest: string;
  /** Of what was about to be pushed in its place; not given where that is done. */
  readonly next?: string;
  /** The AMKOCluster it was recorded under; under another one the proposal is somebody else's, and people decide. */
  readonly amkoClusterUid: Uid;
  /** Of each kind's snapshot in it: tells whether the cluster still holds what was proposed. */
  readonly snapshots: Readonly<Partial<Record<FederatedKind, string>>>;
}

/** Reads the ConfigMap's data. What a person broke by hand counts as not there. */
export function parseRecords(data: Readonly<Record<string, string>>): Records {
  const base = (kind: FederatedKind): BaseRecord | null => parseBase(fields(data[`base.${kind}`]));
  return {
    bases: { GSLBConfig: base("GSLBConfig"), GlobalDeploymentPolicy: base("GlobalDeploymentPolicy") },
    office: parseOffice(fields(data["office"])),
    head: parseRevision(data["head"] ?? ""),
    proposals: parseProposals(data),
    restart: parseRestart(fields(data["restart"])),
    owedFlip: (data["owed-flip"] || null) as Uid | null,
    flipOn: parseRevision(data["flip-on"] ?? ""),
  };
}

/** What counts under this AMKOCluster of what was proposed. */
export function proposalsUnder(uid: Uid, { proposals }: Records): Records["proposals"] {
  return Object.fromEntries(Object.entries(proposals).filter(([, { amkoClusterUid }]) => amkoClusterUid === uid));
}

/** The ConfigMap's data for `records`; keys of `data` that are not ours stay. */
export function formatRecords(
  records: Records,
  branch: string,
  data: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const result: Record<string, string> = { ...data };
  const put = (key: string, value: string | null): void => {
    if (value === null) delete result[key];
    else result[key] = value;
  };
  for (const kind of FEDERATED_KINDS) {
    const base = records.bases[kind];
    put(`base.${kind}`, base && JSON.stringify({ ...base, revision: formatRevision(branch, base.revision) }));
  }
  put("office", records.office && JSON.stringify(records.office));
  put("head", records.head && formatRevision(branch, records.head));
  for (const topic of PROPOSAL_TOPICS) {
    const proposal = records.proposals[topic];
    put(`proposal.${topic}`, proposal === undefined ? null : JSON.stringify(proposal));
  }
  put("restart", records.restart && JSON.stringify(records.restart));
  put("owed-flip", records.owedFlip);
  put("flip-on", records.flipOn && formatRevision(branch, records.flipOn));
  return result;
}

/** `main@sha1:<40 hex>` */
export function formatRevision(branch: string, commit: CommitId): string {
  return `${branch}@sha1:${commit}`;
}

/** The commit of `main@sha1:<40 hex>`, whatever the branch; null for anything else. */
export function parseRevision(text: string): CommitId | null {
  return (/@sha1:([0-9a-f]{40})$/.exec(text)?.[1] as CommitId | undefined) ?? null;
}

export function parseCommitId(text: string): CommitId | null {
  return /^[0-9a-f]{40}$/.test(text) ? (text as CommitId) : null;
}

function parseBase(record: Readonly<Record<string, Json>>): BaseRecord | null {
  const revision = parseRevision(text(record["revision"]) ?? "");
  const amkoClusterUid = text(record["amkoClusterUid"]);
  if (revision === null || amkoClusterUid === null) return null;
  return { revision, amkoClusterUid: amkoClusterUid as Uid, exportId: text(record["exportId"]) };
}

function parseOffice(record: Readonly<Record<string, Json>>): OfficeRecord | null {
  const claim = parseCommitId(text(record["claim"]) ?? "");
  const amkoClusterUid = text(record["amkoClusterUid"]);
  if (claim === null || amkoClusterUid === null) return null;
  const listed = Array.isArray(record["unconfirmed"]) ? (record["unconfirmed"] as readonly Json[]) : [];
  const unconfirmed = listed.map((one) => parseCommitId(String(one))).filter((one) => one !== null);
  const kinds = Array.isArray(record["unapplied"]) ? (record["unapplied"] as readonly Json[]) : [];
  const unapplied = FEDERATED_KINDS.filter((kind) => kinds.includes(kind));
  return { amkoClusterUid: amkoClusterUid as Uid, claim, unconfirmed, unapplied };
}

function parseProposals(data: Readonly<Record<string, string>>): Records["proposals"] {
  const known = PROPOSAL_TOPICS.flatMap((topic) => {
    const record = fields(data[`proposal.${topic}`]);
    const commit = parseCommitId(text(record["commit"]) ?? "");
    const digest = text(record["digest"]);
    const amkoClusterUid = text(record["amkoClusterUid"]) as Uid | null;
    if (commit === null || digest === null || amkoClusterUid === null) return [];
    const digests = isObject(record["snapshots"]) ? record["snapshots"] : {};
    const known = FEDERATED_KINDS.map((kind) => [kind, text(digests[kind])] as const);
    const snapshots = Object.fromEntries(known.filter(([, one]) => one !== null)) as ProposalRecord["snapshots"];
    const next = text(record["next"]);
    return [[topic, { commit, digest, ...(next === null ? {} : { next }), amkoClusterUid, snapshots }] as const];
  });
  return Object.fromEntries(known);
}

function parseRestart(record: Readonly<Record<string, Json>>): RestartRecord | null {
  const claim = parseCommitId(text(record["claim"]) ?? "");
  const { loaded, seen } = record;
  if (claim === null || !isObject(loaded) || !isObject(seen)) return null;
  return { claim, revision: text(record["revision"]), loaded: loaded satisfies FieldValues, seen };
}

function fields(json: string | undefined): Readonly<Record<string, Json>> {
  if (json === undefined) return {};
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? (value as Record<string, Json>) : {};
  } catch {
    // Broken by hand. Reading it as empty is safe: without a base, what git says wins after a rescue.
    return {};
  }
}

function text(value: Json | undefined): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
