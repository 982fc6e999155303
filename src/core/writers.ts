import { isObject } from "./json.ts";
import type { Json, LiveObject, ManagedField } from "./model.ts";

/** The field manager under which this agent writes. */
const AGENT_FIELD_MANAGER = "amko-gitops";

/**
 * Who wrote the object last, beside this agent, as the API server recorded it; null when it does not say. AMKO answers
 * an edit with a status at once: whoever wrote nothing of the object itself is not asked about.
 */
export function lastWriter({ metadata }: LiveObject): string | null {
  const others = (metadata.managedFields ?? [])
    .filter(({ manager }) => isSomebodyElse(manager))
    .filter(({ fieldsV1 }) => !isObject(fieldsV1) || "f:spec" in fieldsV1 || "f:metadata" in fieldsV1);
  const newest = others.toSorted((a, b) => (b.time ?? "").localeCompare(a.time ?? ""))[0];
  return newest?.manager ?? null;
}

/** Who gave one field of the spec its value, as the API server recorded it; null when it does not say. */
export function writerOfField({ metadata }: LiveObject, field: string): string | null {
  return (metadata.managedFields ?? []).find((entry) => owns(entry, field))?.manager ?? null;
}

function owns({ fieldsV1 }: ManagedField, field: string): boolean {
  const spec: Json | undefined = isObject(fieldsV1) ? fieldsV1["f:spec"] : undefined;
  return isObject(spec) && Object.hasOwn(spec, `f:${field}`);
}

function isSomebodyElse(manager: string | undefined): manager is string {
  return manager !== undefined && manager !== "" && manager !== AGENT_FIELD_MANAGER;
}
