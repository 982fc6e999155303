import { readDocument } from "../core/document.ts";
import type { ObjectId } from "../core/model.ts";
import { FederationError, hasCode } from "../errors.ts";
import { type Connection, contextConnection, entriesOf, type Kubeconfig } from "./kubeconfig.ts";
import { isEntry, textOf, unusable } from "./kubeconfig-entry.ts";

/**
 * The contexts of a kubeconfig that somebody else wrote (the members' Secret), each with how it reaches its server or
 * with AG4007 and the reason why it may not be used. It may name a server and carry credentials; it may not run
 * programs here, read files here, or go without TLS verification.
 * @throws FederationError AG4007 when it is no kubeconfig at all. No error quotes it.
 */
export function untrustedConnections(kubeconfig: string): ReadonlyMap<string, Connection | FederationError> {
  const config = refusing(() => parse(kubeconfig));
  if (config instanceof FederationError) throw config;
  return new Map([...config.contexts.keys()].map((name) => [name, refusing(() => connect(config, name))]));
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

function connect(config: Kubeconfig, context: string): Connection {
  const refuse = (reason: string): FederationError =>
    new FederationError("AG4007", `The members' kubeconfig cannot be used: context ${context}: ${reason}.`);
  const plugin = pluginOf(config, context);
  if (plugin !== null) throw refuse(`${plugin} users are refused, since they run programs`);
  const connection = contextConnection(config, context);
  const { tls, user, server } = connection;
  if (tls.insecure && server.startsWith("https:")) throw refuse("insecure-skip-tls-verify is refused");
  const files = [tls.ca, tls.clientCertificate, tls.clientKey, user.token].filter((one) => one?.kind === "file");
  if (files.length > 0) throw refuse("files are refused, use the -data fields and a token");
  return connection;
}

/** Looked for in the entry itself: a plugin is told of the cluster's certificates, which would be read for it. */
function pluginOf({ contexts, users }: Kubeconfig, context: string): string | null {
  const user = textOf(contexts.get(context) ?? {}, "user");
  const entry = user === null ? undefined : users.get(user)?.entry;
  return ["exec", "auth-provider"].find((field) => isEntry(entry?.[field])) ?? null;
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
