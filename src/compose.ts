import { randomBytes } from "node:crypto";
import { setTimeout as sleepFor } from "node:timers/promises";
import type { PassParts } from "./agent/context.ts";
import { type Daemon, startDaemon } from "./agent/daemon.ts";
import type { ClusterConnection } from "./cli/house.ts";
import { readVersion } from "./cli/version.ts";
import type { AgentConfig } from "./config.ts";
import { createViewCache } from "./core/view.ts";
import { openRepository } from "./git/repository.ts";
import { openCluster } from "./kubernetes/cluster.ts";
import { createInspector } from "./kubernetes/inspector.ts";
import { openMembers } from "./kubernetes/members.ts";
import { createLog } from "./observe/log.ts";
import type { Metrics } from "./observe/metrics.ts";
import { type Route, startHealthServer } from "./observe/server.ts";
import { createWebhook } from "./observe/webhook.ts";
import type { Chance, Clock, Cluster, ClusterInspector, Log, Members } from "./ports.ts";
import { readSchemas } from "./shipped.ts";

/** The process's own clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  elapsedMs: () => Math.round(performance.now()),
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
const systemChance: Chance = {
  fraction: () => Math.random(),
  token: () => randomBytes(TOKEN_BYTES).toString("hex"),
};

/** AMKO's chart gives AMKO the members' kubeconfig as the text of this variable. */
const MEMBERS_VARIABLE = "GSLB_CONFIG";

function membersOf(file: string | null, cluster: Cluster): Members {
  const inline = process.env[MEMBERS_VARIABLE] ?? "";
  return openMembers({ file, inline: inline === "" ? null : inline, cluster, nowMs: systemClock.nowMs });
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
  const members = config.memberCredentials === "ignore" ? null : membersOf(config.membersKubeconfig, cluster);
  const daemon = startDaemon(context, { poll: config.poll, resync: config.resync }, members);
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
export async function connectInspector(
  connection: ClusterConnection,
  membersKubeconfig: string | null,
): Promise<ClusterInspector> {
  const cluster = await connectCluster(connection);
  return {
    ...createInspector({ connection, timeoutMs: connection.timeoutMs, nowMs: systemClock.nowMs }),
    memberContexts: membersOf(membersKubeconfig, cluster).contexts,
  };
}
