import { existsSync, readFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { parse } from "yaml";
import {
  type Entry,
  isEntry,
  type Material,
  materialOf,
  type PlacedEntry,
  textOf,
  unusable,
} from "./kubeconfig-entry.ts";
import { readUser, type User } from "./kubeconfig-user.ts";

/** How one context reaches its API server, and as whom. */
export interface Connection {
  /** Null in a pod, where there is no kubeconfig. */
  readonly context: string | null;
  readonly server: string;
  readonly tls: {
    readonly ca: Material | null;
    readonly clientCertificate: Material | null;
    readonly clientKey: Material | null;
    readonly serverName: string | null;
    readonly insecure: boolean;
  };
  readonly proxyUrl: string | null;
  readonly user: User;
}

/** Which kubeconfig, which context: both null is in-cluster where there is a ServiceAccount, then kubectl's rules. */
export interface ConnectionChoice {
  readonly kubeconfig: string | null;
  readonly context: string | null;
}

/** The part of the process that the choice depends on; handed in by tests. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory: string;
  readonly serviceAccountDirectory: string;
}

const SERVICE_ACCOUNT_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount";
const KUBECONFIG_FILES_MAX = 32;
const KUBECONFIG_SIZE_MAX_BYTES = 1024 * 1024;

/**
 * Finds the API server and the credentials, as kubectl would; reads, never writes. The library's own `KubeConfig`
 * class is not used: it loads every API of Kubernetes with it (30 MiB and a third of a second beyond what we need),
 * makes a new connection pool for each request where there is a CA, and refuses kubeconfigs that kubectl merges.
 * @throws FederationError AG4005 with the reason.
 */
export function findConnection(
  choice: ConnectionChoice,
  surroundings: Surroundings = processSurroundings(),
): Connection {
  if (choice.kubeconfig === null && choice.context === null) {
    const inCluster = inClusterConnection(surroundings);
    if (inCluster !== null) return inCluster;
  }
  return contextConnection(mergeFiles(kubeconfigPaths(choice.kubeconfig, surroundings)), choice.context);
}

function processSurroundings(): Surroundings {
  return { env: process.env, homeDirectory: homedir(), serviceAccountDirectory: SERVICE_ACCOUNT_DIRECTORY };
}

function inClusterConnection({ env, serviceAccountDirectory }: Surroundings): Connection | null {
  const host = env["KUBERNETES_SERVICE_HOST"];
  const port = env["KUBERNETES_SERVICE_PORT"];
  const token = join(serviceAccountDirectory, "token");
  if (host === undefined || host === "" || port === undefined || port === "" || !existsSync(token)) return null;
  return {
    context: null,
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    tls: {
      ca: { kind: "file", path: join(serviceAccountDirectory, "ca.crt") },
      clientCertificate: null,
      clientKey: null,
      serverName: null,
      insecure: false,
    },
    proxyUrl: null,
    user: { token: { kind: "file", path: token }, basic: null, impersonation: {}, plugin: null },
  };
}

function kubeconfigPaths(path: string | null, { env, homeDirectory }: Surroundings): readonly string[] {
  if (path !== null) return [path];
  const listed = (env["KUBECONFIG"] ?? "").split(delimiter).filter((entry) => entry !== "");
  if (listed.length > KUBECONFIG_FILES_MAX) throw unusable(`KUBECONFIG names more than ${KUBECONFIG_FILES_MAX} files`);
  if (listed.length === 0) return [join(homeDirectory, ".kube", "config")];
  // kubectl skips the files of a list that are not there.
  const present = listed.filter((entry) => existsSync(entry));
  if (present.length === 0) throw unusable(`no file of KUBECONFIG exists: ${listed.join(delimiter)}`);
  return present;
}

/** Entries by name, each with the folder that its relative paths start from. */
export interface Kubeconfig {
  readonly source: string;
  readonly currentContext: string | null;
  readonly contexts: ReadonlyMap<string, Entry>;
  readonly clusters: ReadonlyMap<string, PlacedEntry>;
  readonly users: ReadonlyMap<string, PlacedEntry>;
}

/** As kubectl merges: of two entries with one name, and of two current contexts, the first wins. */
function mergeFiles(paths: readonly string[]): Kubeconfig {
  const parts = paths.map((path) => parseKubeconfig(readKubeconfig(path), path, dirname(path)));
  const firstWins = <T>(maps: readonly ReadonlyMap<string, T>[]) =>
    new Map(maps.toReversed().flatMap((map) => [...map]));
  return {
    source: paths.join(", "),
    currentContext: parts.find((part) => part.currentContext !== null)?.currentContext ?? null,
    contexts: firstWins(parts.map((part) => part.contexts)),
    clusters: firstWins(parts.map((part) => part.clusters)),
    users: firstWins(parts.map((part) => part.users)),
  };
}

function readKubeconfig(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw unusable(`${path} cannot be read (${reasonOf(error)})`);
  }
}

