import { type AmkoKind, KINDS, type LiveObject, type ResourceVersion } from "../core/model.ts";
import { FederationError, hasCode } from "../errors.ts";
import type { Cluster, JsonPatchOperation, ObjectList, ReadVersion, WriteOptions } from "../ports.ts";
import { type Answered, type Api, isAnswered, senseless } from "./api.ts";
import type { RequestSubject } from "./refusal.ts";

const LIST_PAGE_SIZE = 500;
const LIST_PAGES_MAX = 20;

/** The objects of a kind, and the version of the collection that a watch goes on from. */
export interface Listing {
  readonly objects: ObjectList;
  readonly version: ResourceVersion;
}

type ObjectMethods = Pick<Cluster, "list" | "create" | "patch" | "patchStatus" | "remove">;

export function createObjects(api: Api): ObjectMethods {
  return {
    list: async (kind, signal) => (await listAll(api, kind, signal)).objects,
    create: async (object, options, signal) => {
      const kind = amkoKind(object.kind);
      const subject: RequestSubject = { verb: "create", kind, name: object.metadata.name };
      const answer = await api.send(api.requests.create(kind, object, options), subject, signal);
      return liveObject(answer, kind, subject, options);
    },
    patch: (target, patch, options, signal) => patchObject(api, { target, patch, options, part: "object" }, signal),
    patchStatus: (target, patch, signal) =>
      patchObject(api, { target, patch, options: { dryRun: false }, part: "status" }, signal),
    remove: async ({ kind, name, uid, resourceVersion }, options, signal) => {
      try {
        const context = api.requests.remove(kind, name, { uid, resourceVersion }, options);
        await api.send(context, { verb: "delete", kind, name }, signal);
      } catch (error) {
        if (!hasCode(error, "AG3010")) throw error;
      }
    },
  };
}

/** Lists a kind to its end, or throws: half a list would look like deletions. */
export async function listAll(api: Api, kind: AmkoKind, signal: AbortSignal): Promise<Listing> {
  const subject: RequestSubject = { verb: "list", kind, name: null };
  const objects: LiveObject[] = [];
  let token: string | null = null;
  for (let pages = 0; pages < LIST_PAGES_MAX; pages += 1) {
    const context = api.requests.list(kind, { limit: LIST_PAGE_SIZE, token });
    const page = readPage(await api.send(context, subject, signal), subject);
    for (const item of page.items) objects.push(liveObject(item, kind, subject));
    if (page.continueToken === null) return { objects, version: page.version };
    token = page.continueToken;
  }
  throw senseless(subject, `the list does not end after ${LIST_PAGES_MAX} pages`);
}

interface Page {
  readonly items: readonly unknown[];
  readonly version: ResourceVersion;
  readonly continueToken: string | null;
}

/** A list without items and version is no empty list: it is not from an API server. */
function readPage(answer: Answered, subject: RequestSubject): Page {
  const { items, metadata } = answer;
  if (!Array.isArray(items) || !isAnswered(metadata)) throw senseless(subject, "it is no list");
  const { resourceVersion, continue: next } = metadata;
  if (typeof resourceVersion !== "string" || resourceVersion === "")
    throw senseless(subject, "the list has no version");
  return {
    items,
    version: resourceVersion as ResourceVersion,
    continueToken: typeof next === "string" && next !== "" ? next : null,
  };
}

interface PatchRequest {
  readonly target: ReadVersion;
  readonly patch: readonly JsonPatchOperation[];
  readonly options: WriteOptions;
  readonly part: "object" | "status";
}

async function patchObject(
  api: Api,
  { target, patch, options, part }: PatchRequest,
  signal: AbortSignal,
): Promise<LiveObject> {
  const { kind, name } = target;
  const subject: RequestSubject = { verb: "patch", kind, name };
  const body = atVersion(target.resourceVersion, patch);
  const context =
    part === "object" ? api.requests.patch(kind, name, body, options) : api.requests.patchStatus(kind, name, body);
  try {
    return liveObject(await api.send(context, subject, signal), kind, subject, options);
  } catch (error) {
    if (hasCode(error, "AG3007")) await throwIfStale(api, target, signal);
    throw error;
  }
}

/**
 * Makes a patch apply to one version only. Replacing the version, instead of testing it, lets the server answer a stale
 * patch with 409 Conflict; a failing `test` would be 422, the same as an object that its schema refuses.
 */
export function atVersion(
  version: ResourceVersion,
  patch: readonly JsonPatchOperation[],
): readonly JsonPatchOperation[] {
  return [{ op: "replace", path: "/metadata/resourceVersion", value: version }, ...patch];
}

/**
 * A patch made for an older version may name a field that is no longer there, and the server notices that before it
 * compares versions: 422 again. Neither its text nor its structure tells the two apart, so the object is asked.
 */
async function throwIfStale(api: Api, target: PatchRequest["target"], signal: AbortSignal): Promise<void> {
  const { objects } = await listAll(api, target.kind, signal);
  const live = objects.find((object) => object.metadata.name === target.name);
  if (live === undefined) throw new FederationError("AG3010", `${target.kind} ${target.name} is gone.`);
  if (live.metadata.resourceVersion !== target.resourceVersion) {
    throw new FederationError("AG3004", `${target.kind} ${target.name} was changed while it was being patched.`);
  }
}

/** @throws FederationError AG3014 when it is not what was asked for. */
export function liveObject(
  value: unknown,
  kind: AmkoKind,
  subject: RequestSubject,
  options?: WriteOptions,
): LiveObject {
  const metadata = isAnswered(value) ? value["metadata"] : null;
  if (!isAnswered(value) || !isAnswered(metadata)) throw senseless(subject, "an object has no metadata");
  const { name, uid, resourceVersion } = metadata;
  if (typeof name !== "string" || name === "" || typeof uid !== "string" || uid === "") {
    throw senseless(subject, "an object has no name or no uid");
  }
  // What a dry run would create has no version yet.
  const version = options?.dryRun === true ? (resourceVersion ?? "") : resourceVersion;
  if (typeof version !== "string" || (version === "" && options?.dryRun !== true)) {
    throw senseless(subject, "an object has no version");
  }
  // Items of a list may come without their kind.
  const live = {
    ...value,
    apiVersion: KINDS[kind].apiVersion,
    kind,
    metadata: { ...metadata, resourceVersion: version },
  };
  return live as unknown as LiveObject;
}

function amkoKind(kind: string): AmkoKind {
  if (kind in KINDS) return kind as AmkoKind;
  throw new FederationError("AG9001", `${kind} is no kind of AMKO.`);
}
