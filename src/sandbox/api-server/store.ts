import type { Journal, JournalRecord } from "./journal.ts";
import { type ApiObject, withMetadata } from "./object.ts";
import { ApiError, expired } from "./status.ts";

/** One change of one object. `object` carries the revision as its resourceVersion, also in a deletion. */
export interface StoreEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly revision: number;
  readonly key: string;
  readonly object: ApiObject;
  /** What it was before; null when it is new. */
  readonly previous: ApiObject | null;
}

/** All objects of a cluster, and the recent past. One revision counts all changes, as in etcd. */
export interface Store {
  revision(): number;
  get(key: string): ApiObject | undefined;
  /**
   * Every object whose key starts with `prefix`, in order of key, as it was at `revision` (now if not given).
   * @throws ApiError 410 when that revision was compacted away.
   */
  list(prefix: string, revision?: number): readonly (readonly [key: string, object: ApiObject])[];
  /** Returns the object with its new resourceVersion. */
  put(key: string, object: ApiObject): ApiObject;
  /** Returns the object as it was last, with the deletion's resourceVersion. Undefined if there was none. */
  remove(key: string): ApiObject | undefined;
  /**
   * What changed after `revision`, oldest first.
   * @throws ApiError 410 when part of it was compacted away.
   */
  eventsAfter(revision: number): readonly StoreEvent[];
  /** Calls `listener` for every change from now on, in order, until the returned function is called. */
  subscribe(listener: (event: StoreEvent) => void): () => void;
  /** Forgets the past: what refers to an older revision gets 410. */
  compact(): void;
  close(): void;
}

/** As many changes can be watched from the past. */
const HISTORY_MAX_EVENTS = 10_000;
/** A sandbox that fills up is a runaway client, not a use. */
const OBJECTS_MAX = 20_000;
/** A longer journal is rewritten at start as the objects that are left. */
const JOURNAL_MAX_RECORDS = 20_000;

/** Keys have the form `group/plural/namespace/name`; the namespace is empty where there is none. */
export function keyOf(storage: string, namespace: string, name: string): string {
  return `${storage}/${namespace}/${name}`;
}

/** Opens a store with everything that the journal remembers. */
export function openStore(journal: Journal): Store {
  const objects = new Map<string, ApiObject>();
  const listeners = new Set<(event: StoreEvent) => void>();
  let history: StoreEvent[] = [];
  let revision = 0;
  /** Changes up to and including this one are forgotten. */
  let compacted = 0;

  function apply(record: JournalRecord): void {
    revision = record.revision;
    if (record.type === "mark") {
      compacted = record.revision;
      return;
    }
    const { key, object } = record;
    const previous = objects.get(key) ?? null;
    if (record.type === "delete") objects.delete(key);
    else objects.set(key, object);
    const type = record.type === "delete" ? "DELETED" : previous === null ? "ADDED" : "MODIFIED";
    const event: StoreEvent = { type, revision, key, object, previous };
    remember(event);
    for (const listener of listeners) listener(event);
  }

  function remember(event: StoreEvent): void {
    history.push(event);
    if (history.length <= HISTORY_MAX_EVENTS) return;
    // Half at once, so that the cost of moving what stays is paid rarely.
    const forgotten = history.splice(0, HISTORY_MAX_EVENTS / 2);
    compacted = forgotten.at(-1)?.revision ?? compacted;
  }

  function commit(type: "put" | "delete", key: string, object: ApiObject): ApiObject {
    const next = revision + 1;
    const record = { type, revision: next, key, object: withMetadata(object, { resourceVersion: String(next) }) };
    journal.append(record);
    apply(record);
    return record.object;
  }

  function eventsAfter(since: number): readonly StoreEvent[] {
    if (since < compacted) throw expired(`too old resource version: ${since} (${compacted})`);
    const first = history.findIndex((event) => event.revision > since);
    return first === -1 ? [] : history.slice(first);
  }

  function objectsAt(past: number): ReadonlyMap<string, ApiObject> {
    if (past >= revision) return objects;
    const then = new Map(objects);
    for (const { key, previous } of eventsAfter(past).toReversed()) {
      if (previous === null) then.delete(key);
      else then.set(key, previous);
    }
    return then;
  }

  for (const record of journal.records) apply(record);
  if (journal.records.length > JOURNAL_MAX_RECORDS) {
    journal.rewrite(snapshotOf(objects, revision));
    compacted = revision;
    history = [];
  }

  return {
    revision: () => revision,
    get: (key) => objects.get(key),
    list: (prefix, past = revision) =>
      [...objectsAt(past)]
        .filter(([key]) => key.startsWith(prefix))
        .toSorted(([one], [other]) => (one < other ? -1 : 1)),
    put: (key, object) => {
      if (!objects.has(key) && objects.size >= OBJECTS_MAX) {
        throw new ApiError(500, "InternalError", `the store is full: it holds ${OBJECTS_MAX} objects`);
      }
      return commit("put", key, object);
    },
    remove: (key) => {
      const object = objects.get(key);
      return object === undefined ? undefined : commit("delete", key, object);
    },
    eventsAfter,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    compact: () => {
      history = [];
      compacted = revision;
    },
    close: () => journal.close(),
  };
}

/** Each object under the revision of its last change, in this order, so that revisions never run backwards. */
function snapshotOf(objects: ReadonlyMap<string, ApiObject>, revision: number): readonly JournalRecord[] {
  const puts = [...objects].map(([key, object]) => ({
    type: "put" as const,
    revision: Number(object.metadata.resourceVersion),
    key,
    object,
  }));
  return [...puts.toSorted((one, other) => one.revision - other.revision), { type: "mark", revision }];
}
