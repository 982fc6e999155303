import type { Json } from "../../core/model.ts";
import { sendObject } from "./answer.ts";
import type { Call, Place } from "./call.ts";
import { collectTerminatedNamespaces } from "./delete.ts";
import { contentTypeOf } from "./exchange.ts";
import type { ApiObject } from "./object.ts";
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch } from "./patch.ts";
import type { ResourceType } from "./resource-type.ts";
import { badRequest, invalid, methodNotAllowed, unsupportedMediaType } from "./status.ts";
import { applyObject, createObject, type Target, updateObject, type WriteOptions } from "./write.ts";

/** Creates, updates or patches, as `verb` says. */
export function handleWrite(call: Call, place: Place, verb: string, body: Json): void {
  const warnings: string[] = [];
  const { code, object } = write(call, place, verb, body, writeOptions(call, warnings));
  // A write may have taken the last finalizer of an object that a namespace waited for.
  collectTerminatedNamespaces(call.backend.store);
  sendObject(call, place.type, code, object, warnings);
}

interface Written {
  readonly code: 200 | 201;
  readonly object: ApiObject;
}

function write(call: Call, place: Place, verb: string, body: Json, options: WriteOptions): Written {
  const { store } = call.backend;
  const { type, namespace } = place;
  const sent = requireBody(body);
  const target = targetOf(place);
  if (verb === "create") {
    if (type.namespaced && namespace === null) throw methodNotAllowed();
    return { code: 201, object: createObject(store, target, sent, options) };
  }
  if (verb === "update") return { code: 200, object: updateObject(store, target, () => sent, options) };
  const contentType = contentTypeOf(call.request);
  if (contentType === APPLY) {
    const { object, created } = applyObject(store, target, sent, applyOptions(call, options));
    return { code: created ? 201 : 200, object };
  }
  return { code: 200, object: updateObject(store, target, patchOf(type, contentType, sent), options) };
}

const APPLY = "application/apply-patch+yaml";
const JSON_PATCH = "application/json-patch+json";
const MERGE_PATCH = "application/merge-patch+json";
const STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json";

function patchOf(type: ResourceType, contentType: string, patch: Json): (current: ApiObject) => Json {
  if (contentType === JSON_PATCH) return (current) => applyJsonPatch(current, patch);
  if (contentType === MERGE_PATCH) return (current) => applyMergePatch(current, patch);
  if (contentType === STRATEGIC_MERGE_PATCH && !type.custom)
    return (current) => applyStrategicMergePatch(current, patch);
  throw unsupportedMediaType([JSON_PATCH, MERGE_PATCH, ...(type.custom ? [] : [STRATEGIC_MERGE_PATCH]), APPLY]);
}

function requireBody(body: Json): Json {
  if (body === null) throw badRequest("the request has no body");
  return body;
}

const MANAGER_MAX_CHARACTERS = 128;

/** How a write is to be done, by its query parameters. */
export function writeOptions({ request, query }: Call, warnings: string[]): WriteOptions {
  const dryRun = query.get("dryRun") ?? "";
  if (dryRun !== "" && dryRun !== "All") throw badRequest(`dryRun must be All, but is ${JSON.stringify(dryRun)}`);
  const fieldValidation = query.get("fieldValidation") ?? "Warn";
  if (fieldValidation !== "Strict" && fieldValidation !== "Warn" && fieldValidation !== "Ignore") {
    throw badRequest(`fieldValidation must be Ignore, Warn or Strict, but is ${JSON.stringify(fieldValidation)}`);
  }
  const agent = (request.headers["user-agent"] ?? "unknown").split("/")[0] ?? "";
  const manager = (query.get("fieldManager") || agent).slice(0, MANAGER_MAX_CHARACTERS);
  return { manager, dryRun: dryRun === "All", fieldValidation, warn: (warning) => warnings.push(warning) };
}

function applyOptions({ query }: Call, options: WriteOptions): WriteOptions & { readonly force: boolean } {
  if ((query.get("fieldManager") ?? "") !== "") {
    return { ...options, force: /^(true|1)$/.test(query.get("force") ?? "") };
  }
  const named = { group: "meta.k8s.io", plural: "patchoptions", kind: "PatchOptions" };
  const message = "Required value: is required for apply patch";
  throw invalid(named, "", [{ reason: "FieldValueRequired", field: "fieldManager", message }]);
}

export function targetOf({ type, namespace, name, subresource }: Place): Target {
  return { type, namespace: namespace ?? "", name: name ?? "", subresource };
}
