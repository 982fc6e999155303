import type { FieldChange } from "./diff.ts";
import { isObject } from "./json.ts";
import type { FederatedKind, KindState, Snapshot } from "./model.ts";
import { fieldsBetween } from "./snapshot-change.ts";

/** What one side of a comparison has of a kind. */
export interface ObjectSide {
  readonly state: KindState["kind"];
  /** Null where there is no object that can be used. */
  readonly name: string | null;
  /** Why it is unusable; null where it is not. */
  readonly reason: string | null;
}

/** An object that is not the same on both sides. Which sides have it says what became of it. */
export interface ObjectDiff {
  readonly kind: FederatedKind;
  readonly before: ObjectSide;
  readonly after: ObjectSide;
  /** Empty where the new side has nothing to compare. */
  readonly fields: readonly FieldChange[];
}

/** Compares what two sides say of a kind, as it stands there; null where they say the same. */
export function diffObject(kind: FederatedKind, before: KindState, after: KindState): ObjectDiff | null {
  const sides = { kind, before: sideOf(before), after: sideOf(after) };
  const next = snapshotOf(after);
  const fields = next === null ? [] : fieldsBetween(snapshotOf(before), next).filter((change) => !saysNothing(change));
  const { state, name, reason } = sides.before;
  const same = state === sides.after.state && name === sides.after.name && reason === sides.after.reason;
  return same && fields.length === 0 ? null : { ...sides, fields };
}

function sideOf(state: KindState): ObjectSide {
  const reason = state.kind === "unusable" ? state.problems.map(({ message }) => message).join("; ") : null;
  return { state: state.kind, name: snapshotOf(state)?.name ?? null, reason };
}

function snapshotOf(state: KindState): Snapshot | null {
  return state.kind === "present" || state.kind === "deleted" ? state.snapshot : null;
}

/** An object that is new brings its annotations and its spec along, whether or not something is in them. */
function saysNothing({ path, before, after }: FieldChange): boolean {
  return path.length === 1 && before === undefined && isObject(after) && Object.keys(after).length === 0;
}
