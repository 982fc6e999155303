import { isObject } from "../../core/json.ts";
import type { Json, JsonObject } from "../../core/model.ts";
import { readSchema } from "../../core/schema.ts";
import { ageOf, column, NAME_COLUMN } from "./columns.ts";
import { EVENT_COLUMNS, EVENT_FIELDS, EVENT_STORAGE, fromCoreEvent, toCoreEvent } from "./events.ts";
import { type ApiObject, at, nameOf, textAt, timestamp } from "./object.ts";
import { DEFINITION_STORAGE, type ResourceType, unchanged } from "./resource-type.ts";

export const NAMESPACE_STORAGE = "core/namespaces";

const TEXT = { type: "string" };
const TEXTS = { type: "object", additionalProperties: TEXT };
const ANYTHING = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
const AGE = ageOf("Age", "metadata", "creationTimestamp");

/** What the server offers besides custom resources: as much of it as AMKO, the agent and kubectl need. */
export const BUILT_IN_TYPES: readonly ResourceType[] = [
  builtIn({
    kind: "Namespace",
    plural: "namespaces",
    shortNames: ["ns"],
    namespaced: false,
    statusSubresource: true,
    storage: NAMESPACE_STORAGE,
    properties: { spec: ANYTHING, status: ANYTHING },
    columns: [NAME_COLUMN, column("Status", (object) => textAt(object, "status", "phase")), AGE],
    prepare: (object) => ({ ...object, spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } }),
  }),
  builtIn({
    kind: "ConfigMap",
    plural: "configmaps",
    shortNames: ["cm"],
    properties: { data: TEXTS, binaryData: TEXTS, immutable: { type: "boolean" } },
    columns: [NAME_COLUMN, column("Data", countData), AGE],
  }),
  builtIn({
    kind: "Secret",
    plural: "secrets",
    properties: { data: TEXTS, stringData: TEXTS, type: TEXT, immutable: { type: "boolean" } },
    columns: [NAME_COLUMN, column("Type", (object) => textAt(object, "type")), column("Data", countData), AGE],
    prepare: (object) => ({ type: "Opaque", ...object }),
    toStorage: encodeStringData,
  }),
  builtIn({
    kind: "Event",
    plural: "events",
    shortNames: ["ev"],
    storage: EVENT_STORAGE,
    properties: eventProperties([
      "involvedObject",
      "source",
      "reportingComponent",
      "message",
      "firstTimestamp",
      "lastTimestamp",
      "count",
    ]),
    columns: EVENT_COLUMNS,
    selectableFields: EVENT_FIELDS,
  }),
  builtIn({
    group: "events.k8s.io",
    kind: "Event",
    plural: "events",
    shortNames: ["ev"],
    storage: EVENT_STORAGE,
    properties: eventProperties([
      "regarding",
      "note",
      "reportingController",
      "deprecatedSource",
      "deprecatedFirstTimestamp",
      "deprecatedLastTimestamp",
      "deprecatedCount",
    ]),
    columns: EVENT_COLUMNS.map((eventColumn) => ({
      ...eventColumn,
      value: (event: ApiObject) => eventColumn.value(toCoreEvent(event)),
    })),
    selectableFields: ["reason", "type", "regarding.name", "regarding.kind", "regarding.uid"],
    toStorage: toCoreEvent,
    fromStorage: fromCoreEvent,
  }),
  builtIn({
    group: "apps",
    kind: "StatefulSet",
    plural: "statefulsets",
    shortNames: ["sts"],
    categories: ["all"],
    statusSubresource: true,
    counted: true,
    properties: { spec: ANYTHING, status: ANYTHING },
    columns: [NAME_COLUMN, column("Ready", readyReplicas), AGE],
  }),
  builtIn({
    group: "apiextensions.k8s.io",
    kind: "CustomResourceDefinition",
    plural: "customresourcedefinitions",
    shortNames: ["crd", "crds"],
    namespaced: false,
    statusSubresource: true,
    counted: true,
    storage: DEFINITION_STORAGE,
    properties: { spec: ANYTHING, status: ANYTHING },
    columns: [NAME_COLUMN, column("Created At", (object) => object.metadata.creationTimestamp ?? "")],
    prepare: establishDefinition,
  }),
];

type BuiltIn = Pick<ResourceType, "kind" | "plural" | "columns"> &
  Partial<ResourceType> & { readonly properties: JsonObject };

function builtIn({ properties, ...type }: BuiltIn): ResourceType {
  const { group = "", kind } = type;
  const openApiSchema = {
    description: `${kind}, as far as this server knows it.`,
    type: "object",
    properties: { apiVersion: TEXT, kind: TEXT, metadata: { type: "object" }, ...properties },
  };
  return {
    group,
    version: "v1",
    listKind: `${kind}List`,
    singular: kind.toLowerCase(),
    shortNames: [],
    categories: [],
    namespaced: true,
    custom: false,
    statusSubresource: false,
    counted: false,
    storage: `${group === "" ? "core" : group}/${type.plural}`,
    schema: readSchema(openApiSchema),
    openApiSchema,
    selectableFields: [],
    prepare: unchanged,
    toStorage: unchanged,
    fromStorage: unchanged,
    ...type,
  };
}

function eventProperties(own: readonly string[]): JsonObject {
  const shared = ["eventTime", "series", "reason", "action", "type", "related", "reportingInstance"];
  return Object.fromEntries([...shared, ...own].map((field) => [field, eventField(field)]));
}

function eventField(field: string): JsonObject {
  if (/^(involvedObject|regarding|related|series|source|deprecatedSource)$/.test(field)) {
    return { ...ANYTHING, nullable: true };
  }
  if (/count$/i.test(field)) return { type: "integer", nullable: true };
  return { ...TEXT, nullable: true };
}

function countData(object: ApiObject): string {
  const keys = ["data", "binaryData"].flatMap((field) => Object.keys(at(object, field) ?? {}));
  return String(keys.length);
}

/** `stringData` is for writing only: what it says is kept, encoded, as `data`. */
function encodeStringData(object: ApiObject): ApiObject {
  const { stringData, ...rest } = object;
  if (!isObject(stringData)) return object;
  const encoded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(String(text)).toString("base64")]);
  const data = isObject(rest["data"]) ? rest["data"] : {};
  return { ...rest, data: { ...data, ...Object.fromEntries(encoded) } } as unknown as ApiObject;
}

function readyReplicas(object: ApiObject): string {
  return `${at(object, "status", "readyReplicas") ?? 0}/${at(object, "spec", "replicas") ?? 1}`;
}

/** A definition serves from the moment it is accepted; a real server takes a second to say so. */
function establishDefinition(object: ApiObject): ApiObject {
  const met = (type: string, reason: string): Json => ({
    type,
    status: "True",
    reason,
    message: `${nameOf(object)} is served`,
    lastTransitionTime: timestamp(),
  });
  const conditions = [met("NamesAccepted", "NoConflicts"), met("Established", "InitialNamesAccepted")];
  const names = at(object, "spec", "names") ?? {};
  const versions = at(object, "spec", "versions");
  const stored = Array.isArray(versions) ? versions.filter((version) => at(version, "storage") === true) : [];
  const storedVersions = stored.map((version) => textAt(version, "name"));
  return { ...object, status: { acceptedNames: names, conditions, storedVersions } };
}
