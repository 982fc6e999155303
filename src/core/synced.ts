import { describeUnknown, PARTIAL_TYPES, updateConditions } from "./conditions.ts";
import { isObject } from "./json.ts";
import type { Json, LiveObject } from "./model.ts";
import type { PatchOperation } from "./patch.ts";

/** Whether the cluster holds what the branch says, as its agent told last. */
export interface SyncedCondition {
  /** `True`, `False` or `Unknown`. */
  readonly status: string;
  /** The revision, or the cause. */
  readonly reason: string;
}

/** Null where no agent has said anything yet. */
export function readSynced({ status }: LiveObject): SyncedCondition | null {
  const conditions = isObject(status) ? status["conditions"] : undefined;
  const entries = Array.isArray(conditions) ? (conditions as readonly Json[]).filter(isObject) : [];
  const found = entries.find(({ type }) => type === "Synced");
  if (found === undefined) return null;
  const text = (field: string): string => (typeof found[field] === "string" ? found[field] : "");
  return { status: text("status"), reason: text("reason") };
}

/**
 * Puts a question in the place of the agent's last answer. The agent writes a status whose meaning is another, and
 * every write carries the version that it read: so what replaces the question was found out after it was asked.
 */
export function questionPatch(object: LiveObject, question: string): readonly PatchOperation[] {
  const conditions = updateConditions(object, describeUnknown(question), PARTIAL_TYPES);
  if (conditions === null) return [];
  return [{ op: "add", path: "/status", value: { ...(isObject(object.status) ? object.status : {}), conditions } }];
}
