import { randomBytes } from "node:crypto";
import { appendFile, readdir, readFile } from "node:fs/promises";
import { setTimeout as sleepFor } from "node:timers/promises";
import { parse } from "yaml";
import type { PassParts } from "./agent/context.ts";
import { type Daemon, startDaemon } from "./agent/daemon.ts";
import type { ClusterConnection, FolderFile, OpenRepository, PushedRepository, RepositorySource } from "./cli/house.ts";
import { readVersion } from "./cli/version.ts";
import type { AgentConfig } from "./config.ts";
import { findFileProblems } from "./config-files.ts";
import type { Json } from "./core/model.ts";
import { collectSchemas, readCustomResourceDefinition, type Schemas } from "./core/resource-definition.ts";
import { createViewCache } from "./core/view.ts";
import { FederationError } from "./errors.ts";
import { readChangedPaths } from "./git/changed-paths.ts";
import { createCredentialHelper } from "./git/credential-helper.ts";
import { readFolder } from "./git/folder.ts";
import { findLocalPlace } from "./git/local-place.ts";
import { openLocalRepository } from "./git/local-repository.ts";
import { readPerson } from "./git/person.ts";
import { openRepository } from "./git/repository.ts";
import { resolveName } from "./git/resolve.ts";
import { writeFolder } from "./git/write-folder.ts";
import { openCluster } from "./kubernetes/cluster.ts";
import { createInspector } from "./kubernetes/inspector.ts";
import { openMembers } from "./kubernetes/members.ts";
import { createLog } from "./observe/log.ts";
import type { Metrics } from "./observe/metrics.ts";
import { type Route, startHealthServer } from "./observe/server.ts";
import { createWebhook } from "./observe/webhook.ts";
import type { Chance, Clock, Cluster, ClusterInspector, Log, Members } from "./ports.ts";

/** The process's own clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  async sleep(durationMs, signal) {
    try {
      await sleepFor(durationMs, undefined, { signal });
    } catch (error) {
      // Woken early: that is what the signal is for.
      if (!signal.aborted) throw error;
    }
  },
};

const TOKEN_BYTES = 16;

/** The process's own dice. */
export const systemChance: Chance = {
  fraction: () => Math.random(),
  token: () => randomBytes(TOKEN_BYTES).toString("hex"),
};

/** The folder with the CRDs that objects are judged by: beside the sources, and beside them in the package. */
export const CRDS_DIRECTORY = new URL("../deploy/crds/", import.meta.url);

export { appendFile, findFileProblems, readFile, readFolder, readPerson, writeFolder };

const STDIN_MAX_BYTES = 1024 * 1024;

/** @throws FederationError AG4002 for more than a megabyte */
export async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > STDIN_MAX_BYTES) throw new FederationError("AG4002", "standard input holds more than a megabyte");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Every CRD in `deploy/crds`, as JSON. */
export async function readCrds(): Promise<readonly Json[]> {
  const names = (await readdir(CRDS_DIRECTORY)).filter((name) => name.endsWith(".yaml")).toSorted();
  return Promise.all(names.map(async (name) => parse(await readFile(new URL(name, CRDS_DIRECTORY), "utf8")) as Json));
}

export async function readSchemas(): Promise<Schemas> {
  return collectSchemas((await readCrds()).map(readCustomResourceDefinition));
}

/** The complete example of a federation repository, beside the sources and in the package. */
const TEMPLATE_DIRECTORY = new URL("../fixtures/repo/", import.meta.url);
/** What of it belongs to no federation in particular; a file that is not there is left out. */
const TEMPLATE_FILES = ["README.md", ".github/workflows/validate.yaml", ".gitlab-ci.yml"] as const;

/** What `init` puts beside the manifests and the snapshots. */
export async function readTemplate(): Promise<readonly FolderFile[]> {
  const files = TEMPLATE_FILES.map(async (path) => {
    const bytes = await readFile(new URL(path, TEMPLATE_DIRECTORY)).catch(() => null);
    return bytes === null ? [] : [{ path, bytes: new Uint8Array(bytes) }];
  });
  return (await Promise.all(files)).flat();
}

/** AMKO's chart gives AMKO the members' kubeconfig as the text of this variable. */
const MEMBERS_VARIABLE = "GSLB_CONFIG";

function membersOf(config: AgentConfig, cluster: Cluster): Members | null {
  if (config.memberCredentials === "ignore") return null;
  const inline = process.env[MEMBERS_VARIABLE] ?? "";
  return openMembers({
    file: config.membersKubeconfig,
    inline: inline === "" ? null : inline,
    cluster,
    nowMs: systemClock.nowMs,
  });
}

/** Loaded where an agent starts: no verb but that one counts anything, and it takes its time. */
async function openMetrics(): Promise<Metrics> {
  const [{ Registry }, { createMetrics }] = await Promise.all([import("prom-client"), import("./observe/metrics.ts")]);
  return createMetrics({ registry: new Registry(), version: readVersion(), clock: systemClock });
}

