import { isObject, member } from "../../core/json.ts";
import type { Json } from "../../core/model.ts";
import { ageSince, column, NAME_COLUMN } from "./columns.ts";
import { type ApiObject, at, textAt } from "./object.ts";

/** Events are kept in the core group's form; events.k8s.io names some of the same fields differently. */
export const EVENT_STORAGE = "core/events";

/** The agent of a sandbox reports for days; only the newest are kept. */
export const EVENTS_MAX = 1_000;

const RENAMED = [
  ["regarding", "involvedObject"],
  ["note", "message"],
  ["reportingController", "reportingComponent"],
  ["deprecatedSource", "source"],
  ["deprecatedFirstTimestamp", "firstTimestamp"],
  ["deprecatedLastTimestamp", "lastTimestamp"],
  ["deprecatedCount", "count"],
] as const;

export function toCoreEvent(event: ApiObject): ApiObject {
  return rename(event, "v1", new Map(RENAMED));
}

export function fromCoreEvent(event: ApiObject): ApiObject {
  return rename(event, "events.k8s.io/v1", new Map(RENAMED.map(([name, core]) => [core, name])));
}

function rename(event: ApiObject, apiVersion: string, names: ReadonlyMap<string, string>): ApiObject {
  const entries = Object.entries(event).map(([key, value]): [string, Json] => [names.get(key) ?? key, value]);
  return { ...(Object.fromEntries(entries) as ApiObject), apiVersion };
}

export const EVENT_FIELDS: readonly string[] = [
  "involvedObject.kind",
  "involvedObject.namespace",
  "involvedObject.name",
  "involvedObject.uid",
  "involvedObject.apiVersion",
  "involvedObject.resourceVersion",
  "involvedObject.fieldPath",
  "reason",
  "reportingComponent",
  "source",
  "type",
];

function lastSeen(event: ApiObject): string {
  return ageSince(
    textAt(event, "series", "lastObservedTime") ||
      textAt(event, "lastTimestamp") ||
      textAt(event, "eventTime") ||
      (event.metadata.creationTimestamp ?? ""),
  );
}

export const EVENT_COLUMNS = [
  column("Last Seen", lastSeen),
  column("Type", (event) => textAt(event, "type")),
  column("Reason", (event) => textAt(event, "reason")),
  column("Object", involved),
  column("Source", (event) => textAt(event, "source", "component") || textAt(event, "reportingComponent"), {
    priority: 1,
  }),
  column("Message", (event) => textAt(event, "message").trim()),
  column("Count", (event) => String(at(event, "series", "count") ?? member(event, "count") ?? 1), { priority: 1 }),
  { ...NAME_COLUMN, priority: 1 },
];

function involved(event: ApiObject): string {
  const object = member(event, "involvedObject");
  return isObject(object) ? `${textAt(object, "kind").toLowerCase()}/${textAt(object, "name")}` : "";
}
