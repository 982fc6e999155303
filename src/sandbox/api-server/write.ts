import { deepEqual } from "../../core/json.ts";
import type { Json } from "../../core/model.ts";
import { completeAndCheck, decode, dropUnknown, type FieldPolicy } from "./admission.ts";
import { NAMESPACE_STORAGE } from "./built-in.ts";
import { EVENT_STORAGE, EVENTS_MAX } from "./events.ts";
import {
  atNamespace,
  checkIdentity,
  checkName,
  generateName,
  keepSystemMetadata,
  withNewIdentity,
} from "./identity.ts";
import { mergeApplied, timelessManagedFields, trackUpdate, type Writer } from "./managed-fields.ts";
import { type ApiObject, nameOf, omit, withMetadata, withoutMetadata } from "./object.ts";
import { apiVersionOf, customResourceType, DEFINITION_STORAGE, type ResourceType } from "./resource-type.ts";
import { inScope, type Subresource, statedInScope } from "./scope.ts";
import { alreadyExists, badRequest, forbidden, invalid, notFound, qualified } from "./status.ts";
import { keyOf, type Store } from "./store.ts";

/** What a write is about. `namespace` is empty for cluster-scoped types. */
export interface Target {
  readonly type: ResourceType;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: Subresource;
}

export interface WriteOptions extends FieldPolicy {
  readonly manager: string;
  /** Answer as if it had been written, and write nothing. */
  readonly dryRun: boolean;
}

export function readObject(store: Store, { type, namespace, name }: Target): ApiObject {
  const stored = store.get(keyOf(type.storage, namespace, name));
  if (stored === undefined) throw notFound(type, name);
  return type.fromStorage(stored);
}

/** Creates an object; the name may be in the object, or be made from `generateName`. */
export function createObject(
  store: Store,
  target: Omit<Target, "name" | "subresource">,
  sent: Json,
  options: WriteOptions,
): ApiObject {
  const { type, namespace } = target;
  const decoded = decode(type, sent, options);
  const named = withMetadata(decoded, { name: nameOf(decoded) || generateName(type, decoded) });
  if (named.metadata.resourceVersion !== undefined) {
    throw badRequest("resourceVersion should not be set on objects to be created");
  }
  const prepared = type.prepare(type.statusSubresource ? omit(named, "status") : named);
  const fresh = withNewIdentity(type, atNamespace(type, namespace, dropUnknown(type, prepared, options)));
  const complete = completeAndCheck(type, fresh);
  return insert(store, target, trackUpdate(null, complete, writerOf(type, "Update", options)), options);
}

/**
 * Changes an object to what `produce` makes of it: the body of a PUT, or a patch of the current object.
 * @throws ApiError 404, 409 when its resourceVersion or uid is not the current one, 422.
 */
export function updateObject(
  store: Store,
  target: Target,
  produce: (current: ApiObject) => Json,
  options: WriteOptions,
): ApiObject {
  const { type, subresource } = target;
  const current = readObject(store, target);
  const sent = decode(type, produce(current), options);
  checkIdentity(target, current, sent);
  const scoped = inScope(type, subresource, current, dropUnknown(type, sent, options));
  const complete = completeAndCheck(type, keepSystemMetadata(current, scoped));
  const tracked = trackUpdate(current, complete, writerOf(type, "Update", options, subresource));
  return replace(store, target, current, tracked, options);
}

/** Applies a configuration for a field manager (server-side apply); creates the object when there is none. */
export function applyObject(
  store: Store,
  target: Target,
  configuration: Json,
  options: WriteOptions & { readonly force: boolean },
): { readonly object: ApiObject; readonly created: boolean } {
  const { type, namespace, name, subresource } = target;
  const decoded = atNamespace(type, namespace, dropUnknown(type, decode(type, configuration, options), options));
  if (decoded.metadata.managedFields !== undefined) throw badRequest("metadata.managedFields must be nil");
  const writer = writerOf(type, "Apply", options, subresource);
  const live = store.get(keyOf(type.storage, namespace, name));
  if (live === undefined) {
    if (subresource !== "") throw notFound(type, name);
    checkName(name, decoded);
    const stated = type.statusSubresource ? omit(decoded, "status") : decoded;
    const merged = mergeApplied(null, stated, writer, false);
    const complete = completeAndCheck(type, withNewIdentity(type, type.prepare(merged)));
    return { object: insert(store, target, complete, options), created: true };
  }
  const current = type.fromStorage(live);
  checkIdentity(target, current, decoded, { resourceVersionRequired: false });
  const stated = statedInScope(type, subresource, decoded);
  const merged = mergeApplied(current, stated, writer, options.force);
  const complete = completeAndCheck(type, keepSystemMetadata(current, merged));
  return { object: replace(store, target, current, complete, options), created: false };
}

