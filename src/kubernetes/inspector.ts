import { HttpMethod, RequestContext } from "@kubernetes/client-node/dist/gen/http/http.js";
import { type AmkoKind, type Json, KINDS, NAMESPACE } from "../core/model.ts";
import { hasCode } from "../errors.ts";
import type { ClusterInspector } from "../ports.ts";
import { type Answered, createApi, isAnswered, senseless } from "./api.ts";
import { type ConnectionChoice, findConnection } from "./kubeconfig.ts";
import type { RequestSubject } from "./refusal.ts";
import { createTransport } from "./transport.ts";

export interface InspectorSettings {
  readonly connection: ConnectionChoice;
  readonly timeoutMs: number;
  readonly nowMs: () => number;
}

const VERSION: RequestSubject = { verb: "get", kind: "version", name: null };
const REVIEW: RequestSubject = { verb: "create", kind: "SelfSubjectAccessReview", name: null };

/**
 * What a preflight asks beside the agent's own requests. Every user may ask all of it, so that it needs no right which
 * the agent has not: schemas are read from the published OpenAPI documents and not from the CRDs.
 * @throws FederationError AG4005 when the kubeconfig cannot be used.
 */
export function createInspector({
  connection: choice,
  timeoutMs,
  nowMs,
}: InspectorSettings): Omit<ClusterInspector, "memberContexts"> {
  let date: string | null = null;
  const connection = findConnection(choice);
  const onRequest = (observation: { readonly date: string | null }): void => {
    date = observation.date;
  };
  const api = createApi(
    connection.server,
    createTransport({ connection, timeoutMs, nowMs, onRequest, env: process.env }),
  );
  const get = (path: string, subject: RequestSubject, signal: AbortSignal): Promise<Answered> =>
    api.send(Promise.resolve(requestFor(connection.server, path, null)), subject, signal);
  return {
    async readServer(signal) {
      const { gitVersion } = await get("/version", VERSION, signal);
      if (typeof gitVersion !== "string") throw senseless(VERSION, "it names no version");
      const clockMs = date === null ? Number.NaN : Date.parse(date);
      return { version: gitVersion, clockMs: Number.isNaN(clockMs) ? null : clockMs };
    },
    async readSchema(kind, signal) {
      const subject: RequestSubject = { verb: "get", kind: "OpenAPI", name: null };
      try {
        return schemaIn(await get(`/openapi/v3/apis/${KINDS[kind].apiVersion}`, subject, signal), kind);
      } catch (error) {
        if (hasCode(error, "AG3005", "AG3010")) return null;
        throw error;
      }
    },
    async may({ verb, group, resource, name }, signal) {
      const [plural, subresource] = resource.split("/");
      const resourceAttributes = { namespace: NAMESPACE, verb, group, resource: plural, subresource, name: name ?? "" };
      const review = {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: { resourceAttributes },
      };
      const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
      const { status } = await api.send(Promise.resolve(requestFor(connection.server, path, review)), REVIEW, signal);
      if (!isAnswered(status)) throw senseless(REVIEW, "it has no status");
      return status["allowed"] === true;
    },
  };
}

function requestFor(server: string, path: string, body: object | null): RequestContext {
  const context = new RequestContext(`${server}${path}`, body === null ? HttpMethod.GET : HttpMethod.POST);
  context.setHeaderParam("Accept", "application/json");
  if (body === null) return context;
  context.setHeaderParam("Content-Type", "application/json");
  context.setBody(JSON.stringify(body));
  return context;
}

/** The schema that carries the kind's name; others are lists and parts. */
function schemaIn({ components }: Answered, kind: AmkoKind): Json | null {
  const schemas = isAnswered(components) && isAnswered(components["schemas"]) ? components["schemas"] : {};
  const found = Object.values(schemas).find((schema) => {
    const kinds = isAnswered(schema) ? schema["x-kubernetes-group-version-kind"] : undefined;
    return Array.isArray(kinds) && kinds.some((one) => isAnswered(one) && one["kind"] === kind);
  });
  return found === undefined ? null : (found as Json);
}
