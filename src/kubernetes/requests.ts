import type { CoreV1Event } from "@kubernetes/client-node";
import { CoreV1ApiRequestFactory } from "@kubernetes/client-node/dist/gen/apis/CoreV1Api.js";
import { CustomObjectsApiRequestFactory } from "@kubernetes/client-node/dist/gen/apis/CustomObjectsApi.js";
import { createConfiguration } from "@kubernetes/client-node/dist/gen/configuration.js";
import type { RequestContext } from "@kubernetes/client-node/dist/gen/http/http.js";
import { ServerConfiguration } from "@kubernetes/client-node/dist/gen/servers.js";
import {
  type AmkoKind,
  KINDS,
  type KubernetesObject,
  NAMESPACE,
  type ResourceVersion,
  type Uid,
} from "../core/model.ts";
import type { JsonPatchOperation, WriteOptions } from "../ports.ts";

/** Everything that is ever asked of an API server. The Role in `deploy/` grants these and no more. */
export interface Requests {
  list(kind: AmkoKind, page: { readonly limit: number; readonly token: string | null }): Promise<RequestContext>;
  watch(
    kind: AmkoKind,
    from: { readonly version: ResourceVersion; readonly lifetimeS: number },
  ): Promise<RequestContext>;
  create(kind: AmkoKind, object: KubernetesObject, options: WriteOptions): Promise<RequestContext>;
  patch(kind: AmkoKind, name: string, patch: JsonPatch, options: WriteOptions): Promise<RequestContext>;
  patchStatus(kind: AmkoKind, name: string, patch: JsonPatch): Promise<RequestContext>;
  remove(kind: AmkoKind, name: string, only: Preconditions, options: WriteOptions): Promise<RequestContext>;
  readNamespace(): Promise<RequestContext>;
  readConfigMap(): Promise<RequestContext>;
  createConfigMap(data: Readonly<Record<string, string>>): Promise<RequestContext>;
  patchConfigMap(patch: JsonPatch): Promise<RequestContext>;
  readStatefulSet(): Promise<RequestContext>;
  readMembersSecret(): Promise<RequestContext>;
  /** A merge patch that carries no version: for annotations that only ask for something, and win over nobody's write. */
  annotate(kind: AmkoKind, name: string, annotations: Readonly<Record<string, string>>): Promise<RequestContext>;
  createEvent(event: CoreV1Event): Promise<RequestContext>;
  patchEvent(name: string, patch: JsonPatch): Promise<RequestContext>;
}

type JsonPatch = readonly JsonPatchOperation[];

interface Preconditions {
  readonly uid: Uid;
  readonly resourceVersion: ResourceVersion;
}

/** The one ConfigMap that the agent keeps. */
export const CONFIG_MAP_NAME = "amko-gitops";
/** AMKO's own, as its chart names them. */
export const STATEFUL_SET_NAME = "amko";
export const MEMBERS_SECRET_NAME = "gslb-config-secret";
/** The name that this program's writes carry in `metadata.managedFields`. */
const FIELD_MANAGER = "amko-gitops";

/** An argument that is left out: the generated factories take theirs by position, which is why this file exists. */
const none = undefined;

/**
 * The requests, spelt by the generated client's request factories: the half of it that knows paths, parameters and
 * content types. Its other half, which sends and reads, is left out: it would parse each body twice, drop fields that
 * it does not know, and load the whole library. These modules are the least that the package lets one import.
 */
export function createRequests(server: string): Requests {
  // Credentials are the transport's, which adds them anew to each request.
  const configuration = createConfiguration({ baseServer: new ServerConfiguration(server, {}) });
  const custom = new CustomObjectsApiRequestFactory(configuration);
  const core = new CoreV1ApiRequestFactory(configuration);
  return {
    list: (kind, { limit, token }) =>
      custom.listNamespacedCustomObject(...placeOf(kind), none, none, token ?? none, none, none, limit),
    watch: (kind, { version, lifetimeS }) => {
      const bookmarks = true;
      const watch = true;
      return custom.listNamespacedCustomObject(
        ...placeOf(kind),
        none,
        bookmarks,
        none,
        none,
        none,
        none,
        version,
        none,
        lifetimeS,
        watch,
      );
    },
    create: (kind, object, options) =>
      custom.createNamespacedCustomObject(...placeOf(kind), object, none, dryRun(options), FIELD_MANAGER),
    patch: (kind, name, patch, options) =>
      custom.patchNamespacedCustomObject(...placeOf(kind), name, patch, dryRun(options), FIELD_MANAGER),
    patchStatus: (kind, name, patch) =>
      custom.patchNamespacedCustomObjectStatus(...placeOf(kind), name, patch, none, FIELD_MANAGER),
    remove: (kind, name, preconditions, options) => {
      // A server that finds options in the body takes no notice of the query: said there alone, it would be in earnest.
      const body = { preconditions, ...(options.dryRun ? { dryRun: ["All"] } : {}) };
      return custom.deleteNamespacedCustomObject(...placeOf(kind), name, none, none, none, dryRun(options), body);
    },
    readNamespace: () => core.readNamespace(NAMESPACE),
    readConfigMap: () => core.readNamespacedConfigMap(CONFIG_MAP_NAME, NAMESPACE),
    createConfigMap: (data) => {
      const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: CONFIG_MAP_NAME }, data: { ...data } };
      return core.createNamespacedConfigMap(NAMESPACE, body, none, none, FIELD_MANAGER);
    },
    patchConfigMap: (patch) =>
      core.patchNamespacedConfigMap(CONFIG_MAP_NAME, NAMESPACE, patch, none, none, FIELD_MANAGER),
    // Spelt as a custom object: the factory for `apps` is half a megabyte of code for the sake of one path.
    readStatefulSet: () => custom.getNamespacedCustomObject("apps", "v1", NAMESPACE, "statefulsets", STATEFUL_SET_NAME),
    readMembersSecret: () => core.readNamespacedSecret(MEMBERS_SECRET_NAME, NAMESPACE),
    annotate: async (kind, name, annotations) => {
      const body = { metadata: { annotations } };
      const context = await custom.patchNamespacedCustomObject(...placeOf(kind), name, body, none, FIELD_MANAGER);
      // The factory knows one kind of patch only.
      context.setHeaderParam("Content-Type", "application/merge-patch+json");
      return context;
    },
    createEvent: (event) => core.createNamespacedEvent(NAMESPACE, event, none, none, FIELD_MANAGER),
    patchEvent: (name, patch) => core.patchNamespacedEvent(name, NAMESPACE, patch, none, none, FIELD_MANAGER),
  };
}

/** What every request for a custom object begins with. */
function placeOf(kind: AmkoKind): readonly [group: string, version: string, namespace: string, plural: string] {
  const { apiVersion, plural } = KINDS[kind];
  const [group = "", version = ""] = apiVersion.split("/");
  return [group, version, NAMESPACE, plural];
}

function dryRun(options: WriteOptions): "All" | undefined {
  return options.dryRun ? "All" : none;
}
