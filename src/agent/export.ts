import { problem } from "../core/catalogue.ts";
import { diffFields } from "../core/diff.ts";
import { isObject } from "../core/json.ts";
import { filesOfKind } from "../core/kind-files.ts";
import { type CommittedChange, formatExportMessage } from "../core/message.ts";
import {
  BASE_ANNOTATION,
  CHANGE_REASON_ANNOTATION,
  type CommitId,
  type Content,
  EXPORT_ID_ANNOTATION,
  type FederatedKind,
  type FileChange,
  type Json,
  type LiveObject,
  type ObjectId,
  type Problem,
  type Snapshot,
  UUID_ANNOTATION,
} from "../core/model.ts";
import { annotationPatch } from "../core/patch.ts";
import type { Base, GitContent } from "../core/plan.ts";
import { formatRevision } from "../core/records.ts";
import { contentOf, readSnapshot, snapshotOf, snapshotPath, writeSnapshot } from "../core/snapshot.ts";
import { lastWriter } from "../core/writers.ts";
import { hasCode } from "../errors.ts";
import { authorOf } from "./author.ts";
import type { Branch, Context, Local } from "./context.ts";
import { withObject } from "./observe.ts";
import { writeRecords } from "./record.ts";

/** One kind's way from the leader's cluster into git. */
export type Export =
  | {
      readonly action: "write";
      readonly kind: FederatedKind;
      readonly object: LiveObject;
      readonly before: GitContent;
      readonly base: Base | null;
      readonly supersedes: readonly CommitId[];
    }
  | {
      readonly action: "entomb";
      readonly kind: FederatedKind;
      readonly snapshot: Snapshot;
      readonly base: Base | null;
    };

/** A commit that is ready to be published or proposed. */
export interface PreparedExport {
  readonly changes: readonly FileChange[];
  readonly message: string;
}

/**
 * Commits what changed on the leader, all kinds in one commit, on top of the very revision that was evaluated.
 * @throws FederationError AG2003 when the branch moved: the caller reads and decides afresh. AG3004 when the object
 * changed meanwhile.
 */
export async function exportChanges(
  context: Context,
  branch: Branch,
  local: Local,
  exports: readonly Export[],
): Promise<{ readonly local: Local; readonly commit: CommitId }> {
  const exportId = pendingId(context, exports) ?? context.chance.token();
  const recorded = await recordExports(context, branch, local, exports, exportId);
  const { changes, message } = prepareExport(branch, local, recorded.exports, exportId);
  const author = authorOf(context, local.self);
  const commit = await context.repository.publish({ parent: branch.head, changes, message, author }, context.signal);
  for (const { kind, action } of exports) context.telemetry.happened({ fact: "exported", kind, action });
  const subject = message.split("\n", 1)[0];
  context.note({ type: "Normal", reason: "Exported", message: `Committed ${commit.slice(0, 8)}: ${subject}` });
  const objects = exports.map((one) => `${one.kind} ${nameOf(one)}`);
  context.log("info", "exported", { revision: commit, cluster: local.self, objects });
  return { local: recorded.local, commit };
}

export function prepareExport(
  branch: Branch,
  local: Local,
  exports: readonly Export[],
  exportId: string,
): PreparedExport {
  const message = formatExportMessage({
    changes: exports.map(describe),
    cluster: local.self,
    amkoVersion: versionOf(local.amkoCluster),
    exportId,
  });
  return { changes: exports.flatMap((one) => fileChanges(branch, one, local)), message };
}

/**
 * Before a push a fresh id is written beside the base that was used; the commit carries it, so that a push whose
 * answer was lost is recognised, and a restored cluster is not deceived.
 */
export async function recordExports(
  context: Context,
  branch: Branch,
  local: Local,
  exports: readonly Export[],
  exportId: string,
): Promise<RecordedExports> {
  let current: RecordedExports = { local, exports: [] };
  for (const one of exports) {
    const recorded =
      one.action === "entomb"
        ? { local: await recordEntombment(context, current.local, one, exportId), one }
        : await recordWrite(context, branch, current.local, one, exportId);
    current = { local: recorded.local, exports: [...current.exports, recorded.one] };
  }
  return current;
}

export interface RecordedExports {
  readonly local: Local;
  /** With each object as it was when the id was written to it: that is what the commit holds. */
  readonly exports: readonly Export[];
}

/**
 * The id of an attempt that git did not take: recorded on every object with the base that is used again. (Had the push
 * landed, its commit would be the base.) A refused push must not write the objects anew each time it is tried.
 */
function pendingId({ settings }: Context, exports: readonly Export[]): string | null {
  const ids = exports.map((one) => {
    const annotations = one.action === "write" ? (one.object.metadata.annotations ?? {}) : {};
    const base = one.base === null ? undefined : formatRevision(settings.branch, one.base.revision);
    return annotations[BASE_ANNOTATION] === base ? annotations[EXPORT_ID_ANNOTATION] : undefined;
  });
  const [first] = ids;
  return first !== undefined && ids.every((id) => id === first) ? first : null;
}

