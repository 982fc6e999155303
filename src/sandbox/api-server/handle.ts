import type { IncomingMessage, ServerResponse } from "node:http";
import { isArray } from "../../core/json.ts";
import { readForm } from "./accept.ts";
import { answerAccessReview, isAccessReview } from "./access-review.ts";
import { openWatch, sendList, sendObject } from "./answer.ts";
import type { Backend, Call, Place } from "./call.ts";
import { aggregatedDiscovery, discoveryDocument, SERVER_VERSION } from "./discovery.ts";
import { readBody, sendJson } from "./exchange.ts";
import { handleDelete, handleDeleteCollection } from "./handle-delete.ts";
import { handleWrite, targetOf } from "./handle-write.ts";
import { at } from "./object.ts";
import { openApiDocument } from "./open-api.ts";
import { OPEN_API_V2, openApiV2 } from "./open-api-v2.ts";
import { type Route, readRoute } from "./route.ts";
import { badRequest, methodNotAllowed, noSuchResource } from "./status.ts";
import type { TypeRegistry } from "./type-registry.ts";
import { readObject } from "./write.ts";

/** Answers one request. @throws ApiError for every answer but success. */
export async function handle(backend: Backend, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://api-server");
  const call: Call = { backend, request, response, query: url.searchParams, form: readForm(request.headers.accept) };
  const route = routeOf(url.pathname);
  if (route.kind === "document") {
    backend.requests.add({ verb: "get", resource: url.pathname, dryRun: false });
    sendDocument(call, url.pathname.replace(/(?<=.)\/$/, ""));
    return;
  }
  await handleResource(call, route);
}

function routeOf(path: string): Route {
  try {
    return readRoute(path);
  } catch (error) {
    if (error instanceof URIError) throw badRequest("the path is not well encoded");
    throw error;
  }
}

function sendDocument({ backend, request, response, form }: Call, path: string): void {
  if (request.method !== "GET") throw methodNotAllowed();
  const types = backend.types.all();
  if (form.as === "APIGroupDiscoveryList" && (path === "/api" || path === "/apis")) {
    const { apiVersion, contentType } = form;
    sendJson(response, 200, aggregatedDiscovery(path, types, apiVersion), { contentType });
    return;
  }
  if (/^\/(healthz|livez|readyz)$/.test(path)) {
    response.writeHead(200, { "content-type": "text/plain" }).end("ok");
    return;
  }
  if (path === "/openapi/v2") {
    response.writeHead(200, { "content-type": OPEN_API_V2 }).end(openApiV2(types));
    return;
  }
  const document =
    path === "/version" ? SERVER_VERSION : (discoveryDocument(path, types) ?? openApiDocument(path, types));
  if (document === undefined) throw noSuchResource();
  sendJson(response, 200, document);
}

async function handleResource(call: Call, route: Route & { readonly kind: "resource" }): Promise<void> {
  const { backend, request, query } = call;
  const body = request.method === "GET" ? null : await readBody(request);
  const verb = verbOf(request.method ?? "", route.name !== null, query);
  const dryRun = query.has("dryRun") || isArray(at(body, "dryRun"));
  const resource = route.subresource === "" ? route.plural : `${route.plural}/${route.subresource}`;
  backend.requests.add({ verb, resource, dryRun });
  if (isAccessReview(route) && verb === "create") return answerAccessReview(call, body);
  const place = placeOf(backend.types, route);
  switch (verb) {
    case "get":
      return sendObject(call, place.type, 200, readObject(backend.store, targetOf(place)));
    case "list":
      return sendList(call, place);
    case "watch":
      return openWatch(call, place);
    case "delete":
      return handleDelete(call, place, body);
    case "deletecollection":
      return handleDeleteCollection(call, place, body);
    default:
      return handleWrite(call, place, verb, body);
  }
}

function verbOf(method: string, named: boolean, query: URLSearchParams): string {
  if (method === "GET" && named) return "get";
  if (method === "GET") return /^(true|1)$/.test(query.get("watch") ?? "") ? "watch" : "list";
  if (method === "DELETE") return named ? "delete" : "deletecollection";
  if (method === "POST" && !named) return "create";
  if (method === "PUT" && named) return "update";
  if (method === "PATCH" && named) return "patch";
  throw methodNotAllowed();
}

function placeOf(types: TypeRegistry, { group, version, plural, namespace, name, subresource }: ResourceRoute): Place {
  const type = types.find(group, version, plural);
  if (type === undefined) throw noSuchResource();
  if (subresource !== "" && (subresource !== "status" || !type.statusSubresource)) throw noSuchResource();
  // Objects live in a namespace or beside all; addressed otherwise there is nothing, but lists may span namespaces.
  if (type.namespaced ? namespace === null && name !== null : namespace !== null) throw noSuchResource();
  return { type, namespace, name, subresource: subresource === "" ? "" : "status" };
}

type ResourceRoute = Route & { readonly kind: "resource" };
