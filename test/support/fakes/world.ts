import { type AgentSettings, type Memory, NO_MEMORY, type PassParts, type Result } from "../../../src/agent/context.ts";
import { createMemberChecks, type MemberChecks } from "../../../src/agent/member-checks.ts";
import { reconcile } from "../../../src/agent/reconcile.ts";
import { type CommitId, KINDS, NAMESPACE, type RevisionFile, type Snapshot } from "../../../src/core/model.ts";
import type { Schemas } from "../../../src/core/resource-definition.ts";
import { snapshotPath, writeSnapshot } from "../../../src/core/snapshot.ts";
import { type Fact, NO_TELEMETRY, type Wake } from "../../../src/core/telemetry.ts";
import { createViewCache } from "../../../src/core/view.ts";
import type { Log } from "../../../src/ports.ts";
import { CLUSTERS, federation, schemas } from "../builders.ts";
import { createFakeCluster, type FakeCluster } from "./cluster.ts";
import { createFakeMembers, type FakeMembers } from "./members.ts";
import { createFakeRemote, type FakeRemote, type OpenOptions } from "./repository.ts";
import { createFixedChance, createManualClock, type ManualClock } from "./time.ts";

export const SETTINGS: AgentSettings = {
  cluster: null,
  branch: "main",
  path: "",
  publish: "direct",
  historyRewrite: "halt",
  drift: "correct",
  localDesignation: "propose",
  batchWindowMs: 0,
  ackIntervalMs: 0,
  deleteGraceMs: 30_000,
  handoverTimeoutMs: 60_000,
  staleAfterMs: 300_000,
  author: null,
};

/** One agent: what it was given, and what it remembers between passes. */
export interface FakeAgent {
  readonly name: string;
  readonly cluster: FakeCluster;
  /** Passes until one asks for no other at once; the last one's result. */
  run(...wake: Wake[]): Promise<Result>;
  /** A single pass. */
  pass(...wake: Wake[]): Promise<Result>;
  /** As if the process had died: everything in memory is gone. */
  restart(): void;
  /** What it knows of the other clusters; to be awaited. */
  readonly members: MemberChecks;
  /** Lines of the log, `level message`. */
  readonly log: readonly string[];
  /** What it told to be counted. */
  readonly facts: readonly Fact[];
  forgetFacts(): void;
}

export interface World {
  readonly remote: FakeRemote;
  readonly clock: ManualClock;
  /** How leaders reach the other clusters. */
  readonly members: FakeMembers;
  agent(name: string): FakeAgent;
  /** A second process of a cluster's agent, with a memory of its own. */
  startAgent(name: string, options?: AgentOptions): FakeAgent;
  /** All agents in turn, until none writes anything. */
  settle(): Promise<void>;
  /** Everything that agents wrote so far, in git and in clusters. */
  countWrites(): number;
}

export interface AgentOptions {
  readonly settings?: Partial<AgentSettings>;
  readonly repository?: OpenOptions;
  readonly schemas?: Schemas;
}

export interface WorldOptions extends AgentOptions {
  readonly files?: readonly RevisionFile[];
  /** Whose AMKOCluster says leader at the beginning; the one that {@link federation} lets lead when not given. */
  readonly sitting?: string | null;
  /** What each cluster holds at the beginning; nothing when not given. */
  readonly holds?: readonly Snapshot[];
  readonly gate?: (label: string) => Promise<void>;
  readonly wrote?: () => void;
}

const PASSES_MAX = 20;
const ROUNDS_MAX = 10;
const signal = new AbortController().signal;

