import type { ServerResponse } from "node:http";
import type { JsonObject } from "../../core/model.ts";
import { prefixOf, readCount } from "./list.ts";
import type { ApiObject } from "./object.ts";
import { apiVersionOf, type ResourceType } from "./resource-type.ts";
import { readSelector, type Selector } from "./selector.ts";
import { ApiError, failureStatus, invalid } from "./status.ts";
import type { Store, StoreEvent } from "./store.ts";

export interface WatchRequest {
  readonly type: ResourceType;
  /** Null watches all namespaces. */
  readonly namespace: string | null;
  readonly query: URLSearchParams;
  /** How one object is shown; `first` on the first event only. */
  readonly show: (object: ApiObject, first: boolean) => JsonObject;
}

const BOOKMARK_INTERVAL_MS = 10_000;
const TIMEOUT_MAX_SECONDS = 3_600;
/** A reader that lags behind by more is cut off; it lists again. */
const UNREAD_MAX_BYTES = 8 * 1024 * 1024;

/** Refuses what this server does not do in the way that makes clients do without. */
export function checkWatchable({ type, query }: Pick<WatchRequest, "type" | "query">): void {
  if (!query.has("sendInitialEvents")) return;
  const message = "Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
  const named = { ...type, group: "meta.k8s.io", kind: "ListOptions" };
  throw invalid(named, "", [{ reason: "FieldValueForbidden", field: "sendInitialEvents", message }]);
}

/**
 * Streams changes until the client goes, `timeoutSeconds` are over, or the returned function is called. Without a
 * resourceVersion, or with 0, it begins with all objects there are.
 * @throws ApiError 400 when the query is malformed; then nothing was sent.
 */
export function streamWatch(store: Store, request: WatchRequest, response: ServerResponse): () => void {
  const { type, namespace, query, show } = request;
  const selects = readSelector(type, query);
  const prefix = prefixOf(type, namespace);
  const timeoutSeconds = Math.min(readCount(query, "timeoutSeconds") || TIMEOUT_MAX_SECONDS, TIMEOUT_MAX_SECONDS);
  const since = readCount(query, "resourceVersion");
  const bookmarks = /^(true|1)$/.test(query.get("allowWatchBookmarks") ?? "");
  let first = true;

  response.writeHead(200, { "content-type": "application/json", "cache-control": "no-cache" });
  const send = (event: JsonObject): void => {
    response.write(`${JSON.stringify(event)}\n`);
    if (response.writableLength > UNREAD_MAX_BYTES) response.destroy();
  };
  const sendObject = (eventType: string, object: ApiObject): void => {
    send({ type: eventType, object: show(type.fromStorage(object), first) });
    first = false;
  };
  const sendChange = (event: StoreEvent): void => {
    if (!event.key.startsWith(prefix)) return;
    const change = asSeen(event, (object) => selects(type.fromStorage(object)));
    if (change !== null) sendObject(change.type, change.object);
  };
  const sendBookmark = (): void => {
    if (!bookmarks) return;
    const metadata = { resourceVersion: String(store.revision()), creationTimestamp: null };
    sendObject("BOOKMARK", { apiVersion: apiVersionOf(type), kind: type.kind, metadata } as unknown as ApiObject);
  };

  try {
    if (since === 0) {
      for (const [, object] of store.list(prefix)) {
        if (selects(type.fromStorage(object))) sendObject("ADDED", object);
      }
    } else for (const event of store.eventsAfter(since)) sendChange(event);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // The answer has begun: too old a start is told as an event.
    send({ type: "ERROR", object: failureStatus(error) });
    response.end();
    return () => {};
  }
  response.flushHeaders();

  const unsubscribe = store.subscribe(sendChange);
  const bookmarkTimer = setInterval(sendBookmark, BOOKMARK_INTERVAL_MS);
  const end = (): void => {
    stop();
    sendBookmark();
    response.end();
  };
  const timeout = setTimeout(end, timeoutSeconds * 1000);
  const stop = (): void => {
    unsubscribe();
    clearInterval(bookmarkTimer);
    clearTimeout(timeout);
  };
  response.on("close", stop);
  return end;
}

/** A change as a watcher with a selector sees it: what begins to fit is added, what ceases to is deleted. */
function asSeen({ type, object, previous }: StoreEvent, selects: Selector): Pick<StoreEvent, "type" | "object"> | null {
  const fits = selects(object);
  const fitted = previous !== null && selects(previous);
  if (type === "DELETED") return fitted ? { type, object } : null;
  if (fits) return { type: fitted ? "MODIFIED" : "ADDED", object };
  return fitted ? { type: "DELETED", object } : null;
}
