import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Json, NAMESPACE } from "../../core/model.ts";
import { BUILT_IN_TYPES, NAMESPACE_STORAGE } from "./built-in.ts";
import type { Backend } from "./call.ts";
import { sendJson } from "./exchange.ts";
import { handle } from "./handle.ts";
import { openJournal, volatileJournal } from "./journal.ts";
import { createRequestLog, type RequestCount } from "./request-log.ts";
import { DEFINITION_STORAGE, type ResourceType } from "./resource-type.ts";
import { ApiError, failureStatus } from "./status.ts";
import { openStore, type Store } from "./store.ts";
import { createTypeRegistry } from "./type-registry.ts";
import { createObject } from "./write.ts";

export interface ApiServerOptions {
  /** The cluster's name, for messages. */
  readonly name: string;
  /** 0 takes any that is free. */
  readonly port: number;
  /** CustomResourceDefinition manifests, installed when the server starts for the first time. */
  readonly definitions: readonly Json[];
  /** Where to remember everything beyond the life of the process; without it nothing is. */
  readonly storageFile?: string;
  /**
   * Asked of every request as a bearer token; without it everybody may do everything. kubectl sends no token over plain
   * HTTP, whatever its kubeconfig says: this is for the agent's client.
   */
  readonly token?: string;
}

/** A cluster's API server on loopback. */
export interface ApiServer {
  readonly name: string;
  readonly url: string;
  readonly port: number;
  /** Every request since the start, counted. */
  requests(): readonly RequestCount[];
  /** Forgets the past, so that watches from an older resourceVersion, and later pages of lists, get 410. */
  compact(): void;
  /** Ends watches first and lets answers finish, or cuts all connections. */
  stop(how: { readonly abruptly: boolean }): Promise<void>;
}

const HOST = "127.0.0.1";

/**
 * Starts an API server with the namespaces `default` and `avi-system`.
 * @throws Error when the port is taken, the storage damaged or a definition malformed.
 */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { name, port, definitions, storageFile, token } = options;
  const store = openStore(storageFile === undefined ? volatileJournal() : openJournal(storageFile));
  if (store.revision() === 0) populate(store, definitions);
  const backend: Backend = {
    store,
    types: createTypeRegistry(store),
    requests: createRequestLog(),
    watches: new Set(),
  };
  const server = createServer((request, response) => void answer(backend, token, request, response));
  await listen(server, port);
  const address = server.address() as AddressInfo;
  return {
    name,
    url: `http://${HOST}:${address.port}`,
    port: address.port,
    requests: backend.requests.counts,
    compact: store.compact,
    stop: async ({ abruptly }) => {
      await stop(server, backend, abruptly);
      store.close();
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(port, HOST, resolve);
  await promise;
  server.off("error", reject);
}

async function stop(server: Server, { watches }: Backend, abruptly: boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  if (abruptly) server.closeAllConnections();
  for (const watch of [...watches]) watch.end();
  await promise;
}

async function answer(
  backend: Backend,
  token: string | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    authenticate(token, request);
    await handle(backend, request, response);
  } catch (error) {
    const failure = asApiError(error);
    // Where the answer has begun, only cutting it short tells the client that it is not whole.
    if (response.headersSent) response.destroy();
    else sendJson(response, failure.code, failureStatus(failure));
    // A client reads the answer only after it has sent its body. Node's own time limit for requests bounds that.
    request.resume();
  }
}

function authenticate(token: string | undefined, { headers }: IncomingMessage): void {
  if (token === undefined) return;
  const given = Buffer.from(headers.authorization ?? "");
  const wanted = Buffer.from(`Bearer ${token}`);
  if (given.length === wanted.length && timingSafeEqual(given, wanted)) return;
  throw new ApiError(401, "Unauthorized", "Unauthorized");
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new ApiError(500, "InternalError", `Internal error occurred: ${why}`);
}

function populate(store: Store, definitions: readonly Json[]): void {
  const options = {
    manager: "sandbox",
    dryRun: false,
    fieldValidation: "Ignore",
    warn: () => {},
  } as const;
  const create = (storage: string, object: Json) =>
    createObject(store, { type: builtIn(storage), namespace: "" }, object, options);
  for (const name of ["default", NAMESPACE]) {
    const labels = { "kubernetes.io/metadata.name": name };
    create(NAMESPACE_STORAGE, { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
  }
  for (const definition of definitions) create(DEFINITION_STORAGE, definition);
}

function builtIn(storage: string): ResourceType {
  const type = BUILT_IN_TYPES.find((candidate) => candidate.storage === storage);
  if (type === undefined) throw new Error(`no built-in type is kept in ${storage}`);
  return type;
}
