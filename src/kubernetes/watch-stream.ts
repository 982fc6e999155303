import { FederationError } from "../errors.ts";
import { isAnswered } from "./api.ts";

/** Events carry one object each, and etcd keeps objects under 1.5 MiB. */
const LINE_LENGTH_MAX = 8 * 1024 * 1024;

/** What a watch says, as far as it matters: the object itself is always read afresh. */
export type WatchEvent =
  | { readonly kind: "changed"; readonly name: string; readonly version: string }
  | { readonly kind: "deleted"; readonly name: string }
  | { readonly kind: "bookmark" };

/** Splits a watch's body into its lines. A last line that was cut off is dropped: the list that follows has it. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, alive: () => void): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    alive();
    const text = decoder.decode(chunk, { stream: true });
    // A long line that comes in small pieces is not looked through again with each of them.
    const lines = text.includes("\n") ? (rest + text).split("\n") : [rest + text];
    rest = lines.pop() ?? "";
    if (rest.length > LINE_LENGTH_MAX) throw senselessEvent("a line does not end");
    for (const line of lines) if (line.trim() !== "") yield line;
  }
}

/** @throws FederationError AG3004 when the server has forgotten the version, AG3001 on its other errors, AG3014. */
export function readWatchEvent(line: string): WatchEvent {
  const { type, object } = parseEvent(line);
  if (type === "BOOKMARK") return { kind: "bookmark" };
  if (type === "ERROR") throw serverError(object);
  const metadata = object["metadata"];
  const name = isAnswered(metadata) ? metadata["name"] : null;
  const version = isAnswered(metadata) ? metadata["resourceVersion"] : null;
  if (typeof name !== "string" || typeof version !== "string") throw senselessEvent("an object has no metadata");
  switch (type) {
    case "ADDED":
    case "MODIFIED":
      return { kind: "changed", name, version };
    case "DELETED":
      return { kind: "deleted", name };
    default:
      throw senselessEvent("an event's type is unknown");
  }
}

function parseEvent(line: string): { readonly type: unknown; readonly object: Readonly<Record<string, unknown>> } {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    throw senselessEvent("a line is no JSON");
  }
  const object = isAnswered(event) ? event["object"] : null;
  if (!isAnswered(event) || !isAnswered(object)) throw senselessEvent("a line is no event");
  return { type: event["type"], object };
}

const HTTP_GONE = 410;

function serverError(status: Readonly<Record<string, unknown>>): FederationError {
  if (status["code"] === HTTP_GONE) {
    return new FederationError("AG3004", "The API server no longer knows the version that the watch went on from.");
  }
  return new FederationError("AG3001", `The API server ended a watch with the error ${Number(status["code"])}.`);
}

function senselessEvent(what: string): FederationError {
  return new FederationError("AG3014", `What the API server sends on a watch makes no sense: ${what}.`);
}
