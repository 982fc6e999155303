import { readdirSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import type { Json } from "../../../src/core/model.ts";
import { type ApiServer, startApiServer } from "../../../src/sandbox/api-server/server.ts";

const CRDS = new URL("../../../deploy/crds/", import.meta.url);

/** The manifests that the project ships. */
export const DEFINITIONS: readonly Json[] = readdirSync(CRDS).map((file) =>
  parse(readFileSync(new URL(file, CRDS), "utf8")),
);

export const GDPS = "/apis/amko.vmware.com/v1alpha2/namespaces/avi-system/globaldeploymentpolicies";
export const CLUSTERS = "/apis/amko.vmware.com/v1alpha1/namespaces/avi-system/amkoclusters";
export const CONFIG_MAPS = "/api/v1/namespaces/avi-system/configmaps";
export const DEFINITION_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

export interface Answer {
  readonly code: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers by path, and a wrong path fails the test
  readonly body: any;
  readonly headers: Headers;
}

export interface AskOptions {
  readonly contentType?: string;
  readonly accept?: string;
  readonly manager?: string;
  readonly token?: string;
}

/** Sends one request: `ask("POST", "/api/v1/…", object)`. */
export type Ask = (method: string, path: string, body?: unknown, options?: AskOptions) => Promise<Answer>;

export function asking({ url }: Pick<ApiServer, "url">): Ask {
  return async (method, path, body, { contentType = "application/json", accept, manager, token } = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        "content-type": contentType,
        ...(accept === undefined ? {} : { accept }),
        ...(manager === undefined ? {} : { "user-agent": `${manager}/v1.0 (test)` }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = response.headers.get("content-type")?.includes("json") === true;
    return { code: response.status, body: json ? JSON.parse(text) : text, headers: response.headers };
  };
}

/** A fresh server with AMKO's CRDs. The caller stops it. */
export async function freshServer(
  options: Partial<Parameters<typeof startApiServer>[0]> = {},
): Promise<ApiServer & { readonly ask: Ask }> {
  const server = await startApiServer({ name: "cluster1", port: 0, definitions: DEFINITIONS, ...options });
  return { ...server, ask: asking(server) };
}

export function gdp(name: string, spec: unknown = { ttl: 10 }, metadata: object = {}) {
  return {
    apiVersion: "amko.vmware.com/v1alpha2",
    kind: "GlobalDeploymentPolicy",
    metadata: { name, ...metadata },
    spec,
  };
}

export function amkoCluster(name: string, spec: unknown = { isLeader: false }, metadata: object = {}) {
  return { apiVersion: "amko.vmware.com/v1alpha1", kind: "AMKOCluster", metadata: { name, ...metadata }, spec };
}

export function configMap(name: string, data: unknown = { key: "value" }, metadata: object = {}) {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, ...metadata }, data };
}
