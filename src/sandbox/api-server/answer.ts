import type { JsonObject } from "../../core/model.ts";
import type { Form } from "./accept.ts";
import type { Call, Place } from "./call.ts";
import { sendJson } from "./exchange.ts";
import { listObjects, toList } from "./list.ts";
import type { ApiObject } from "./object.ts";
import type { ResourceType } from "./resource-type.ts";
import { metadataOnly, toTable } from "./table.ts";
import { checkWatchable, streamWatch } from "./watch.ts";

/** Answers with one object in the form that the client asked for. */
export function sendObject(
  { response, form, query }: Call,
  type: ResourceType,
  code: number,
  object: ApiObject,
  warnings: readonly string[] = [],
): void {
  const { resourceVersion = "" } = object.metadata;
  sendJson(response, code, showObject(type, form, query, object, { resourceVersion }), { warnings });
}

function showObject(
  type: ResourceType,
  form: Form,
  query: URLSearchParams,
  object: ApiObject,
  tableMetadata: JsonObject,
  withColumns = true,
): JsonObject {
  if (form.as === "PartialObjectMetadata") return metadataOnly(object);
  if (form.as !== "Table") return object;
  return toTable(type, [object], tableMetadata, { includeObject: includeObject(query), withColumns });
}

export function sendList({ backend, response, form, query }: Call, { type, namespace }: Place): void {
  const page = listObjects(backend.store, type, namespace, query);
  if (form.as === "Table") {
    const options = { includeObject: includeObject(query), withColumns: true };
    sendJson(response, 200, toTable(type, page.items, page.metadata, options));
  } else if (form.as === "PartialObjectMetadata") {
    const items = page.items.map(metadataOnly);
    const kind = "PartialObjectMetadataList";
    sendJson(response, 200, { kind, apiVersion: "meta.k8s.io/v1", metadata: page.metadata, items });
  } else sendJson(response, 200, toList(type, page));
}

/** Answers with a stream of changes. */
export function openWatch({ backend, response, form, query }: Call, { type, namespace }: Place): void {
  checkWatchable({ type, query });
  const show = (object: ApiObject, first: boolean): JsonObject =>
    showObject(type, form, query, object, { resourceVersion: object.metadata.resourceVersion ?? "" }, first);
  const end = streamWatch(backend.store, { type, namespace, query, show }, response);
  const watch = { storage: type.storage, end };
  backend.watches.add(watch);
  response.on("close", () => backend.watches.delete(watch));
}

function includeObject(query: URLSearchParams): "None" | "Metadata" | "Object" {
  const asked = query.get("includeObject");
  return asked === "None" || asked === "Object" ? asked : "Metadata";
}
