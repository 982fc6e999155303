import { type ApiObject, nameOf, omit, withMetadata } from "./object.ts";
import type { ResourceType } from "./resource-type.ts";

/** What is written: the object but its status, or with `status` that alone. */
export type Subresource = "" | "status";

/** The part of a write that counts: all but status, or status alone. */
export function inScope(
  { statusSubresource }: ResourceType,
  subresource: Subresource,
  current: ApiObject,
  sent: ApiObject,
): ApiObject {
  const withStatus = (object: ApiObject, { status }: ApiObject): ApiObject =>
    status === undefined ? omit(object, "status") : { ...object, status };
  if (subresource === "status") {
    const { managedFields } = sent.metadata;
    return withStatus(managedFields === undefined ? current : withMetadata(current, { managedFields }), sent);
  }
  const named = withMetadata(sent, { name: nameOf(current) });
  return statusSubresource ? withStatus(named, current) : named;
}

/** The part of an applied configuration that counts. */
export function statedInScope(
  { statusSubresource }: ResourceType,
  subresource: Subresource,
  configuration: ApiObject,
): ApiObject {
  if (subresource === "") return statusSubresource ? omit(configuration, "status") : configuration;
  const { apiVersion, kind, metadata, status } = configuration;
  const bare = { apiVersion, kind, metadata: { name: metadata.name ?? "" } };
  return status === undefined ? bare : { ...bare, status };
}
