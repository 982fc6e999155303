import { diffFields, type FieldChange } from "./diff.ts";
import type { CommittedChange } from "./message.ts";
import { type FileChange, type KindState, type Snapshot, UUID_ANNOTATION } from "./model.ts";
import { snapshotPath, writeSnapshot } from "./snapshot.ts";

/** One snapshot that a commit would write. */
export interface SnapshotChange {
  readonly file: FileChange;
  readonly told: Pick<CommittedChange, "kind" | "action" | "fields">;
}

/**
 * The change that makes a kind say `wanted`. The UUID that is on the branch stays, and so does the object's name: AMKO
 * takes another name for a second object. Both are those that clusters hold, also while `today` cannot be used. Null
 * where the kind says so already.
 */
export function changeSnapshot(today: KindState, usable: KindState, wanted: Snapshot): SnapshotChange | null {
  const [former, held] = [snapshotIn(today), snapshotIn(usable)];
  const uuid = held?.annotations[UUID_ANNOTATION] ?? wanted.annotations[UUID_ANNOTATION];
  const next: Snapshot = {
    ...wanted,
    name: held?.name ?? wanted.name,
    annotations: uuid === undefined ? wanted.annotations : { ...wanted.annotations, [UUID_ANNOTATION]: uuid },
  };
  const fields = fieldsBetween(former, next);
  if (former !== null && fields.length === 0) return null;
  const action = next.deleted !== null ? "delete" : former === null ? "create" : "update";
  return {
    file: { path: snapshotPath(next.kind, next.name), bytes: writeSnapshot(next) },
    told: { kind: next.kind, action, fields },
  };
}

function snapshotIn(state: KindState): Snapshot | null {
  return state.kind === "present" || state.kind === "deleted" ? state.snapshot : null;
}

/** What differs of two snapshots of a kind, a tombstone's text included. */
export function fieldsBetween(before: Snapshot | null, after: Snapshot): readonly FieldChange[] {
  const document = ({ annotations, spec, deleted }: Snapshot) => ({
    annotations,
    spec,
    ...(deleted !== null && { deleted }),
  });
  return diffFields(before === null ? {} : document(before), document(after));
}
