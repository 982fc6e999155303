import { member } from "../../core/json.ts";
import type { Json, JsonObject } from "../../core/model.ts";

/** A Kubernetes object as the server keeps and sends it. Never changed in place: writers make new ones. */
export interface ApiObject extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
}

export interface Metadata extends JsonObject {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly managedFields?: readonly JsonObject[];
}

export function nameOf(object: ApiObject): string {
  return object.metadata.name ?? "";
}

export function withMetadata(object: ApiObject, change: Metadata): ApiObject {
  return { ...object, metadata: { ...object.metadata, ...change } };
}

/** The same object without some of its metadata. */
export function withoutMetadata(object: ApiObject, ...keys: readonly string[]): ApiObject {
  return { ...object, metadata: omit(object.metadata, ...keys) };
}

/** A copy without some keys; every other key stays, whatever it is called. */
export function omit<T extends JsonObject>(object: T, ...keys: readonly string[]): T {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key))) as unknown as T;
}

/** What stands at a path of keys; undefined where it ends early. */
export function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((inner, key) => member(inner, key), value);
}

export function textAt(value: Json | undefined, ...path: readonly string[]): string {
  const found = at(value, ...path);
  return typeof found === "string" ? found : "";
}

/** Now, as Kubernetes writes times: whole seconds, UTC. */
export function timestamp(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, "Z");
}
