import type { JsonObject } from "../../core/model.ts";
import type { ApiObject } from "./object.ts";
import { apiVersionOf, type ResourceType } from "./resource-type.ts";
import { readSelector } from "./selector.ts";
import { ApiError, badRequest } from "./status.ts";
import type { Store } from "./store.ts";

/** Objects of a type at one instant; `metadata` tells which, and how to go on after a page. */
export interface ObjectPage {
  readonly items: readonly ApiObject[];
  readonly metadata: JsonObject;
}

/** Where the next page begins: after this key, at the revision of the first page. */
interface Continuation {
  readonly revision: number;
  readonly after: string;
}

/**
 * Lists objects in one namespace, or in all (null).
 * @throws ApiError 410 when a page's revision was compacted away.
 */
export function listObjects(
  store: Store,
  type: ResourceType,
  namespace: string | null,
  query: URLSearchParams,
): ObjectPage {
  const selects = readSelector(type, query);
  const limit = readCount(query, "limit");
  const continuation = readContinuation(query.get("continue") ?? "");
  const revision = continuation?.revision ?? readRevision(store, query);
  const matching = store
    .list(prefixOf(type, namespace), revision)
    .filter(([key]) => continuation === null || key > continuation.after)
    .map(([key, object]) => [key, type.fromStorage(object)] as const)
    .filter(([, object]) => selects(object));
  const page = limit === 0 ? matching : matching.slice(0, limit);
  const last = page.at(-1);
  const more = matching.length - page.length;
  const rest = last === undefined || more === 0 ? {} : { continue: writeContinuation({ revision, after: last[0] }) };
  // With a selector the server would have to look further to know the count, and does not say it.
  const counted = more === 0 || query.has("labelSelector") || query.has("fieldSelector");
  const metadata = { resourceVersion: String(revision), ...rest, ...(counted ? {} : { remainingItemCount: more }) };
  return { items: page.map(([, object]) => object), metadata };
}

export function toList(type: ResourceType, { items, metadata }: ObjectPage): JsonObject {
  return { kind: type.listKind, apiVersion: apiVersionOf(type), metadata, items };
}

/** The keys of a type's objects begin so. */
export function prefixOf({ storage }: ResourceType, namespace: string | null): string {
  return namespace === null ? `${storage}/` : `${storage}/${namespace}/`;
}

export function readCount(query: URLSearchParams, parameter: string): number {
  const count = Number(query.get(parameter) ?? 0);
  if (!Number.isInteger(count) || count < 0) throw badRequest(`${parameter} must be a number that is not negative`);
  return count;
}

/** A list is as new as it can be unless an exact revision is asked for. */
function readRevision(store: Store, query: URLSearchParams): number {
  const asked = readCount(query, "resourceVersion");
  if (asked > store.revision()) {
    const message = `Too large resource version: ${asked}, current: ${store.revision()}`;
    const causes = [{ reason: "ResourceVersionTooLarge", message: "Too large resource version", field: "" }];
    throw new ApiError(504, "Timeout", message, { causes, retryAfterSeconds: 1 });
  }
  return query.get("resourceVersionMatch") === "Exact" ? asked : store.revision();
}

function writeContinuation(continuation: Continuation): string {
  return Buffer.from(JSON.stringify(continuation)).toString("base64url");
}

function readContinuation(token: string): Continuation | null {
  if (token === "") return null;
  try {
    const { revision, after } = JSON.parse(Buffer.from(token, "base64url").toString("utf8")) as Continuation;
    if (Number.isInteger(revision) && typeof after === "string") return { revision, after };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw badRequest("continue key is not valid");
}