/** What the agent serves beside its probes. */
function routesOf(config: AgentConfig, daemon: Daemon, metrics: Metrics, log: Log): readonly Route[] {
  if (config.webhookSecret === null) return [metrics.route];
  const { branch, webhookSecret: secretFile } = config;
  const { fetchNow } = daemon;
  return [
    metrics.route,
    createWebhook({ secretFile, branch, clock: systemClock, log, fetchNow, delivered: metrics.delivered }),
  ];
}

/** Wires an agent and starts it. @throws FederationError AG4xxx for settings that can never work. */
export async function startAgent(config: AgentConfig): Promise<Daemon & { readonly log: Log }> {
  const log = createLog({ level: config.logLevel, format: config.logFormat });
  const metrics = await openMetrics();
  const cluster = openCluster({
    connection: { kubeconfig: config.kubeconfig, context: config.context },
    timeoutMs: config.kubeTimeoutMs,
    clock: systemClock,
    chance: systemChance,
    log,
    onRequest: metrics.kubeRequested,
  });
  const context: Omit<PassParts, "members"> = {
    settings: config,
    repository: openRepository({
      url: config.repo,
      branch: config.branch,
      path: config.path,
      refPrefix: config.refPrefix,
      credentialsDirectory: config.gitCredentials,
      timeoutMs: config.gitTimeoutMs,
      nowMs: systemClock.nowMs,
      onRequest: metrics.gitRequested,
    }),
    cluster,
    schemas: await readSchemas(),
    viewCache: createViewCache(),
    clock: systemClock,
    chance: systemChance,
    log,
    telemetry: metrics,
  };
  const daemon = startDaemon(context, { poll: config.poll, resync: config.resync }, membersOf(config, cluster));
  metrics.watch(daemon.watchSilenceMs);
  const routes = routesOf(config, daemon, metrics, log);
  const { listen } = config;
  const server = await startHealthServer({ listen, health: daemon.health, log, routes }).catch(async (error) => {
    await daemon.stop();
    throw error;
  });
  const { host, port } = server.address;
  log("info", "started", { repository: context.repository.url, branch: config.branch, host, port });
  return {
    ...daemon,
    log,
    async stop() {
      await daemon.stop();
      await server.close();
    },
  };
}

/**
 * The repository that a person at a terminal named: an address is asked directly, with git's credential helpers where
 * nothing is mounted; a folder is somebody's clone, whose remote is asked through git, as its owner has set it up.
 * @throws FederationError AG4003, AG4008
 */
export async function openSource(source: RepositorySource, signal: AbortSignal): Promise<OpenRepository> {
  const { location, branch, path, refPrefix, gitCredentials, gitTimeoutMs, interactive } = source;
  const where = { branch, path, refPrefix, timeoutMs: gitTimeoutMs };
  const program = { directory: ".", timeoutMs: gitTimeoutMs, interactive, environment: process.env };
  if (!isAddress(location)) {
    return await openLocalRepository({ ...where, directory: location, interactive, environment: process.env }, signal);
  }
  const repository = openRepository({
    ...where,
    url: location,
    credentialsDirectory: gitCredentials,
    askCredentials: createCredentialHelper(program),
    nowMs: systemClock.nowMs,
    readAhead: true,
  });
  return {
    ...repository,
    resolve: (name, waiting) => resolveName(repository, source, name, waiting),
    close: async () => undefined,
  };
}

/** A bare repository in whose hook this runs: what is being pushed waits in quarantine, and git's environment shows it. */
export async function openPushed(source: RepositorySource, signal: AbortSignal): Promise<PushedRepository> {
  const { location, branch, path, refPrefix, gitTimeoutMs: timeoutMs } = source;
  const place = { directory: location, interactive: false, timeoutMs, environment: process.env };
  const repository = await openLocalRepository({ ...place, branch, path, refPrefix, remote: null }, signal);
  const { git } = await findLocalPlace(place, signal);
  return {
    ...repository,
    changedPaths: (from, to, waiting) => readChangedPaths(git, { from, to }, waiting),
    async close() {
      await Promise.all([repository.close(), git.close()]);
    },
  };
}

/** `https://…`; also other kinds of address (`git@host:path`), so that they are told as such and not as missing folders. */
function isAddress(location: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(location) || /^[^/\s]+@[^/\s]+:/.test(location);
}

/** One request at a time, for a verb about one cluster. */
export async function connectCluster({ kubeconfig, context, timeoutMs }: ClusterConnection): Promise<Cluster> {
  return openCluster({
    connection: { kubeconfig, context },
    timeoutMs,
    clock: systemClock,
    chance: systemChance,
    log: () => undefined,
  });
}

/** What a preflight asks beside that. */
export async function connectInspector(connection: ClusterConnection): Promise<ClusterInspector> {
  const cluster = await connectCluster(connection);
  const { nowMs } = systemClock;
  const members = openMembers({ file: null, inline: null, cluster, nowMs });
  return {
    ...createInspector({ connection, timeoutMs: connection.timeoutMs, nowMs }),
    memberContexts: members.contexts,
  };
}
