import {
  type AmkoKind,
  type Json,
  KINDS,
  type KubernetesObject,
  type LiveObject,
  NAMESPACE,
} from "../../src/core/model.ts";

/** What a person does with kubectl, in plain requests to one cluster's API server. */
export interface ObjectClient {
  get(kind: AmkoKind, name: string): Promise<LiveObject | null>;
  list(kind: AmkoKind): Promise<readonly LiveObject[]>;
  create(object: KubernetesObject): Promise<LiveObject>;
  /** A JSON merge patch, as `kubectl patch --type=merge` sends it. */
  merge(kind: AmkoKind, name: string, patch: Json): Promise<LiveObject>;
  /** Puts the whole object in place of what is there, as `kubectl edit` may. */
  replace(object: KubernetesObject): Promise<LiveObject>;
  remove(kind: AmkoKind, name: string): Promise<void>;
  /** Any other request: `/api/v1/namespaces/avi-system/configmaps`. A status of 400 or more is no error here. */
  request(method: string, path: string, body?: Json): Promise<{ readonly status: number; readonly body: Json }>;
  /** Calls `seen` for every change of the kind from now on, until the returned function is called. */
  watch(kind: AmkoKind, seen: (event: WatchedEvent) => void): Promise<() => Promise<void>>;
}

export interface WatchedEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: LiveObject;
}

/** Whoever writes shows up in `Changed-With:`. */
const FIELD_MANAGER = "kubectl-edit";

export function connectObjects(url: string, token: string): ObjectClient {
  const path = (kind: AmkoKind, name?: string): string =>
    `/apis/${KINDS[kind].apiVersion}/namespaces/${NAMESPACE}/${KINDS[kind].plural}${name === undefined ? "" : `/${name}`}`;
  const managed = (kind: AmkoKind, name?: string): string => `${path(kind, name)}?fieldManager=${FIELD_MANAGER}`;

  function send(method: string, target: string, body?: unknown, contentType = "application/json"): Promise<Response> {
    // A connection of its own, as each kubectl has: on a busy machine a kept one may end just when it is used again.
    const headers = { authorization: `Bearer ${token}`, "content-type": contentType, connection: "close" };
    return fetch(`${url}${target}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  }

  async function read<T>(answer: Response): Promise<T> {
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${answer.url} answered ${answer.status}: ${text}`);
    return JSON.parse(text) as T;
  }

  return {
    async get(kind, name) {
      const answer = await send("GET", path(kind, name));
      if (answer.status !== 404) return read(answer);
      await answer.text();
      return null;
    },
    async list(kind) {
      const { items } = await read<{ readonly items: readonly LiveObject[] }>(await send("GET", path(kind)));
      return items;
    },
    create: async (object) => read(await send("POST", managed(object.kind as AmkoKind), object)),
    merge: async (kind, name, patch) =>
      read(await send("PATCH", managed(kind, name), patch, "application/merge-patch+json")),
    replace: async (object) => read(await send("PUT", managed(object.kind as AmkoKind, object.metadata.name), object)),
    async remove(kind, name) {
      await read(await send("DELETE", path(kind, name)));
    },
    async request(method, target, body) {
      const answer = await send(method, target, body);
      const text = await answer.text();
      return { status: answer.status, body: text === "" ? null : (JSON.parse(text) as Json) };
    },
    async watch(kind, seen) {
      const list = await read<{ readonly metadata: { readonly resourceVersion: string } }>(
        await send("GET", path(kind)),
      );
      const leaving = new AbortController();
      const answer = await fetch(`${url}${path(kind)}?watch=true&resourceVersion=${list.metadata.resourceVersion}`, {
        headers: { authorization: `Bearer ${token}` },
        signal: leaving.signal,
      });
      const ended = readEvents(answer, seen).catch((error: unknown) => {
        if (!leaving.signal.aborted) throw error;
      });
      return async () => {
        leaving.abort();
        await ended;
      };
    },
  };
}

async function readEvents(answer: Response, seen: (event: WatchedEvent) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of answer.body ?? []) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") seen(JSON.parse(line) as WatchedEvent);
  }
}
