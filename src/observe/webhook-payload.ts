import type { IncomingHttpHeaders } from "node:http";
import type { Json } from "../core/model.ts";

export type ReadPayload =
  | { readonly ok: true; readonly payload: Json }
  | { readonly ok: false; readonly status: 400 | 415; readonly why: string };

/** The JSON that a delivery carries, as its body or in a form; null where it carries none. Total. */
export function readPayload(headers: IncomingHttpHeaders, body: Buffer): ReadPayload {
  const type = mediaType(headers);
  if (type === FORM) return parse(formPayload(headers, body) ?? "");
  if (body.length === 0 || type === JSON_TYPE || type.endsWith("+json")) return parse(body.toString("utf8"));
  return { ok: false, status: 415, why: `the payload is neither ${JSON_TYPE} nor ${FORM}` };
}

/**
 * What stands in a form as `payload`; null where it is no form, or has none. Nothing else of it is read: it may come
 * from a stranger, who can put hundreds of thousands of fields into it.
 */
export function formPayload(headers: IncomingHttpHeaders, body: Buffer): string | null {
  if (mediaType(headers) !== FORM) return null;
  const [, field] = /(?:^|&)(payload=[^&]*)/.exec(body.toString("utf8")) ?? [];
  return field === undefined ? null : new URLSearchParams(field).get("payload");
}

const FORM = "application/x-www-form-urlencoded";
const JSON_TYPE = "application/json";

function mediaType(headers: IncomingHttpHeaders): string {
  return (headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

function parse(text: string): ReadPayload {
  if (text.trim() === "") return { ok: true, payload: null };
  try {
    return { ok: true, payload: JSON.parse(text) as Json };
  } catch {
    return { ok: false, status: 400, why: "the payload is no JSON" };
  }
}
