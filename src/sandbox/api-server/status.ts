import type { Json, JsonObject } from "../../core/model.ts";
import type { ResourceType } from "./resource-type.ts";

export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly Cause[];
  readonly retryAfterSeconds?: number;
}

/** An answer other than success: becomes a Status object, worded as a kube-apiserver words it. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails;

  constructor(code: number, reason: string, message: string, details: StatusDetails = {}) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }
}

export function failureStatus({ code, reason, message, details }: ApiError): JsonObject {
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    details: details as unknown as Json,
    code,
  };
}

export function successStatus(details: StatusDetails): JsonObject {
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: details as unknown as Json,
    code: 200,
  };
}

/** The part of a type that error messages need. */
export type Named = Pick<ResourceType, "group" | "plural" | "kind">;

/** `globaldeploymentpolicies.amko.vmware.com`, or the bare plural in the core group. */
export function qualified({ group, plural }: Named): string {
  return group === "" ? plural : `${plural}.${group}`;
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, "BadRequest", message);
}

export function notFound(type: Named, name: string): ApiError {
  return new ApiError(404, "NotFound", `${qualified(type)} "${name}" not found`, resource(type, name));
}

/** For a path that leads nowhere, such as a resource whose CRD is not installed. */
export function noSuchResource(): ApiError {
  return new ApiError(404, "NotFound", "the server could not find the requested resource");
}

export function methodNotAllowed(): ApiError {
  return new ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
}

export function alreadyExists(type: Named, name: string): ApiError {
  return new ApiError(409, "AlreadyExists", `${qualified(type)} "${name}" already exists`, resource(type, name));
}

export function conflict(type: Named, name: string, why = MODIFIED_MEANWHILE): ApiError {
  const message = `Operation cannot be fulfilled on ${qualified(type)} "${name}": ${why}`;
  return new ApiError(409, "Conflict", message, resource(type, name));
}

const MODIFIED_MEANWHILE =
  "the object has been modified; please apply your changes to the latest version and try again";

export function invalid(type: Named, name: string, causes: readonly Cause[]): ApiError {
  const texts = causes.map(({ field, message }) => `${field}: ${message}`);
  const list = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
  const what = type.group === "" ? type.kind : `${type.kind}.${type.group}`;
  const details = { name, group: type.group, kind: type.kind, causes };
  return new ApiError(422, "Invalid", `${what} "${name}" is invalid: ${list}`, details);
}

export function forbidden(type: Named, name: string, why: string, causes: readonly Cause[] = []): ApiError {
  const message = `${qualified(type)} "${name}" is forbidden: ${why}`;
  return new ApiError(403, "Forbidden", message, { ...resource(type, name), ...(causes.length > 0 ? { causes } : {}) });
}

export function expired(message: string): ApiError {
  return new ApiError(410, "Expired", message);
}

export function unsupportedMediaType(accepted: readonly string[]): ApiError {
  const list = accepted.join(", ");
  const message = `the body of the request was in an unknown format - accepted media types include: ${list}`;
  return new ApiError(415, "UnsupportedMediaType", message);
}

function resource({ group, plural }: Named, name: string): StatusDetails {
  return { name, ...(group === "" ? {} : { group }), kind: plural };
}