/** @throws FederationError AG4005; no error quotes the text. */
function parseKubeconfig(text: string, source: string, folder: string): Kubeconfig {
  if (text.length > KUBECONFIG_SIZE_MAX_BYTES) throw unusable(`${source} is larger than 1 MiB`);
  return entriesOf(parseYaml(text, source), source, folder);
}

/** The parts of a kubeconfig that was parsed already. @throws FederationError AG4005; no error quotes it. */
export function entriesOf(root: unknown, source: string, folder: string | null): Kubeconfig {
  if (!isEntry(root)) throw unusable(`${source} holds no kubeconfig`);
  const inFolder = (entries: ReadonlyMap<string, Entry>) =>
    new Map([...entries].map(([name, entry]) => [name, { entry, folder }] as const));
  return {
    source,
    currentContext: textOf(root, "current-context"),
    contexts: namedEntries(root, "contexts", "context", source),
    clusters: inFolder(namedEntries(root, "clusters", "cluster", source)),
    users: inFolder(namedEntries(root, "users", "user", source)),
  };
}

function parseYaml(text: string, source: string): unknown {
  try {
    return parse(text, { logLevel: "error" });
  } catch {
    // The parser's message quotes the line, and the line may be a credential.
    throw unusable(`${source} is no valid YAML`);
  }
}

function namedEntries(root: Entry, list: string, field: string, source: string): ReadonlyMap<string, Entry> {
  const values = root[list] ?? [];
  if (!Array.isArray(values)) throw unusable(`${source}: ${list} is no list`);
  const entries = new Map<string, Entry>();
  for (const [index, value] of values.entries()) {
    const name = isEntry(value) ? textOf(value, "name") : null;
    const entry = isEntry(value) ? (value[field] ?? {}) : null;
    if (name === null || !isEntry(entry)) throw unusable(`${source}: ${list}[${index}] is malformed`);
    if (!entries.has(name)) entries.set(name, entry);
  }
  return entries;
}

/** @throws FederationError AG4005 when the context is not there or makes no sense. */
export function contextConnection(config: Kubeconfig, chosen: string | null): Connection {
  const name = chosen ?? config.currentContext;
  if (name === null) throw unusable(`${config.source} sets no current-context; name one`);
  const context = config.contexts.get(name);
  if (context === undefined) throw unusable(`${config.source} has no context ${name}`);
  const clusterName = textOf(context, "cluster");
  const cluster = clusterName === null ? undefined : config.clusters.get(clusterName);
  if (cluster === undefined) throw unusable(`context ${name} names the cluster ${clusterName}, which is not there`);
  const userName = textOf(context, "user");
  const user = userName === null ? { entry: {}, folder: null } : config.users.get(userName);
  if (user === undefined) throw unusable(`context ${name} names the user ${userName}, which is not there`);
  return {
    context: name,
    server: serverOf(cluster.entry, name),
    tls: {
      ca: materialOf(cluster, "certificate-authority"),
      clientCertificate: materialOf(user, "client-certificate"),
      clientKey: materialOf(user, "client-key"),
      serverName: textOf(cluster.entry, "tls-server-name"),
      insecure: cluster.entry["insecure-skip-tls-verify"] === true,
    },
    proxyUrl: proxyOf(cluster.entry, name),
    user: readUser(user, userName ?? "", cluster),
  };
}

function serverOf(cluster: Entry, context: string): string {
  const server = textOf(cluster, "server") ?? "";
  const url = URL.canParse(server) ? new URL(server) : null;
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw unusable(`context ${context}: server is no http or https URL`);
  }
  if (url.username !== "" || url.password !== "") throw unusable(`context ${context}: server carries credentials`);
  // As URLs are written: the scheme is asked for later, and people write HTTPS too.
  return url.href.replace(/\/+$/, "");
}

function proxyOf(cluster: Entry, context: string): string | null {
  const proxy = textOf(cluster, "proxy-url");
  if (proxy === null) return null;
  // The address is not repeated in the message: proxies' addresses carry passwords.
  if (!/^https?:\/\//.test(proxy) || !URL.canParse(proxy))
    throw unusable(`context ${context}: proxy-url must be an http or https URL`);
  return proxy;
}

function reasonOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
}
