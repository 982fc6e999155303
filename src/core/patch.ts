import { deepEqual, isObject } from "./json.ts";
import type { Json, JsonObject, KubernetesObject, LiveObject, Snapshot } from "./model.ts";
import {
  AMKO_ANNOTATION_PREFIX,
  BASE_ANNOTATION,
  EXPORT_ID_ANNOTATION,
  KINDS,
  NAMESPACE,
  SUPERSEDES_ANNOTATION,
  UUID_ANNOTATION,
} from "./model.ts";

/** One operation of a JSON patch, RFC 6902. */
export interface PatchOperation {
  readonly op: "add" | "remove" | "replace";
  readonly path: string;
  readonly value?: Json;
}

/** Annotations to set (text) or to take off (null). */
export type AnnotationChanges = Readonly<Record<string, string | null>>;

/**
 * Makes a live object equal to a snapshot, in one request with its base. The spec is replaced whole, so that fields
 * which somebody added go too; labels and annotations that are not federated stay; the UUID is never taken off.
 */
export function snapshotPatch(
  live: LiveObject,
  snapshot: Snapshot,
  base: string,
  supersedes: string | null = null,
): readonly PatchOperation[] {
  const annotations: Record<string, string | null> = {
    ...snapshot.annotations,
    [BASE_ANNOTATION]: base,
    // The export that this id belonged to is over: git gave the content.
    [EXPORT_ID_ANNOTATION]: null,
    [SUPERSEDES_ANNOTATION]: supersedes,
  };
  for (const name of Object.keys(live.metadata.annotations ?? {})) {
    const federated = name.startsWith(AMKO_ANNOTATION_PREFIX) && name !== UUID_ANNOTATION;
    if (federated && !Object.hasOwn(snapshot.annotations, name)) annotations[name] = null;
  }
  const spec: PatchOperation[] = deepEqual(live.spec, snapshot.spec)
    ? []
    : [{ op: live.spec === undefined ? "add" : "replace", path: "/spec", value: snapshot.spec }];
  return [...annotationPatch(live, annotations), ...spec];
}

/** Only the operations that change something; empty when the annotations are so already. */
export function annotationPatch(live: LiveObject, changes: AnnotationChanges): readonly PatchOperation[] {
  const present = live.metadata.annotations ?? {};
  const operations: PatchOperation[] = [];
  for (const [name, value] of Object.entries(changes)) {
    const path = `/metadata/annotations/${escapePointer(name)}`;
    if (value === null && Object.hasOwn(present, name)) operations.push({ op: "remove", path });
    if (value !== null && present[name] !== value) operations.push({ op: "add", path, value });
  }
  const none = live.metadata.annotations === undefined && operations.length > 0;
  return none ? [{ op: "add", path: "/metadata/annotations", value: {} }, ...operations] : operations;
}

/** Sets single fields of a spec, only where they differ. */
export function specPatch(live: LiveObject, fields: JsonObject): readonly PatchOperation[] {
  const spec = isObject(live.spec) ? live.spec : {};
  const operations = Object.entries(fields)
    .filter(([name, value]) => !deepEqual(spec[name], value))
    .map(([name, value]): PatchOperation => ({ op: "add", path: `/spec/${escapePointer(name)}`, value }));
  const none = live.spec === undefined && operations.length > 0;
  return none ? [{ op: "add", path: "/spec", value: {} }, ...operations] : operations;
}

/** The object that a snapshot creates where there is none. */
export function objectOf(snapshot: Snapshot, base: string): KubernetesObject {
  return {
    apiVersion: KINDS[snapshot.kind].apiVersion,
    kind: snapshot.kind,
    metadata: {
      name: snapshot.name,
      namespace: NAMESPACE,
      annotations: { ...snapshot.annotations, [BASE_ANNOTATION]: base },
    },
    spec: snapshot.spec,
  };
}

/** RFC 6901: `~` and `/` inside one step of a pointer. */
export function escapePointer(step: string): string {
  return step.replaceAll("~", "~0").replaceAll("/", "~1");
}
