import { differingKinds } from "../core/kind-files.ts";
import {
  BASE_ANNOTATION,
  type CommitId,
  EXPORT_ID_ANNOTATION,
  type FederatedKind,
  type LiveObject,
  type Revision,
} from "../core/model.ts";
import type { Base } from "../core/plan.ts";
import { parseRevision } from "../core/records.ts";
import { contentOf, snapshotOf, snapshotPath, writeSnapshot } from "../core/snapshot.ts";
import type { Branch, Context, Local } from "./context.ts";
import { contentAt, findExport } from "./past.ts";
import { digestOf } from "./proposal.ts";

/** The recorded base of a kind: on the object or, where it carries none, in the ConfigMap under this AMKOCluster. */
export function recordedBase(
  kind: FederatedKind,
  { objects, records, amkoCluster }: Local,
): { readonly revision: CommitId | null; readonly exportId: string | null } | null {
  if (records.office?.unapplied.includes(kind) === true) return null;
  for (const { metadata } of objects[kind]) {
    const revision = parseRevision(metadata.annotations?.[BASE_ANNOTATION] ?? "");
    const exportId = metadata.annotations?.[EXPORT_ID_ANNOTATION] ?? null;
    // A first export has an id before it has a base.
    if (revision !== null || exportId !== null) return { revision, exportId };
  }
  const record = records.bases[kind];
  return record !== null && record.amkoClusterUid === amkoCluster.metadata.uid ? record : null;
}

/** The cluster got the object from git: it says so itself, or it is what the base was. */
export function isFromGit(base: Base | null, { metadata }: LiveObject): boolean {
  if (parseRevision(metadata.annotations?.[BASE_ANNOTATION] ?? "") !== null) return true;
  return base?.content.kind === "present" && base.content.snapshot.name === metadata.name;
}

/**
 * The base with its content. An own export between the recorded base and the head is the base, if its id is the one
 * that was recorded before the push: then the push landed and only its answer was lost.
 */
export async function readBase(
  context: Context,
  kind: FederatedKind,
  local: Local,
  branch: Branch,
): Promise<Base | null> {
  const recorded = recordedBase(kind, local);
  if (recorded === null) return null;
  const { revision, exportId } = recorded;
  if (revision === branch.head) return baseAt(context, kind, branch.revision);
  // A base that is not in the branch's past any more is as good as none: what would be overwritten is rescued first.
  const lost =
    revision !== null && (await context.repository.relation(revision, branch.head, context.signal)) === "unrelated";
  const until = lost ? null : revision;
  const own = exportId === null ? null : await findExport(context, branch.head, until, exportId);
  if (own !== null && (await holdsExport(context, kind, local, own))) return ownExport(context, kind, local, own);
  return until === null ? null : baseAt(context, kind, await context.repository.read(until, context.signal));
}

/**
 * The revision that an own export became. Where people changed a proposal before they squashed it, the revision holds
 * their version; the base is then what was proposed and still is live, and the revision a step after it.
 */
function ownExport(context: Context, kind: FederatedKind, local: Local, revision: Revision): Base {
  const base = baseAt(context, kind, revision);
  const [object] = local.objects[kind];
  if (object === undefined || !isProposed(kind, local)) return base;
  const content = contentOf(object);
  const step = {
    commit: revision.commit,
    before: [content],
    after: base.content.kind === "present" ? base.content.filled : null,
  };
  return { ...base, content: { kind: "present", snapshot: snapshotOf(kind, object), filled: content }, step };
}

/** What the cluster holds is what was proposed last. */
function isProposed(kind: FederatedKind, { objects, records }: Local): boolean {
  const proposed = records.proposals.config?.snapshots[kind];
  const [object] = objects[kind];
  return object !== undefined && proposed !== undefined && digestOfSnapshot(kind, object) === proposed;
}

/**
 * Whether a revision that carries the id of a kind's export is that export. Kinds that were recorded for one commit
 * carry the same id; where only one of them landed, the other's file there is whatever git held, and the cluster need
 * not have seen it. What was proposed counts also where people left it out of their merge: they decided so.
 */
async function holdsExport(context: Context, kind: FederatedKind, local: Local, revision: Revision): Promise<boolean> {
  // Where people's merge of it made the kind unusable, git holds nothing that the cluster could be compared with.
  if (contentAt(context, kind, revision).kind === "never") return false;
  const [parent] = revision.parents;
  if (parent === undefined || isProposed(kind, local)) return true;
  return differingKinds(await context.repository.read(parent, context.signal), revision).includes(kind);
}

export function digestOfSnapshot(kind: FederatedKind, object: LiveObject): string {
  const snapshot = snapshotOf(kind, object);
  return digestOf([{ path: snapshotPath(kind, snapshot.name), bytes: writeSnapshot(snapshot) }]);
}

function baseAt(context: Context, kind: FederatedKind, revision: Revision): Base {
  return { revision: revision.commit, content: contentAt(context, kind, revision) };
}
