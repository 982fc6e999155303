import { type ChildProcess, spawn } from "node:child_process";
import { timingSafeEqual } from "node:crypto";
import { access } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { FederationError } from "../errors.ts";
import { gitEnvironment, runGit } from "./git-command.ts";

/** A CGI program that has not finished its headers after this many bytes never will. */
const CGI_HEADER_MAX_BYTES = 64 * 1024;

export interface GitServerUser {
  readonly password: string;
  readonly mayPush: boolean;
}

export interface GitServerOptions {
  /** The folder whose bare repositories are served. */
  readonly root: string;
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** Who may read and push, by name (HTTP basic); the empty name is whoever gives none. Without it all may do both. */
  readonly users?: Readonly<Record<string, GitServerUser>>;
  /** True ignores the Git-Protocol header, as servers do that are older or stand behind a careless proxy. */
  readonly version0Only?: boolean;
}

export interface GitServerRequests {
  readonly total: number;
  /** By what was asked: `GET git-upload-pack`, `POST git-receive-pack`. */
  readonly byService: Readonly<Record<string, number>>;
}

export interface GitServer {
  readonly port: number;
  /** The address of the repository `name` below the root. */
  url(name: string): string;
  requests(): GitServerRequests;
  /** Answers what is under way and ends; `abruptly` cuts every connection as a crash would. Ends git's processes too. */
  stop(options?: { readonly abruptly?: boolean }): Promise<void>;
}

/**
 * Serves the bare repositories below `root` on loopback through git's own `http-backend`, one process per request.
 * @throws FederationError AG4006 when git or its http-backend is not installed.
 */
export async function startGitServer(options: GitServerOptions): Promise<GitServer> {
  const root = resolve(options.root);
  const backend = await findHttpBackend();
  const children = new Set<ChildProcess>();
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    const what = `${request.method} ${serviceOf(request)}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
    const user = authenticate(request, options.users);
    const mayNotPush = user?.mayPush === false && serviceOf(request) === "git-receive-pack";
    if (user === null || (mayNotPush && user.name === null)) return refuse(response, 401, "credentials are required");
    if (mayNotPush) return refuse(response, 403, "you may not push here");
    if (options.version0Only === true) delete request.headers["git-protocol"];
    serve({ request, response, backend, root, user: user.name, children });
  });
  const port = await listen(server, options.port ?? 0);
  return {
    port,
    url: (name) => `http://127.0.0.1:${port}/${name}`,
    requests: () => ({
      total: [...counts.values()].reduce((sum, count) => sum + count, 0),
      byService: Object.fromEntries(counts),
    }),
    stop: ({ abruptly = false } = {}) => stop(server, children, abruptly),
  };
}

async function findHttpBackend(): Promise<string> {
  const folder = await runGit(".", ["--exec-path"]);
  const path = join(folder, "git-http-backend");
  try {
    await access(path);
  } catch (error) {
    throw new FederationError("AG4006", `git's http-backend is not installed: ${path} is missing`, { cause: error });
  }
  return path;
}

function serviceOf(request: IncomingMessage): string {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://server");
  return searchParams.get("service") ?? pathname.slice(pathname.lastIndexOf("/") + 1);
}

const ANONYMOUS = "";

interface AuthenticatedUser {
  /** Null where none was given and everybody is welcome. */
  readonly name: string | null;
  readonly mayPush: boolean;
}

function authenticate(
  request: IncomingMessage,
  users: Readonly<Record<string, GitServerUser>> | undefined,
): AuthenticatedUser | null {
  if (users === undefined) return { name: null, mayPush: true };
  if (request.headers.authorization === undefined && Object.hasOwn(users, ANONYMOUS)) {
    return { name: null, mayPush: users[ANONYMOUS]?.mayPush === true };
  }
  const [scheme, encoded] = (request.headers.authorization ?? "").split(" ");
  if (scheme?.toLowerCase() !== "basic" || encoded === undefined) return null;
  const [name = "", ...rest] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  const user = Object.hasOwn(users, name) ? users[name] : undefined;
  if (user === undefined || !sameText(user.password, rest.join(":"))) return null;
  return { name, mayPush: user.mayPush };
}

