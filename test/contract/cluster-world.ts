import { readdir, readFile } from "node:fs/promises";
import { parse } from "yaml";
import { type AmkoKind, KINDS, type KubernetesObject, type LiveObject, NAMESPACE } from "../../src/core/model.ts";
import type { ClusterSettings } from "../../src/kubernetes/cluster.ts";
import type { Cluster } from "../../src/ports.ts";
import { askAsAdmin, type Gate, type Upstream } from "../kubernetes/gate.ts";

/** An API server that the contract is tried on. It keeps its objects over a restart. */
export interface ClusterWorld {
  readonly upstream: Upstream;
  /** Stops it as a crash would, and starts it again at the same address. */
  restart(): Promise<void>;
  /** Makes it forget the past, so that older versions are answered with 410. */
  compact(): Promise<void>;
  stop(): Promise<void>;
}

/** What one test of the contract has. */
export interface Bench {
  readonly world: ClusterWorld;
  readonly gate: Gate;
  readonly cluster: Cluster;
  /** Asks the API server itself, past the gate. */
  admin(method: string, path: string, body?: unknown): ReturnType<typeof askAsAdmin>;
  /** Another client, through the gate. */
  connect(settings?: Partial<ClusterSettings>): Cluster;
}

const DEFINITIONS_FOLDER = new URL("../../deploy/crds/", import.meta.url);
export const DEFINITIONS_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
export const CONFIG_MAP_PATH = `/api/v1/namespaces/${NAMESPACE}/configmaps/amko-gitops`;
export const STATEFUL_SETS_PATH = `/apis/apps/v1/namespaces/${NAMESPACE}/statefulsets`;
export const SECRETS_PATH = `/api/v1/namespaces/${NAMESPACE}/secrets`;
export const EVENTS_PATH = `/api/v1/namespaces/${NAMESPACE}/events`;

export function gslbConfig(metadata: object = {}, spec: object = { logLevel: "INFO" }): KubernetesObject {
  return manifest("GSLBConfig", { name: "gc-1", ...metadata }, spec);
}

export function policy(spec: object): KubernetesObject {
  return manifest("GlobalDeploymentPolicy", { name: "global-gdp" }, spec);
}

export function amkoCluster(): KubernetesObject {
  const spec = { isLeader: false, clusterContext: "east", version: "1.4.2", clusters: ["east"] };
  return manifest("AMKOCluster", { name: "amkocluster-federation" }, spec);
}

function manifest(kind: AmkoKind, metadata: object, spec: object): KubernetesObject {
  const object = { apiVersion: KINDS[kind].apiVersion, kind, metadata: { namespace: NAMESPACE, ...metadata }, spec };
  return object as unknown as KubernetesObject;
}

/** As a real API server wants it; nothing ever runs in it. */
export function statefulSet(...containers: readonly string[]): object {
  const labels = { app: "amko" };
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "amko" },
    spec: {
      serviceName: "amko",
      replicas: 0,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: containers.map((name) => ({ name, image: "none" })) },
      },
    },
  };
}

export function target({ kind, metadata }: LiveObject) {
  const { name, uid: id, resourceVersion } = metadata;
  return { kind: kind as AmkoKind, name, uid: id, resourceVersion };
}

export function pathOf(kind: AmkoKind): string {
  return `/apis/${KINDS[kind].apiVersion}/namespaces/${NAMESPACE}/${KINDS[kind].plural}`;
}

export function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => error,
  );
}

async function readDefinitions(): Promise<readonly { readonly metadata: { readonly name: string } }[]> {
  const files = (await readdir(DEFINITIONS_FOLDER)).filter((file) => file.endsWith(".yaml"));
  return Promise.all(files.map(async (file) => parse(await readFile(new URL(file, DEFINITIONS_FOLDER), "utf8"))));
}

/** A real API server serves a definition a moment after it was created, and forgets it a moment after its deletion. */
export async function installDefinitions(upstream: Upstream): Promise<void> {
  for (const definition of await readDefinitions()) await askAsAdmin(upstream, "POST", DEFINITIONS_PATH, definition);
  await everyKindAnswers(upstream, 200);
}

export async function removeDefinitions(upstream: Upstream): Promise<void> {
  for (const { metadata } of await readDefinitions())
    await askAsAdmin(upstream, "DELETE", `${DEFINITIONS_PATH}/${metadata.name}`);
  await everyKindAnswers(upstream, 404);
}

async function everyKindAnswers(upstream: Upstream, status: number): Promise<void> {
  for (const kind of Object.keys(KINDS) as AmkoKind[]) {
    while ((await askAsAdmin(upstream, "GET", pathOf(kind))).status !== status);
  }
}

export async function emptyNamespace(upstream: Upstream): Promise<void> {
  for (const path of [...(Object.keys(KINDS) as AmkoKind[]).map(pathOf), EVENTS_PATH]) {
    const { body } = await askAsAdmin(upstream, "GET", path);
    for (const { metadata } of body.items) {
      await askAsAdmin(upstream, "PATCH", `${path}/${metadata.name}`, { metadata: { finalizers: null } });
      await askAsAdmin(upstream, "DELETE", `${path}/${metadata.name}`);
    }
  }
  await askAsAdmin(upstream, "DELETE", CONFIG_MAP_PATH);
  await askAsAdmin(upstream, "DELETE", `${STATEFUL_SETS_PATH}/amko`);
  await askAsAdmin(upstream, "DELETE", `${SECRETS_PATH}/gslb-config-secret`);
}
