import jsonPatch, { type Operation } from "fast-json-patch";
import type { ErrorCode } from "../../../src/core/catalogue.ts";
import { applyDefaults } from "../../../src/core/defaults.ts";
import { describePath } from "../../../src/core/document-path.ts";
import { deepEqual } from "../../../src/core/json.ts";
import type {
  AmkoKind,
  Json,
  JsonObject,
  KubernetesObject,
  LiveObject,
  ResourceVersion,
  Uid,
} from "../../../src/core/model.ts";
import { prune } from "../../../src/core/prune.ts";
import type { Schemas } from "../../../src/core/resource-definition.ts";
import { validate } from "../../../src/core/validate.ts";
import { FederationError } from "../../../src/errors.ts";
import type { Cluster, ClusterEvent, ConfigMapState, NamespaceState, WorkloadState } from "../../../src/ports.ts";

export type ClusterMethod = Exclude<keyof Cluster, "watch">;

/** A failure as data, as {@link RepositoryFault} is one. */
export interface ClusterFault {
  readonly on: ClusterMethod | "anything";
  readonly code: ErrorCode;
  readonly landed?: boolean;
  readonly times?: number;
  readonly kind?: AmkoKind;
  readonly retryAfterMs?: number;
}

/** One write that an agent made, a dry run not counted. */
export interface ClusterWrite {
  readonly method: ClusterMethod;
  readonly kind: AmkoKind | "ConfigMap";
  readonly name: string;
}

/** One API server's namespace avi-system in memory, with what its users and its operator can do to it. */
export interface FakeCluster extends Cluster {
  readonly writes: readonly ClusterWrite[];
  readonly events: readonly ClusterEvent[];
  readonly configMap: ConfigMapState | null;
  readonly namespace: NamespaceState | null;
  objects(kind: AmkoKind): readonly LiveObject[];
  /** The only object of a kind; null when there is none. */
  only(kind: AmkoKind): LiveObject | null;
  /** Creates or replaces an object as a user does, under a fresh uid unless it exists. */
  put(object: KubernetesObject): LiveObject;
  /** Changes an object in place, as `kubectl edit` does. */
  edit(kind: AmkoKind, change: (object: LiveObject) => KubernetesObject): LiveObject;
  /** Deletes the object of that name, or every one of the kind. */
  drop(kind: AmkoKind, name?: string): void;
  setNamespace(namespace: NamespaceState | null): void;
  /** AMKO's own StatefulSet; there is none unless a test sets one. */
  setWorkload(workload: WorkloadState | null): void;
  setConfigMapData(data: Readonly<Record<string, string>> | null): void;
  /** Every further write of the kind is refused by an admission policy; null lifts that. */
  refuse(kind: AmkoKind, message: string | null): void;
  fail(fault: ClusterFault): void;
  heal(): void;
  /** Everything that stands in it, to be put back later. */
  backUp(): ClusterBackup;
  /** Puts everything back as it was, uids and versions too: what a restored etcd does. */
  restore(backup: ClusterBackup): void;
}

/** A cluster's state at one instant. */
export interface ClusterBackup {
  readonly objects: ReadonlyMap<string, LiveObject>;
  readonly configMap: ConfigMapState | null;
  readonly namespace: NamespaceState | null;
}

export interface FakeClusterOptions {
  readonly name: string;
  readonly schemas: Schemas;
  readonly gate?: (label: string) => Promise<void>;
  /** Told after each write that reached the store. */
  readonly wrote?: () => void;
}

type Metadata = LiveObject["metadata"];

