import { problem } from "../core/catalogue.ts";
import { diffFields } from "../core/diff.ts";
import { equalBytes } from "../core/file-changes.ts";
import { isObject } from "../core/json.ts";
import { filesOfKind } from "../core/kind-files.ts";
import { type CommittedChange, formatExportMessage } from "../core/message.ts";
import {
  CHANGE_REASON_ANNOTATION,
  type CommitId,
  type Content,
  type FederatedKind,
  type FileChange,
  type Json,
  type LiveObject,
  type ObjectId,
  type Problem,
  type Snapshot,
} from "../core/model.ts";
import type { Base, GitContent } from "../core/plan.ts";
import { contentOf, readSnapshot, snapshotOf, snapshotPath, writeSnapshot } from "../core/snapshot.ts";
import { lastWriter } from "../core/writers.ts";
import type { Branch, Context, Local } from "./context.ts";

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
  const same = present.length === 1 && only?.path === path && equalBytes(only.bytes, bytes);
  if (!same) return null;
  return problem("AG9001", `${kind} ${object.metadata.name} differs from the branch, but its file does not`, { path });
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

export function nameOf(one: Export): string {
  return one.action === "entomb" ? one.snapshot.name : one.object.metadata.name;
}
