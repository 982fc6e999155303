import { isArray } from "../../core/json.ts";
import type { Json } from "../../core/model.ts";
import { sendObject } from "./answer.ts";
import { NAMESPACE_STORAGE } from "./built-in.ts";
import type { Backend, Call, Place } from "./call.ts";
import { collectTerminatedNamespaces, deleteObject, deletionDetails } from "./delete.ts";
import { sendJson } from "./exchange.ts";
import { targetOf, writeOptions } from "./handle-write.ts";
import { listObjects, toList } from "./list.ts";
import { at, nameOf } from "./object.ts";
import { forbidden, methodNotAllowed, successStatus } from "./status.ts";

/** A deletion with a body takes its options from there alone: the query's count only where there is none. */
function dryRunOf(call: Call, body: Json): boolean {
  if (body === null) return writeOptions(call, []).dryRun;
  const stated = at(body, "dryRun");
  return isArray(stated) && stated.includes("All");
}

/** Deletes one object; the body may hold DeleteOptions. */
export function handleDelete(call: Call, place: Place, body: Json): void {
  const { store } = call.backend;
  if (place.subresource !== "") throw methodNotAllowed();
  const target = targetOf(place);
  if (target.type.storage === NAMESPACE_STORAGE && target.name === "default") {
    throw forbidden(target.type, target.name, "this namespace may not be deleted");
  }
  const deletion = deleteObject(store, target, body, dryRunOf(call, body));
  collectTerminatedNamespaces(store);
  endOrphanedWatches(call.backend);
  if (deletion.gone) sendJson(call.response, 200, successStatus(deletionDetails(target, deletion)));
  else sendObject(call, place.type, 200, deletion.object);
}

/** Those who watch a type that is no longer served must look for it anew. */
function endOrphanedWatches({ types, watches }: Backend): void {
  const served = new Set(types.all().map(({ storage }) => storage));
  for (const watch of [...watches].filter(({ storage }) => !served.has(storage))) watch.end();
}

/** Deletes what a list with the same query would show. */
export function handleDeleteCollection(call: Call, place: Place, body: Json): void {
  const { store } = call.backend;
  const { type, namespace } = place;
  if (type.namespaced && namespace === null) throw methodNotAllowed();
  const page = listObjects(store, type, namespace, call.query);
  const dryRun = dryRunOf(call, body);
  for (const object of page.items) {
    deleteObject(store, { type, namespace: namespace ?? "", name: nameOf(object) }, body, dryRun);
  }
  collectTerminatedNamespaces(store);
  endOrphanedWatches(call.backend);
  sendJson(call.response, 200, toList(type, page));
}
