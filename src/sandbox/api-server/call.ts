import type { IncomingMessage, ServerResponse } from "node:http";
import type { Form } from "./accept.ts";
import type { RequestLog } from "./request-log.ts";
import type { ResourceType } from "./resource-type.ts";
import type { Store } from "./store.ts";
import type { TypeRegistry } from "./type-registry.ts";

/** What all requests share. */
export interface Backend {
  readonly store: Store;
  readonly types: TypeRegistry;
  readonly requests: RequestLog;
  readonly watches: Set<OpenWatch>;
}

export interface OpenWatch {
  /** Of the type that is watched. */
  readonly storage: string;
  readonly end: () => void;
}

/** One request while it is answered. */
export interface Call {
  readonly backend: Backend;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly form: Form;
}

/** What a call addresses among the types: an object, or with `name` null the collection. */
export interface Place {
  readonly type: ResourceType;
  /** Null addresses all namespaces, or a cluster-scoped type. */
  readonly namespace: string | null;
  readonly name: string | null;
  readonly subresource: "" | "status";
}
