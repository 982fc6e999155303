import type { Json, JsonObject } from "../../core/model.ts";
import type { Column } from "./columns.ts";
import type { ApiObject } from "./object.ts";
import type { ResourceType } from "./resource-type.ts";

/** How an object is shown to a client that asked for tables, as kubectl does. */
export interface TableOptions {
  /** What each row carries of its object. */
  readonly includeObject: "None" | "Metadata" | "Object";
  /** Left out after the first event of a watch. */
  readonly withColumns: boolean;
}

export function toTable(
  { columns }: ResourceType,
  objects: readonly ApiObject[],
  listMetadata: JsonObject,
  { includeObject, withColumns }: TableOptions,
): JsonObject {
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: listMetadata,
    columnDefinitions: withColumns ? columns.map(columnDefinition) : null,
    rows: objects.map((object) => ({
      cells: columns.map(({ value }) => value(object)),
      ...(includeObject === "None" ? {} : { object: includeObject === "Object" ? object : metadataOnly(object) }),
    })),
  };
}

export function metadataOnly({ metadata }: ApiObject): JsonObject {
  return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata };
}

function columnDefinition({ name, type, format, description, priority }: Column): Json {
  return { name, type, format, description, priority };
}