function sameText(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function refuse(response: ServerResponse, status: 401 | 403 | 500, text: string): void {
  const challenge = status === 401 ? { "www-authenticate": 'Basic realm="git"' } : {};
  response.writeHead(status, { "content-type": "text/plain", connection: "close", ...challenge });
  response.end(`${text}\n`);
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly backend: string;
  readonly root: string;
  readonly user: string | null;
  readonly children: Set<ChildProcess>;
}

/** One request, one process: its input is the request's body, its output the CGI answer, streamed both ways. */
function serve({ request, response, backend, root, user, children }: Exchange): void {
  const child = spawn(backend, { env: cgiEnvironment(request, root, user), stdio: ["pipe", "pipe", "ignore"] });
  children.add(child);
  child.once("close", () => children.delete(child));
  child.once("error", () => {
    children.delete(child);
    if (!response.headersSent) refuse(response, 500, "git http-backend did not start");
    response.destroy();
  });
  // A client that leaves takes its process along, and what that started, which lives as long as the pipes do.
  response.once("close", () => {
    child.stdin.destroy();
    child.stdout.destroy();
    child.kill();
  });
  // A process may end without reading all of its input; its answer says why.
  child.stdin.on("error", () => request.unpipe(child.stdin));
  request.pipe(child.stdin);
  relayCgiAnswer(child, response);
}

function cgiEnvironment(request: IncomingMessage, root: string, user: string | null): Record<string, string> {
  const { pathname, search } = new URL(request.url ?? "/", "http://server");
  const optional = {
    CONTENT_LENGTH: request.headers["content-length"],
    HTTP_CONTENT_ENCODING: request.headers["content-encoding"],
    GIT_PROTOCOL: request.headers["git-protocol"]?.toString(),
    REMOTE_USER: user ?? undefined,
  };
  return {
    ...gitEnvironment(),
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: "1",
    REQUEST_METHOD: request.method ?? "GET",
    PATH_INFO: decodeURIComponent(pathname),
    QUERY_STRING: search.slice(1),
    CONTENT_TYPE: request.headers["content-type"] ?? "",
    REMOTE_ADDR: request.socket.remoteAddress ?? "",
    ...Object.fromEntries(
      Object.entries(optional).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
  };
}

function relayCgiAnswer(child: ChildProcess, response: ServerResponse): void {
  const { stdout } = child;
  if (stdout === null) return;
  let head = Buffer.alloc(0);
  const collectHead = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0 && head.length <= CGI_HEADER_MAX_BYTES) return;
    stdout.off("data", collectHead);
    stdout.off("end", noHead);
    if (end < 0) return void response.destroy();
    writeCgiHead(head.subarray(0, end).toString("latin1"), response);
    response.write(head.subarray(end + 4));
    stdout.pipe(response);
  };
  const noHead = (): void => {
    if (!response.headersSent) refuse(response, 500, "git http-backend gave no answer");
  };
  stdout.on("data", collectHead);
  stdout.once("end", noHead);
}

function writeCgiHead(head: string, response: ServerResponse): void {
  let status = 200;
  for (const line of head.split("\r\n")) {
    const colon = line.indexOf(":");
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()];
    if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
  response.writeHead(status);
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolveListen, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolveListen((server.address() as AddressInfo).port);
    });
  });
}

async function stop(server: Server, children: ReadonlySet<ChildProcess>, abruptly: boolean): Promise<void> {
  const closed = new Promise<void>((done) => {
    server.close(() => done());
  });
  // Each connection that ends takes its process along. Not with SIGKILL: http-backend ends and reaps its own child.
  if (abruptly) server.closeAllConnections();
  else server.closeIdleConnections();
  await closed;
  await Promise.all([...children].map((child) => new Promise((ended) => child.once("close", ended))));
}
