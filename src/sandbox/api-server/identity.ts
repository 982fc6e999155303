import { randomBytes, randomUUID } from "node:crypto";
import { member } from "../../core/json.ts";
import type { Json } from "../../core/model.ts";
import { type ApiObject, type Metadata, nameOf, timestamp, withMetadata, withoutMetadata } from "./object.ts";
import type { ResourceType } from "./resource-type.ts";
import { badRequest, conflict, invalid } from "./status.ts";

/** Five characters without vowels, as Kubernetes adds them. */
const SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";
const SUFFIX_LENGTH = 5;

/** Makes a name from `generateName`; it may be taken already, as with a kube-apiserver. */
export function generateName(type: ResourceType, { metadata: { generateName: prefix } }: ApiObject): string {
  if (prefix === undefined || prefix === "") {
    const message = "Required value: name or generateName is required";
    throw invalid(type, "", [{ reason: "FieldValueRequired", field: "metadata.name", message }]);
  }
  const suffix = [...randomBytes(SUFFIX_LENGTH)].map((byte) => SUFFIX_ALPHABET[byte % SUFFIX_ALPHABET.length]);
  return `${prefix}${suffix.join("")}`;
}

/** Puts an object into the namespace that the request names. @throws ApiError 400 when it names another itself. */
export function atNamespace(type: ResourceType, namespace: string, object: ApiObject): ApiObject {
  const { namespace: stated = namespace } = object.metadata;
  if (!type.namespaced) return withoutMetadata(object, "namespace");
  if (stated !== namespace) {
    throw badRequest(
      `the namespace of the provided object does not match the namespace sent on the request (${stated}, ${namespace})`,
    );
  }
  return withMetadata(object, { namespace });
}

export function withNewIdentity(type: ResourceType, object: ApiObject): ApiObject {
  const bare = withoutMetadata(object, "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "generation");
  const identity = { uid: randomUUID(), creationTimestamp: timestamp() };
  return withMetadata(bare, type.counted ? { ...identity, generation: 1 } : identity);
}

/** What a client may send back, but not change. */
const SYSTEM_METADATA = [
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "generation",
  "generateName",
  "namespace",
  "resourceVersion",
] as const satisfies readonly (keyof Metadata)[];

/** What a client sent, with everything that only the server writes as it was. */
export function keepSystemMetadata(current: ApiObject, object: ApiObject): ApiObject {
  const kept = SYSTEM_METADATA.flatMap((key): [string, Json][] => {
    const value = member(current.metadata, key);
    return value === undefined ? [] : [[key, value]];
  });
  return withMetadata(withoutMetadata(object, ...SYSTEM_METADATA, "selfLink"), Object.fromEntries(kept));
}

export function checkName(name: string, sent: ApiObject): void {
  const stated = nameOf(sent);
  if (stated === "" || stated === name) return;
  throw badRequest(`the name of the object (${stated}) does not match the name on the URL (${name})`);
}

interface Place {
  readonly type: ResourceType;
  readonly namespace: string;
  readonly name: string;
}

/** Whether a write is meant for this very object. @throws ApiError 400, 409, or 422 without a resourceVersion that is needed. */
export function checkIdentity(
  { type, namespace, name }: Place,
  current: ApiObject,
  sent: ApiObject,
  { resourceVersionRequired = type.custom } = {},
): void {
  checkName(name, sent);
  atNamespace(type, namespace, sent);
  const { resourceVersion = "", uid = current.metadata.uid } = sent.metadata;
  if (resourceVersion === "" && resourceVersionRequired) {
    const message = "Invalid value: 0: must be specified for an update";
    throw invalid(type, name, [{ reason: "FieldValueInvalid", field: "metadata.resourceVersion", message }]);
  }
  if (uid !== current.metadata.uid) {
    throw conflict(
      type,
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`,
    );
  }
  if (resourceVersion !== "" && resourceVersion !== current.metadata.resourceVersion) throw conflict(type, name);
}
