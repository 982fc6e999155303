import type { IncomingMessage, ServerResponse } from "node:http";
import { parse } from "yaml";
import type { Json } from "../../core/model.ts";
import { PROTOBUF, readProtobuf } from "./protobuf.ts";
import { ApiError, badRequest } from "./status.ts";

/** As large as a kube-apiserver takes. */
const BODY_MAX_BYTES = 3 * 1024 * 1024;

/** The media type without its parameters. */
export function contentTypeOf({ headers }: IncomingMessage): string {
  return (headers["content-type"] ?? "application/json").split(";")[0]?.trim().toLowerCase() ?? "";
}

/**
 * Reads a body of JSON, or of YAML or protobuf where its type says so; null when it is empty.
 * @throws ApiError 413 or 400.
 */
export async function readBody(request: IncomingMessage): Promise<Json> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  // Not destroyed on a refusal, which would take the connection away from the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > BODY_MAX_BYTES) {
      throw new ApiError(413, "RequestEntityTooLarge", `Request entity too large: limit is ${BODY_MAX_BYTES}`);
    }
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (contentTypeOf(request) === PROTOBUF && bytes.length > 0) return readProtobuf(bytes);
  const text = bytes.toString("utf8");
  if (text.trim() === "") return null;
  try {
    // JSON first: clients send it as YAML too, and only JSON.parse knows no YAML surprises.
    return JSON.parse(text) as Json;
  } catch (error) {
    if (!contentTypeOf(request).includes("yaml")) throw badRequest(`invalid character in the body: ${String(error)}`);
  }
  try {
    return parse(text, { maxAliasCount: 0, version: "1.1" }) as Json;
  } catch (error) {
    throw badRequest(`error parsing YAML: ${String(error)}`);
  }
}

export function sendJson(
  response: ServerResponse,
  code: number,
  body: Json,
  { contentType = "application/json", warnings = [] }: { contentType?: string; warnings?: readonly string[] } = {},
): void {
  for (const warning of warnings) response.appendHeader("Warning", `299 - ${JSON.stringify(warning)}`);
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
  response.writeHead(code, {
    "content-type": contentType,
    "content-length": bytes.length,
    "cache-control": "no-cache",
  });
  response.end(bytes);
}
