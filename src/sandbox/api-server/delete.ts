import type { Json } from "../../core/model.ts";
import { NAMESPACE_STORAGE } from "./built-in.ts";
import { type ApiObject, at, textAt, timestamp, withMetadata } from "./object.ts";
import { customResourceType, DEFINITION_STORAGE } from "./resource-type.ts";
import { conflict, type StatusDetails } from "./status.ts";
import { keyOf, type Store } from "./store.ts";
import { readObject, type Target } from "./write.ts";

export interface Deletion {
  /** The object as it was last, or as it waits for its finalizers. */
  readonly object: ApiObject;
  readonly gone: boolean;
}

/**
 * Deletes an object, or, where it has finalizers, marks it to be deleted with the last of them. How dependents go
 * (propagation) is ignored: nothing here owns anything.
 * @throws ApiError 404, 409 when a precondition in the options does not hold.
 */
export function deleteObject(
  store: Store,
  target: Omit<Target, "subresource">,
  options: Json,
  dryRun: boolean,
): Deletion {
  const { type, namespace, name } = target;
  const current = readObject(store, { ...target, subresource: "" });
  checkPreconditions(target, current, options);
  const key = keyOf(type.storage, namespace, name);
  if (type.storage === NAMESPACE_STORAGE) return terminateNamespace(store, key, current, dryRun);
  const deletion = mark(current);
  if (dryRun) return deletion;
  if (!deletion.gone) {
    if (deletion.object === current) return deletion;
    return { object: type.fromStorage(store.put(key, type.toStorage(deletion.object))), gone: false };
  }
  // The instances go first, while their type is still known to those who watch them.
  if (type.storage === DEFINITION_STORAGE) removeAll(store, `${customResourceType(current).storage}/`);
  return { object: type.fromStorage(store.remove(key) ?? current), gone: true };
}

/** What the Status of a deletion says about its object. */
export function deletionDetails({ type, name }: Pick<Target, "type" | "name">, { object }: Deletion): StatusDetails {
  const { uid = "" } = object.metadata;
  return { name, ...(type.group === "" ? {} : { group: type.group }), kind: type.plural, uid };
}

/**
 * Finishes what waits: a namespace that is being terminated goes with the last object in it. To be called after
 * objects were removed.
 */
export function collectTerminatedNamespaces(store: Store): void {
  for (const [key, namespace] of store.list(`${NAMESPACE_STORAGE}/`)) {
    const { deletionTimestamp, finalizers = [], name = "" } = namespace.metadata;
    if (deletionTimestamp !== undefined && finalizers.length === 0 && contentOf(store, name).length === 0) {
      store.remove(key);
    }
  }
}

function checkPreconditions({ type, name }: Omit<Target, "subresource">, { metadata }: ApiObject, options: Json): void {
  for (const [field, label] of [
    ["uid", "UID"],
    ["resourceVersion", "ResourceVersion"],
  ] as const) {
    const wanted = textAt(options, "preconditions", field);
    const actual = metadata[field] ?? "";
    if (wanted === "" || wanted === actual) continue;
    const why = `Precondition failed: ${label} in precondition: ${wanted}, ${label} in object meta: ${actual}`;
    throw conflict(type, name, why);
  }
}

function mark(current: ApiObject): Deletion {
  const { finalizers = [], deletionTimestamp, generation } = current.metadata;
  if (finalizers.length === 0) return { object: current, gone: true };
  if (deletionTimestamp !== undefined) return { object: current, gone: false };
  const counted = generation === undefined ? {} : { generation: generation + 1 };
  const marks = { deletionTimestamp: timestamp(), deletionGracePeriodSeconds: 0, ...counted };
  return { object: withMetadata(current, marks), gone: false };
}

/** A namespace goes once its content is gone; content with finalizers makes it wait, as in a real cluster. */
function terminateNamespace(store: Store, key: string, current: ApiObject, dryRun: boolean): Deletion {
  const marked = withMetadata({ ...current, status: { phase: "Terminating" } }, { deletionTimestamp: timestamp() });
  if (dryRun) return { object: marked, gone: false };
  const terminating = current.metadata.deletionTimestamp === undefined ? store.put(key, marked) : current;
  for (const [contentKey, object] of contentOf(store, current.metadata.name ?? "")) {
    const deletion = mark(object);
    if (deletion.gone) store.remove(contentKey);
    else if (deletion.object !== object) store.put(contentKey, deletion.object);
  }
  collectTerminatedNamespaces(store);
  return { object: terminating, gone: false };
}

function contentOf(store: Store, namespace: string): readonly (readonly [key: string, object: ApiObject])[] {
  return store.list("").filter(([, object]) => at(object, "metadata", "namespace") === namespace);
}

function removeAll(store: Store, prefix: string): void {
  for (const [key] of store.list(prefix)) store.remove(key);
}
