import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { type KubernetesObject, NAMESPACE } from "../../src/core/model.ts";
import { askAsAdmin, type Upstream } from "../kubernetes/gate.ts";
import { PROJECT } from "../support/process.ts";
import { becomes } from "./wait.ts";

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const SERVICE_ACCOUNT = "amko-gitops";
const TOKEN_LIFETIME_S = 86_400;

/** Makes the namespace, and installs AMKO's definitions and the agent's own rights as `deploy/` ships them. */
export async function installCluster(upstream: Upstream): Promise<void> {
  await installNamespace(upstream);
  await Promise.all([installDefinitions(upstream, join(PROJECT, "deploy/crds")), installRights(upstream)]);
}

export async function installNamespace(upstream: Upstream): Promise<void> {
  await create(upstream, "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
}

/** The token that a pod of the agent's, or of another ServiceAccount, would have been given. */
export async function requestAgentToken(upstream: Upstream, account = SERVICE_ACCOUNT): Promise<string> {
  const path = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${account}/token`;
  const request = {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { expirationSeconds: TOKEN_LIFETIME_S },
  };
  const { status, body } = await askAsAdmin(upstream, "POST", path, request);
  if (status !== 201) throw new Error(`${path} was answered ${status}: ${JSON.stringify(body)}`);
  return body.status.token;
}

/** Installs every definition in the folder and waits until it is served. */
export async function installDefinitions(upstream: Upstream, folder: string): Promise<void> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".yaml"));
  const definitions = await Promise.all(files.map(async (file) => parse(await readFile(join(folder, file), "utf8"))));
  for (const definition of definitions) await create(upstream, CRDS, definition);
  await waitUntilServed(upstream);
}

interface Definition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly plural: string };
    readonly versions: readonly { readonly name: string }[];
  };
}

/** A server that is ready knows its definitions and their objects a moment later, be they old or new. */
export async function waitUntilServed(upstream: Upstream): Promise<void> {
  const { body } = await askAsAdmin(upstream, "GET", CRDS);
  for (const { spec } of body.items as readonly Definition[]) {
    const path = `/apis/${spec.group}/${spec.versions[0]?.name}/${spec.names.plural}`;
    const served = await becomes(async () => (await askAsAdmin(upstream, "GET", path)).status === 200);
    if (!served) throw new Error(`${path} is not served`);
  }
}

async function installRights(upstream: Upstream): Promise<void> {
  for (const object of await readRights()) await create(upstream, pathOf(object), object);
}

/** A ServiceAccount, its Role and what binds them, as `deploy/` ships them. */
export async function readRights(): Promise<readonly KubernetesObject[]> {
  const text = await readFile(join(PROJECT, "deploy/kustomize/rbac.yaml"), "utf8");
  return parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject);
}

/** Where objects of the kind are created. */
export function pathOf({ kind }: KubernetesObject): string {
  switch (kind) {
    case "ServiceAccount":
      return `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`;
    case "Role":
      return `${RBAC}/namespaces/${NAMESPACE}/roles`;
    case "RoleBinding":
      return `${RBAC}/namespaces/${NAMESPACE}/rolebindings`;
    default:
      throw new Error(`the agent's rights hold a ${kind}, which reaches beyond its namespace`);
  }
}

/** @throws Error with the server's answer when it takes it not. */
export async function create(upstream: Upstream, path: string, object: unknown): Promise<void> {
  const { status, body } = await askAsAdmin(upstream, "POST", path, object);
  if (status !== 201) throw new Error(`${path} was answered ${status}: ${JSON.stringify(body)}`);
}