/** Three clusters, their agents and one remote, all in memory. Nothing runs until a test lets it. */
export function makeWorld(options: WorldOptions = {}): World {
  const { files = federation(), sitting = "cluster1", holds = [] } = options;
  const remote = createFakeRemote();
  const clock = createManualClock();
  if (files.length > 0) remote.push("main", filesOf(files), "Found the federation");
  const gate = options.gate === undefined ? {} : { gate: options.gate };
  const wrote = options.wrote === undefined ? {} : { wrote: options.wrote };
  const clusters = new Map(
    CLUSTERS.map((name) => {
      const cluster = createFakeCluster({ name, schemas: options.schemas ?? schemas(), ...gate, ...wrote });
      cluster.put(amkoCluster(name, name === sitting));
      for (const snapshot of holds) cluster.put(objectOf(snapshot));
      return [name, cluster] as const;
    }),
  );

  function startAgent(name: string, more: AgentOptions = {}): FakeAgent {
    const cluster = clusters.get(name);
    if (cluster === undefined) throw new Error(`there is no cluster ${name}`);
    const log: string[] = [];
    const facts: Fact[] = [];
    const tell: Log = (level, message, fields = {}) => void log.push(`${level} ${message} ${JSON.stringify(fields)}`);
    const noted = { members, clock, log: tell, changed: () => void log.push("woken by a member") };
    const checks = createMemberChecks(noted, signal);
    const context: PassParts = {
      settings: { ...SETTINGS, ...options.settings, ...more.settings },
      repository: remote.open({ by: name, ...gate, ...options.repository, ...more.repository }),
      cluster,
      members: checks,
      schemas: schemas(),
      viewCache: createViewCache(),
      clock,
      chance: createFixedChance(`${name}-${started}`),
      log: tell,
      telemetry: { ...NO_TELEMETRY, happened: (fact) => void facts.push(fact) },
    };
    started += 1;
    let memory: Memory = NO_MEMORY;
    const pass = async (...wake: Wake[]): Promise<Result> => {
      const result = await reconcile(context, memory, new Set(wake.length === 0 ? ["resync"] : wake), signal);
      memory = result.memory;
      return result;
    };
    return {
      name,
      cluster,
      log,
      facts,
      forgetFacts: () => void facts.splice(0),
      members: checks,
      pass,
      restart: () => {
        memory = NO_MEMORY;
      },
      async run(...wake) {
        for (let count = 1; ; count += 1) {
          const result = await pass(...wake);
          const again = result.againAfterMs === 0 || result.error?.retry === "now";
          if (!again) return result;
          if (count === PASSES_MAX) throw new Error(`${name} does not come to rest: ${log.slice(-5).join("\n")}`);
        }
      },
    };
  }
  const members = createFakeMembers(clusters);
  let started = 0;
  const agents = new Map(CLUSTERS.map((name) => [name, startAgent(name)]));
  const countWrites = (): number =>
    remote.writes.length + [...clusters.values()].reduce((sum, { writes }) => sum + writes.length, 0);

  return {
    remote,
    clock,
    members,
    agent(name) {
      const agent = agents.get(name);
      if (agent === undefined) throw new Error(`there is no agent ${name}`);
      return agent;
    },
    startAgent,
    async settle() {
      for (let round = 0; round < ROUNDS_MAX; round += 1) {
        const before = countWrites();
        for (const agent of agents.values()) await agent.run();
        if (countWrites() === before) return;
      }
      throw new Error("the clusters do not come to rest");
    },
    countWrites,
  };
}

/** An AMKOCluster as a chart installs it. */
export function amkoCluster(name: string, isLeader: boolean, version = "1.4.2") {
  return {
    apiVersion: KINDS.AMKOCluster.apiVersion,
    kind: "AMKOCluster",
    metadata: { name: "amkocluster-federation", namespace: NAMESPACE },
    spec: { clusterContext: name, isLeader, version, clusters: [...CLUSTERS] },
  };
}

/** The object that people would apply for a snapshot. */
export function objectOf({ kind, name, annotations, spec }: Snapshot) {
  return {
    apiVersion: KINDS[kind].apiVersion,
    kind,
    metadata: { name, namespace: NAMESPACE, annotations },
    spec,
  };
}

/** Files as {@link FakeRemote.push} takes them. */
export function filesOf(files: readonly RevisionFile[]): Readonly<Record<string, Uint8Array>> {
  return Object.fromEntries(files.map(({ path, bytes }) => [path, bytes ?? new Uint8Array()]));
}

/** The file of a snapshot, as {@link FakeRemote.push} takes it. */
export function fileOf(snapshot: Snapshot): Readonly<Record<string, Uint8Array>> {
  return { [snapshotPath(snapshot.kind, snapshot.name)]: writeSnapshot(snapshot) };
}

export function isLeader({ cluster }: FakeAgent): boolean {
  const spec = cluster.only("AMKOCluster")?.spec;
  return typeof spec === "object" && spec !== null && "isLeader" in spec && spec.isLeader === true;
}

export function headOf(remote: FakeRemote): CommitId {
  const head = remote.branch("main");
  if (head === null) throw new Error("the branch has no commit");
  return head;
}