export function createFakeCluster({
  name: cluster,
  schemas,
  gate = async () => undefined,
  wrote = () => undefined,
}: FakeClusterOptions): FakeCluster {
  const store = new Map<string, LiveObject>();
  const writes: ClusterWrite[] = [];
  const events: ClusterEvent[] = [];
  const refusals = new Map<AmkoKind, string>();
  const watchers = new Set<(kind: AmkoKind) => void>();
  let namespace: NamespaceState | null = { uid: `${cluster}-namespace` as Uid, terminating: false };
  let configMap: ConfigMapState | null = null;
  let workload: WorkloadState | null = null;
  let faults: { readonly fault: ClusterFault; left: number }[] = [];
  let version = 0;

  const nextVersion = (): ResourceVersion => {
    version += 1;
    return String(version) as ResourceVersion;
  };
  const nextUid = (): Uid => `${cluster}-uid-${nextVersion()}` as Uid;
  const keyOf = (kind: AmkoKind, name: string): string => `${kind}/${name}`;
  const find = (kind: AmkoKind, name: string): LiveObject => {
    const found = store.get(keyOf(kind, name));
    if (found === undefined) throw new FederationError("AG3010", `${kind} ${name} does not exist`);
    return found;
  };
  const objects = (kind: AmkoKind): readonly LiveObject[] => [...store.values()].filter((one) => one.kind === kind);
  const changed = (kind: AmkoKind): void => {
    for (const watcher of watchers) watcher(kind);
  };
  const save = (object: LiveObject): LiveObject => {
    store.set(keyOf(object.kind as AmkoKind, object.metadata.name), object);
    changed(object.kind as AmkoKind);
    return object;
  };

  /** What an API server does to an object before it stores it: prune, default, validate, admit. */
  function accept<T extends KubernetesObject>(object: T): T {
    const kind = object.kind as AmkoKind;
    const refusal = refusals.get(kind);
    if (refusal !== undefined) throw new FederationError("AG3007", refusal);
    const { schema } = schemas[kind];
    const filled = applyDefaults(prune(asJson(object), schema).value, schema);
    const [error] = validate(filled, schema);
    if (error !== undefined) throw new FederationError("AG3007", `${describePath(error.path)} ${error.message}`);
    return filled as unknown as T;
  }

  async function request<T>(
    method: ClusterMethod,
    subject: { readonly kind: AmkoKind | "ConfigMap" | "Namespace" | "StatefulSet" | "Secret"; readonly name?: string },
    signal: AbortSignal,
    act: () => T,
  ): Promise<T> {
    signal.throwIfAborted();
    await gate(`${cluster} ${method} ${subject.kind}`);
    const found = faults.find(
      ({ fault, left }) =>
        left > 0 &&
        (fault.on === "anything" || fault.on === method) &&
        (fault.kind === undefined || fault.kind === subject.kind),
    );
    if (found !== undefined) found.left -= 1;
    const fault = found?.fault;
    const retryAfterMs = fault?.retryAfterMs ?? null;
    const failure = fault && new FederationError(fault.code, `${method} failed on purpose`, { retryAfterMs });
    if (failure !== undefined && fault?.landed !== true) throw failure;
    const result = act();
    await gate(`${cluster} ${method} ${subject.kind} answered`);
    if (failure !== undefined) throw failure;
    return result;
  }

  function note(method: ClusterMethod, kind: ClusterWrite["kind"], name: string): void {
    writes.push({ method, kind, name });
    wrote();
  }

  function patched(
    target: { readonly kind: AmkoKind; readonly name: string; readonly resourceVersion: ResourceVersion },
    operations: readonly object[],
    part: "object" | "status",
  ): LiveObject {
    const before = find(target.kind, target.name);
    if (before.metadata.resourceVersion !== target.resourceVersion) {
      throw new FederationError("AG3004", `${target.kind} ${target.name} was changed meanwhile`);
    }
    const after = patchJson(before, operations);
    const { status: statusBefore, ...rest } = before;
    const status = part === "status" ? after.status : statusBefore;
    const body = part === "status" ? rest : { ...after, metadata: { ...after.metadata, ...identityOf(before) } };
    const { status: _, ...object } = body as LiveObject;
    const next = accept(status === undefined ? object : { ...object, status }) as LiveObject;
    // A write that changes nothing gets no new version.
    if (deepEqual(asJson(next), asJson(before))) return before;
    return { ...next, metadata: { ...next.metadata, resourceVersion: nextVersion() } };
  }

  return {
    writes,
    events,
    get namespace() {
      return namespace;
    },
    get configMap() {
      return configMap;
    },
    objects,
    only: (kind) => objects(kind)[0] ?? null,
    put(object) {
      const kind = object.kind as AmkoKind;
      const before = store.get(keyOf(kind, object.metadata.name));
      const uid = before?.metadata.uid ?? nextUid();
      const metadata = { ...object.metadata, uid, resourceVersion: nextVersion() } as Metadata;
      return save({ ...accept({ ...object, metadata }), metadata });
    },
    edit(kind, change) {
      const before = objects(kind)[0];
      if (before === undefined) throw new Error(`there is no ${kind} to edit`);
      const metadata = (after: KubernetesObject): Metadata => ({
        ...after.metadata,
        ...identityOf(before),
        resourceVersion: nextVersion(),
      });
      const after = change(before);
      return save({ ...accept({ ...after, metadata: metadata(after) }) });
    },
    drop(kind, only) {
      for (const { metadata } of objects(kind)) {
        if (only === undefined || only === metadata.name) store.delete(keyOf(kind, metadata.name));
      }
      changed(kind);
    },
    setNamespace: (state) => {
      namespace = state;
    },
    setWorkload: (state) => {
      workload = state;
    },
    setConfigMapData: (data) => {
      configMap = data && { uid: nextUid(), resourceVersion: nextVersion(), data };
    },
    refuse: (kind, message) => void (message === null ? refusals.delete(kind) : refusals.set(kind, message)),
    fail: (fault) => void faults.push({ fault, left: fault.times ?? 1 }),
    heal: () => {
      faults = [];
    },
    backUp: () => ({ objects: new Map(store), configMap, namespace }),
    restore(backup) {
      store.clear();
      for (const [key, object] of backup.objects) store.set(key, object);
      ({ configMap, namespace } = backup);
      for (const kind of ["AMKOCluster", "GSLBConfig", "GlobalDeploymentPolicy"] as const) changed(kind);
    },

    list: (kind, signal) => request("list", { kind }, signal, () => objects(kind)),
    create: (object, { dryRun }, signal) =>
      request("create", { kind: object.kind as AmkoKind }, signal, () => {
        const kind = object.kind as AmkoKind;
        const { name } = object.metadata;
        if (store.has(keyOf(kind, name))) throw new FederationError("AG3016", `${kind} ${name} exists`);
        const accepted = accept(object);
        const metadata = { ...accepted.metadata, uid: nextUid(), resourceVersion: nextVersion() } as Metadata;
        const created = { ...accepted, metadata };
        if (dryRun) return created;
        save(created);
        note("create", kind, name);
        return created;
      }),
    patch: (target, patch, { dryRun }, signal) =>
      request("patch", target, signal, () => {
        const after = patched(target, patch, "object");
        if (dryRun) return after;
        save(after);
        note("patch", target.kind, target.name);
        return after;
      }),
    patchStatus: (target, patch, signal) =>
      request("patchStatus", target, signal, () => {
        const after = save(patched(target, patch, "status"));
        note("patchStatus", target.kind, target.name);
        return after;
      }),
    remove: ({ kind, name, uid, resourceVersion }, { dryRun }, signal) =>
      request("remove", { kind }, signal, () => {
        const object = store.get(keyOf(kind, name));
        if (object === undefined) return;
        if (object.metadata.uid !== uid || object.metadata.resourceVersion !== resourceVersion) {
          throw new FederationError("AG3004", `${kind} ${name} was changed meanwhile`);
        }
        if (refusals.has(kind)) throw new FederationError("AG3007", refusals.get(kind) ?? "");
        if (dryRun) return;
        store.delete(keyOf(kind, name));
        changed(kind);
        note("remove", kind, name);
      }),
    readNamespace: (signal) => request("readNamespace", { kind: "Namespace" }, signal, () => namespace),
    readWorkload: (signal) => request("readWorkload", { kind: "StatefulSet" }, signal, () => workload),
    readMembersKubeconfig: (signal) => request("readMembersKubeconfig", { kind: "Secret" }, signal, () => null),
    readConfigMap: (signal) => request("readConfigMap", { kind: "ConfigMap" }, signal, () => configMap),
    writeConfigMap: (data, expected, signal) =>
      request("writeConfigMap", { kind: "ConfigMap" }, signal, () => {
        if (expected === null && configMap !== null) throw new FederationError("AG3016", "the ConfigMap exists");
        if (expected !== (configMap?.resourceVersion ?? null)) {
          throw new FederationError("AG3004", "the ConfigMap was changed meanwhile");
        }
        configMap = { uid: configMap?.uid ?? nextUid(), resourceVersion: nextVersion(), data: { ...data } };
        note("writeConfigMap", "ConfigMap", "amko-gitops");
        return configMap;
      }),
    recordEvent: (event, signal) =>
      request("recordEvent", { kind: "AMKOCluster" }, signal, () => void events.push(event)),
    watch(listener, signal) {
      watchers.add(listener);
      const { promise, resolve } = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => {
        watchers.delete(listener);
        resolve();
      });
      return { silenceMs: () => 0, stalledMs: () => 0, stopped: promise };
    },
  };
}

function identityOf({ metadata }: LiveObject): Pick<Metadata, "name" | "uid" | "resourceVersion"> {
  const { name, uid, resourceVersion } = metadata;
  return { name, uid, resourceVersion };
}

function patchJson(object: LiveObject, operations: readonly object[]): LiveObject {
  try {
    return jsonPatch.applyPatch(structuredClone(object), structuredClone(operations) as Operation[], true).newDocument;
  } catch (error) {
    throw new FederationError("AG3007", `the patch does not apply: ${String(error).slice(0, 200)}`);
  }
}

function asJson(object: KubernetesObject): Json {
  return object as unknown as JsonObject;
}
