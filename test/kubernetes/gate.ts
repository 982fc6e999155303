import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { answerJson, status } from "./support.ts";

/** An API server, and how an administrator is let in. */
export interface Upstream {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** For https. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

/** What the gate does with the requests that come next. */
export type GateMode =
  | { readonly kind: "open" }
  /** Cuts each connection when a request comes. */
  | { readonly kind: "cut" }
  /** Takes requests and answers none. */
  | { readonly kind: "hang" }
  /** Answers everything itself. */
  | {
      readonly kind: "refuse";
      readonly status: number;
      readonly reason: string;
      readonly headers: Record<string, string>;
    };

/**
 * Stands between the client under test and an API server, whichever it is, and breaks things on demand. What it lets
 * through it lets through as an administrator; of the client it may demand a token of its own.
 */
export interface Gate {
  readonly url: string;
  /** `GET /apis/…`, in order of arrival. */
  readonly requests: readonly string[];
  set(mode: GateMode): void;
  /** From now on every request must carry this bearer token. */
  demand(token: string): void;
  /** Cuts all connections, watches among them. */
  cut(): void;
  /** Lets the watches that are open now stand, but passes nothing on any more. */
  silence(): void;
  close(): Promise<void>;
}

export async function openGate(upstream: Upstream): Promise<Gate> {
  const requests: string[] = [];
  const passing = new Set<IncomingMessage>();
  let mode: GateMode = { kind: "open" };
  let wanted: string | null = null;

  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    if (wanted !== null && request.headers.authorization !== `Bearer ${wanted}`) {
      answerJson(response, 401, status(401, "Unauthorized"));
      return;
    }
    switch (mode.kind) {
      case "open":
        pass(upstream, request, response, passing);
        return;
      case "cut":
        request.destroy();
        return;
      case "hang":
        return;
      case "refuse":
        answerJson(response, mode.status, status(mode.status, mode.reason), mode.headers);
        return;
      default:
        mode satisfies never;
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    set: (next) => {
      mode = next;
    },
    demand: (token) => {
      wanted = token;
    },
    cut: () => server.closeAllConnections(),
    silence: () => {
      for (const answer of passing) answer.unpipe();
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function pass(
  upstream: Upstream,
  request: IncomingMessage,
  response: ServerResponse,
  passing: Set<IncomingMessage>,
): void {
  const outgoing = send(upstream, request.method ?? "GET", request.url ?? "/", request.headers);
  outgoing.on("response", (answer) => {
    passing.add(answer);
    response.writeHead(answer.statusCode ?? 0, answer.headers);
    response.flushHeaders();
    answer.pipe(response);
    answer.on("error", () => response.destroy());
    answer.on("close", () => {
      passing.delete(answer);
      if (!answer.complete) response.destroy();
    });
  });
  // The client sees what a client sees whose server is gone.
  outgoing.on("error", () => response.destroy());
  response.on("close", () => outgoing.destroy());
  request.pipe(outgoing);
}

function send(upstream: Upstream, method: string, path: string, headers: IncomingHttpHeaders) {
  const url = new URL(path, upstream.url);
  const { host: _host, authorization: _authorization, connection: _connection, ...kept } = headers;
  const options = { method, headers: { ...kept, ...upstream.headers }, agent: false as const };
  return url.protocol === "https:" ? httpsRequest(url, { ...options, ...upstream.tls }) : httpRequest(url, options);
}

export interface AdminAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server says, looked into by the test that asked
  readonly body: any;
}

/** Asks the API server as an administrator, past the gate: to arrange, and to look. `body` may be ready-made text. */
export function askAsAdmin(upstream: Upstream, method: string, path: string, body?: unknown): Promise<AdminAnswer> {
  const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  const headers = {
    "content-type": type,
    accept: "application/json",
    "content-length": String(Buffer.byteLength(text)),
  };
  return new Promise((resolve, reject) => {
    const outgoing = send(upstream, method, path, headers);
    outgoing.on("error", reject);
    outgoing.on("response", async (answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
      const said = Buffer.concat(chunks).toString("utf8");
      const json = answer.headers["content-type"]?.startsWith("application/json") ?? false;
      resolve({ status: answer.statusCode ?? 0, body: json ? JSON.parse(said) : said });
    });
    outgoing.end(text);
  });
}
