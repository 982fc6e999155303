import { readDocument } from "../core/document.ts";
import type { ObjectId } from "../core/model.ts";
import { FederationError, hasCode } from "../errors.ts";
import { type Connection, contextConnection, entriesOf, type Kubeconfig } from "./kubeconfig.ts";
import { unusable } from "./kubeconfig-entry.ts";

/**
 * The contexts of a kubeconfig that somebody else wrote (the members' Secret), each with how it reaches its server or
 * with AG4007 and the reason why it may not be used. It may name a server and carry credentials; it may not run
 * programs here, read files here, or go without TLS verification.
 * @throws FederationError AG4007 when it is no kubeconfig at all. No error quotes it.
 */
export function untrustedConnections(kubeconfig: string): ReadonlyMap<string, Connection | FederationError> {
  const config = refusing(() => parse(kubeconfig));
  if (config instanceof FederationError) throw config;
  return new Map(
    [...config.contexts.keys()].map((name) => [name, refusing(() => judge(contextConnection(config, name)))]),
  );
}

const SOURCE = "the members' kubeconfig";

/** With the reader of files from git: the library alone works for minutes on 100 KiB that were made for that. */
function parse(text: string): Kubeconfig {
  const bytes = new TextEncoder().encode(text);
  const document = readDocument({ path: SOURCE, type: "file", id: "" as ObjectId, size: bytes.length, bytes });
  if (document.ok) return entriesOf(document.value, SOURCE, null);
  // The problem's message quotes the text, and the text may be a credential.
  const { line } = document.problem;
  throw unusable(`${SOURCE} is no YAML that can be trusted${line === null ? "" : ` (line ${line})`}`);
}

function judge(connection: Connection): Connection {
  const { tls, user, server, context } = connection;
  const refuse = (reason: string): FederationError =>
    new FederationError("AG4007", `The members' kubeconfig cannot be used: context ${context}: ${reason}.`);
  if (user.plugin !== null) throw refuse(`${user.plugin.kind} users are refused, since they run programs`);
  if (tls.insecure && server.startsWith("https:")) throw refuse("insecure-skip-tls-verify is refused");
  const files = [tls.ca, tls.clientCertificate, tls.clientKey, user.token].filter((one) => one?.kind === "file");
  if (files.length > 0) throw refuse("files are refused, use the -data fields and a token");
  return connection;
}

/** What a kubeconfig of one's own would be told as AG4005 is a fault of the members' one here. */
function refusing<T>(read: () => T): T | FederationError {
  try {
    return read();
  } catch (error) {
    if (hasCode(error, "AG4007")) return error;
    if (hasCode(error, "AG4005")) return new FederationError("AG4007", error.message);
    throw error;
  }
}
