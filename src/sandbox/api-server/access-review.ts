import { isObject } from "../../core/json.ts";
import type { Json } from "../../core/model.ts";
import type { Call } from "./call.ts";
import { sendJson } from "./exchange.ts";
import type { Route } from "./route.ts";
import { badRequest } from "./status.ts";

/** Asked by `kubectl auth can-i`, and by preflights. */
export function isAccessReview(route: Route): boolean {
  return (
    route.kind === "resource" &&
    route.group === "authorization.k8s.io" &&
    route.version === "v1" &&
    route.plural === "selfsubjectaccessreviews"
  );
}

/** Whoever is let in may do everything here. Nothing is kept of a review. */
export function answerAccessReview({ response }: Call, body: Json): void {
  if (!isObject(body)) throw badRequest("the request has no review");
  sendJson(response, 201, { ...body, status: { allowed: true } });
}