async function recordEntombment(
  context: Context,
  local: Local,
  { kind, base }: Export,
  exportId: string,
): Promise<Local> {
  if (base === null) return local;
  const record = { revision: base.revision, amkoClusterUid: local.amkoCluster.metadata.uid, exportId };
  const bases = { ...local.records.bases, [kind]: record };
  return writeRecords(context, local, { ...local.records, bases });
}

type WriteExport = Extract<Export, { readonly action: "write" }>;

/** Somebody who writes the object all the time must not keep it out of git: this often it is read again at once. */
const CONFLICTS_MAX = 5;

/** What was written meanwhile goes along: nothing was changed in git that it could have to be merged with. */
async function recordWrite(
  context: Context,
  branch: Branch,
  local: Local,
  one: WriteExport,
  exportId: string,
): Promise<{ readonly local: Local; readonly one: Export }> {
  const { kind } = one;
  const { name, uid } = one.object.metadata;
  let current = local;
  for (let conflicts = 0; ; conflicts += 1) {
    try {
      return await writeExportId(context, current, one, exportId);
    } catch (error) {
      if (!hasCode(error, "AG3004") || conflicts === CONFLICTS_MAX) throw error;
      const listed = await context.cluster.list(kind, context.signal);
      const [object] = listed;
      if (listed.length !== 1 || object?.metadata.name !== name || object.metadata.uid !== uid) throw error;
      if (exportProblem(context, branch, kind, object) !== null) throw error;
      current = { ...current, objects: { ...current.objects, [kind]: listed } };
    }
  }
}

async function writeExportId(
  context: Context,
  local: Local,
  one: WriteExport,
  exportId: string,
): Promise<{ readonly local: Local; readonly one: Export }> {
  const { kind, base } = one;
  const { name, annotations } = one.object.metadata;
  const actual = local.objects[kind].find((object) => object.metadata.name === name) ?? one.object;
  const uuid = actual.metadata.annotations?.[UUID_ANNOTATION] ?? annotations?.[UUID_ANNOTATION];
  const patch = annotationPatch(actual, {
    ...(uuid === undefined ? {} : { [UUID_ANNOTATION]: uuid }),
    [EXPORT_ID_ANNOTATION]: exportId,
    [BASE_ANNOTATION]: base === null ? null : formatRevision(context.settings.branch, base.revision),
  });
  if (patch.length === 0) return { local, one: { ...one, object: actual } };
  const target = { kind, name, resourceVersion: actual.metadata.resourceVersion };
  const object = await context.cluster.patch(target, patch, { dryRun: false }, context.signal);
  return { local: withObject(local, kind, object), one: { ...one, object } };
}

/**
 * Why an object must not stand in git: every agent would refuse to read it, or the file would be what it is already
 * and the export would never end. Null when it may.
 */
export function exportProblem(
  { schemas }: Context,
  { revision }: Branch,
  kind: FederatedKind,
  object: LiveObject,
): Problem | null {
  const path = snapshotPath(kind, object.metadata.name);
  const bytes = writeSnapshot(snapshotOf(kind, object));
  const id = "" as ObjectId;
  const read = readSnapshot({ path, type: "file", id, size: bytes.length, bytes }, schemas);
  if (!read.ok) return read.problems[0] ?? null;
  const present = filesOfKind(revision, kind);
  const [only] = present;
  const same = present.length === 1 && only?.path === path && only.bytes !== null && equalBytes(only.bytes, bytes);
  if (!same) return null;
  return problem("AG9001", `${kind} ${object.metadata.name} differs from the branch, but its file does not`, { path });
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** The kind's one file. Every other file of the kind goes, so that a rename or a muddle in git heals. */
function fileChanges({ revision }: Branch, one: Export, { self }: Local): readonly FileChange[] {
  const path = snapshotPath(one.kind, nameOf(one));
  const snapshot =
    one.action === "entomb" ? { ...one.snapshot, deleted: `deleted on ${self}` } : snapshotOf(one.kind, one.object);
  const others = filesOfKind(revision, one.kind).filter((file) => file.path !== path);
  return [...others.map((file) => ({ path: file.path, bytes: null })), { path, bytes: writeSnapshot(snapshot) }];
}

function describe(one: Export): CommittedChange {
  const { kind } = one;
  if (one.action === "entomb") {
    return {
      action: "delete",
      kind,
      name: one.snapshot.name,
      fields: [],
      reason: null,
      changedWith: null,
      supersedes: [],
    };
  }
  const { object, before, supersedes } = one;
  const past = before.kind === "present" ? before.snapshot : null;
  return {
    action: past === null ? "create" : "update",
    kind,
    name: object.metadata.name,
    fields: past === null ? [] : diffFields(document(past), document(contentOf(object))),
    reason: object.metadata.annotations?.[CHANGE_REASON_ANNOTATION] ?? null,
    changedWith: lastWriter(object),
    supersedes,
  };
}

function document({ annotations, spec }: Content): Json {
  return { metadata: { annotations }, spec };
}

function versionOf({ spec }: LiveObject): string {
  const version = isObject(spec) ? spec["version"] : undefined;
  return typeof version === "string" ? version : "";
}

function nameOf(one: Export): string {
  return one.action === "entomb" ? one.snapshot.name : one.object.metadata.name;
}
