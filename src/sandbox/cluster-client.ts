import { type AmkoKind, type Json, KINDS, type KubernetesObject, NAMESPACE } from "../core/model.ts";

/** What a person does with kubectl, for the story: plain requests to one cluster's API server. */
export interface ClusterClient {
  get(kind: AmkoKind, name: string): Promise<KubernetesObject | null>;
  create(object: KubernetesObject): Promise<void>;
  /** A JSON merge patch, as `kubectl patch --type=merge` sends it. */
  merge(kind: AmkoKind, name: string, patch: Json): Promise<void>;
  remove(kind: AmkoKind, name: string): Promise<void>;
  /** Creates a Secret in avi-system, or replaces what it holds. */
  putSecret(name: string, content: Readonly<Record<string, string>>): Promise<void>;
}

/** Whoever writes shows up in `Changed-With:`. */
const FIELD_MANAGER = "kubectl-edit";

export function connect(server: string): ClusterClient {
  const address = (kind: AmkoKind, name?: string): string =>
    `${server}/apis/${KINDS[kind].apiVersion}/namespaces/${NAMESPACE}/${KINDS[kind].plural}${name === undefined ? "" : `/${name}`}?fieldManager=${FIELD_MANAGER}`;

  async function send(
    method: string,
    url: string,
    body?: unknown,
    contentType = "application/json",
  ): Promise<Response> {
    // A connection of its own, as each kubectl has: on a busy machine a kept one may end just when it is used again.
    const headers = { "content-type": contentType, connection: "close" };
    return fetch(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  }

  async function expectSuccess(answer: Response): Promise<void> {
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${answer.url} answered ${answer.status}: ${text}`);
  }

  return {
    async get(kind, name) {
      const answer = await send("GET", address(kind, name));
      if (answer.status === 404) return null;
      if (!answer.ok) throw new Error(`${answer.url} answered ${answer.status}: ${await answer.text()}`);
      return (await answer.json()) as KubernetesObject;
    },
    create: async (object) => expectSuccess(await send("POST", address(object.kind as AmkoKind), object)),
    merge: async (kind, name, patch) =>
      expectSuccess(await send("PATCH", address(kind, name), patch, "application/merge-patch+json")),
    async putSecret(name, content) {
      const secrets = `${server}/api/v1/namespaces/${NAMESPACE}/secrets`;
      const entries = Object.entries(content).map(([key, text]) => [key, Buffer.from(text).toString("base64")]);
      const secret = { apiVersion: "v1", kind: "Secret", metadata: { name }, data: Object.fromEntries(entries) };
      const created = await send("POST", secrets, secret);
      if (created.status !== 409) return expectSuccess(created);
      const patch = { data: secret.data };
      await expectSuccess(await send("PATCH", `${secrets}/${name}`, patch, "application/merge-patch+json"));
    },
    remove: async (kind, name) => expectSuccess(await send("DELETE", address(kind, name))),
  };
}