function insert(
  store: Store,
  { type, namespace }: Pick<Target, "type" | "namespace">,
  object: ApiObject,
  { dryRun }: WriteOptions,
): ApiObject {
  const key = keyOf(type.storage, namespace, nameOf(object));
  checkNamespace(store, type, namespace, nameOf(object));
  checkDefinition(type, object);
  if (store.get(key) !== undefined) throw alreadyExists(type, nameOf(object));
  if (dryRun) return object;
  const created = type.fromStorage(store.put(key, type.toStorage(object)));
  if (type.storage === EVENT_STORAGE) dropOldestEvents(store);
  return created;
}

function replace(
  store: Store,
  { type, namespace, name }: Target,
  current: ApiObject,
  desired: ApiObject,
  { dryRun }: WriteOptions,
): ApiObject {
  if (sameButForTimes(current, desired)) return current;
  checkDefinition(type, desired);
  const next = countGeneration(type, current, desired);
  if (dryRun) return next;
  const key = keyOf(type.storage, namespace, name);
  const { deletionTimestamp, finalizers = [] } = next.metadata;
  const gone = deletionTimestamp !== undefined && finalizers.length === 0;
  if (gone) return type.fromStorage(store.remove(key) ?? next);
  return type.fromStorage(store.put(key, type.toStorage(next)));
}

function writerOf(
  type: ResourceType,
  operation: Writer["operation"],
  { manager }: WriteOptions,
  subresource: Subresource = "",
): Writer {
  return { manager, operation, apiVersion: apiVersionOf(type), subresource };
}

/** Whether a write would change nothing that anybody can see. Then it is none, and wakes nobody. */
function sameButForTimes(current: ApiObject, desired: ApiObject): boolean {
  return (
    deepEqual(withoutMetadata(current, "managedFields"), withoutMetadata(desired, "managedFields")) &&
    deepEqual(timelessManagedFields(current), timelessManagedFields(desired))
  );
}

/** Without a status subresource there is no telling status from spec: any change but one of metadata counts. */
function countGeneration(type: ResourceType, current: ApiObject, desired: ApiObject): ApiObject {
  if (!type.counted) return desired;
  const ignored = type.statusSubresource ? ["metadata", "status"] : ["metadata"];
  if (deepEqual(omit(current, ...ignored), omit(desired, ...ignored))) return desired;
  return withMetadata(desired, { generation: (current.metadata.generation ?? 0) + 1 });
}

function checkNamespace(store: Store, type: ResourceType, namespace: string, name: string): void {
  if (!type.namespaced) return;
  const found = store.get(keyOf(NAMESPACE_STORAGE, "", namespace));
  if (found === undefined) throw notFound({ group: "", plural: "namespaces", kind: "Namespace" }, namespace);
  if (found.metadata.deletionTimestamp === undefined) return;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const message = `namespace ${namespace} is being terminated`;
  throw forbidden(type, name, why, [{ reason: "NamespaceTerminating", message, field: "metadata.namespace" }]);
}

/** A definition is only stored if it can be served. */
function checkDefinition(type: ResourceType, object: ApiObject): void {
  if (type.storage !== DEFINITION_STORAGE) return;
  const refuse = (field: string, message: string) =>
    invalid(type, nameOf(object), [{ reason: "FieldValueInvalid", field, message: `Invalid value: ${message}` }]);
  let defined: ResourceType;
  try {
    defined = customResourceType(object);
  } catch (error) {
    if (error instanceof TypeError) throw refuse("spec", error.message);
    throw error;
  }
  if (nameOf(object) !== qualified(defined)) throw refuse("metadata.name", `must be ${qualified(defined)}`);
}

function dropOldestEvents(store: Store): void {
  const events = store.list(`${EVENT_STORAGE}/`);
  if (events.length <= EVENTS_MAX) return;
  const age = (event: ApiObject) => Number(event.metadata.resourceVersion);
  const oldest = events.toSorted(([, one], [, other]) => age(one) - age(other)).slice(0, events.length - EVENTS_MAX);
  for (const [key] of oldest) store.remove(key);
}
