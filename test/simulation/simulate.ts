import { type AgentSettings, NO_MEMORY } from "../../src/agent/context.ts";
import { createMemberChecks } from "../../src/agent/member-checks.ts";
import { reconcile } from "../../src/agent/reconcile.ts";
import { FEDERATED_KINDS, type Uid } from "../../src/core/model.ts";
import type { Wake } from "../../src/core/telemetry.ts";
import { FederationError } from "../../src/errors.ts";
import type { Cluster, Members, Repository } from "../../src/ports.ts";
import { manifest, schemas, snapshotFile } from "../support/builders.ts";
import { createFakeCluster } from "../support/fakes/cluster.ts";
import { createFakeRemote } from "../support/fakes/repository.ts";
import { createFixedChance, createManualClock } from "../support/fakes/time.ts";
import { filesOf, objectOf, SETTINGS } from "../support/fakes/world.ts";
import type { History, Incident, Pass, Trouble } from "./acts.ts";
import { installAmko } from "./acts-of-operators.ts";
import { SEEDS, VIEW_CACHE } from "./content.ts";
import { failureOf, outageOf } from "./failures.ts";
import {
  type ClusterLedger,
  clusterOf,
  createLedger,
  fakeOf,
  isFederated,
  type Ledger,
  NOTHING_SEEN,
} from "./ledger.ts";
import { createMemberAccess, whyNotStandDown } from "./member-access.ts";
import { createObserver } from "./observer.ts";
import { perform } from "./perform.ts";
import { type Gate, gateCluster, gateRepository, type PortCall } from "./ports.ts";
import { type Late, type Process, type Running, seeing } from "./process.ts";
import { nameOf, type SavedCluster, type Scene } from "./scene.ts";
import { withShallowClone } from "./shallow-clone.ts";

/** What an agent is given in place of the world, to see whether the checkers notice. */
export interface Tampering {
  repository?(repository: Repository, cluster: string, ledger: Ledger): Repository;
  cluster?(cluster: Cluster, name: string, ledger: Ledger): Cluster;
  settings?: Partial<AgentSettings>;
}

/** A federation in memory that a history is played to, with everything that was seen of it. */
export interface Simulation extends Scene {
  readonly story: string[];
  /** What the history contained. */
  readonly noted: Set<string>;
  readonly violations: string[];
  /** One pass; what is done to it while it runs stands in it. */
  pass(pass: Pass): Promise<void>;
  /** Passes until one asks for no other at once. Throws when that does not come. */
  run(at: string, wake: Wake): Promise<void>;
  /** A step is over: requests that are under way come nearer, and land. */
  arrive(): Promise<void>;
  backUp(): void;
  /** All agents die. */
  restart(): void;
  countWrites(): number;
  readonly passes: number;
}

export const NAMES: readonly string[] = ["cluster1", "cluster2", "cluster3", "cluster4"];
const PASSES_MAX = 20;
const BACKUPS_MAX = 12;
const never = new AbortController().signal;

export function createSimulation(history: Omit<History, "steps">, tampering: Tampering = {}): Simulation {
  const names = NAMES.slice(0, history.clusters);
  const remote = createFakeRemote();
  const clock = createManualClock();
  const fakes = new Map(names.map((name) => [name, createFakeCluster({ name, schemas: schemas() })]));
  const snapshots = Object.values(SEEDS);
  const manifests = names.map((name) => manifest(name, { isLeader: name === names[0], clusters: names }));
  remote.push("main", filesOf([...manifests, ...snapshots.map(snapshotFile)]), "Found the federation");
  const settings = {
    ...SETTINGS,
    publish: history.publish,
    handoverTimeoutMs: history.handoverTimeoutMs,
    ...history.settings,
    ...tampering.settings,
  };
  const ledger = createLedger(remote, fakes, settings, clock.nowMs);
  for (const [name, fake] of fakes) {
    installAmko(ledger, names, name);
    for (const snapshot of snapshots) fake.put(objectOf(snapshot));
  }
  const story: string[] = [];
  const noted = new Set<string>();
  const violations: string[] = [];
  const backups = new Map(names.map((name) => [name, [] as SavedCluster[]]));
  const late: Late[] = [];
  let tokens = 0;
  let passes = 0;

  const away = new Set<string>();
  const access = createMemberAccess(ledger, away, (line) => void story.push(line));
  if (history.members === true) access.grant(names);

  const scene: Scene = {
    names,
    ledger,
    clock,
    backups,
    away,
    access,
    tell: (line) => void story.push(line),
    note: (what) => void noted.add(what),
    nextToken() {
      tokens += 1;
      return tokens;
    },
  };

  const observe = createObserver({ ledger, story, noted, violations });

  const namespaceOf = ({ name }: Process): Uid | null => fakeOf(ledger, name).namespace?.uid ?? null;

  async function strike(
    process: Process,
    running: Running,
    call: PortCall,
    what: Trouble,
    moment: string,
    send: () => Promise<unknown>,
  ): Promise<void> {
    switch (what.do) {
      case "crash":
        running.dead = true;
        story.push(`    ${process.name} dies ${moment} ${call.method} ${call.subject}`);
        noted.add("crash");
        if (running.landed > 0) noted.add("crash after a write");
        throw new FederationError("AG9001", "the process is dead");
      case "fail":
        story.push(`    ${call.method} ${call.subject} fails ${moment} it took effect (${what.how})`);
        if (moment === "after" && call.isWrite) noted.add("lost answer");
        throw failureOf(call, moment === "after" ? "cut" : what.how);
      case "late":
        if (call.isWrite && moment === "before") {
          const { gone } = clusterOf(ledger, process.name);
          const sent = { namespace: namespaceOf(process), gone, seen: { ...process.seen, late: true } };
          late.push({ left: what.steps, process, call, send, ...sent });
          story.push(`    ${call.method} ${call.subject} is under way for ${what.steps} steps, and given up`);
          noted.add("late arrival");
        }
        throw failureOf(call, "cut");
      case "act":
        story.push(`    meanwhile, ${moment} ${call.method} ${call.subject}:`);
        return perform(scene, what.act);
      case "pass":
        story.push(`    meanwhile, ${moment} ${call.method} ${call.subject}:`);
        return pass(what.pass);
      default:
        return what satisfies never;
    }
  }

  function gateOf(process: () => Process): Gate {
    const met = async (
      call: PortCall,
      moment: "before" | "after",
      [requests, writes]: readonly [number, number],
      send: () => Promise<unknown>,
    ): Promise<void> => {
      const { running } = process();
      if (running === null) return;
      if (running.dead) throw new FederationError("AG9001", "the process is dead");
      for (const incident of [...running.incidents]) {
        const isMet = incident.on === "request" ? incident.nth === requests : call.isWrite && incident.nth === writes;
        if (!isMet || incident.moment !== moment) continue;
        running.incidents.splice(running.incidents.indexOf(incident), 1);
        const striking = strike(process(), running, call, incident.what, moment, send);
        running.under.push(striking.catch(() => undefined));
        await striking;
      }
    };
    const counted = new WeakMap<PortCall, readonly [number, number]>();
    return {
      async before(call, send) {
        const { running, name } = process();
        const numbers = [running?.requests ?? 0, running?.writes ?? 0] as const;
        counted.set(call, numbers);
        if (running !== null) {
          running.requests += 1;
          if (call.isWrite) running.writes += 1;
        }
        const outage = outageOf(scene.away, name, call);
        if (outage === "no such kind" && isFederated(call.subject)) {
          process().missed.add(call.subject);
        }
        if (outage !== null) throw failureOf(call, outage);
        await met(call, "before", numbers, send);
      },
      async landed(call) {
        if (!call.isWrite) return;
        const one = process();
        if (one.running !== null) one.running.landed += 1;
        await observe(one.name, call, one.seen);
      },
      async after(call, answer) {
        await met(call, "after", counted.get(call) ?? [0, 0], nothing);
        const one = process();
        one.seen = seeing(one, call, answer);
      },
    };
  }

  function start(name: string, index: number): Process {
    const gate = gateOf(() => process);
    const opened = remote.open({ by: name });
    const given = tampering.repository?.(opened, name, ledger) ?? opened;
    const repository = withShallowClone(remote, given, gateRepository(given, gate));
    const reached: Members = {
      ...access,
      async standDown(member, signal) {
        const wrong = await whyNotStandDown(ledger, { by: name, member, seen: process.seen });
        if (wrong !== null) violations.push(wrong);
        return access.standDown(member, signal);
      },
    };
    const members = createMemberChecks(
      { members: reached, clock, log: () => undefined, changed: () => undefined },
      never,
    );
    const cluster: Cluster = fakeOf(ledger, name);
    const process: Process = {
      name,
      index,
      context: {
        settings,
        repository,
        cluster: gateCluster(tampering.cluster?.(cluster, name, ledger) ?? cluster, gate),
        schemas: schemas(),
        members,
        viewCache: VIEW_CACHE,
        clock,
        chance: createFixedChance(`${name}-${index}`),
        log: () => undefined,
      },
      memory: NO_MEMORY,
      forget() {
        process.memory = NO_MEMORY;
        process.known.clear();
        repository.forget();
        members.dismiss();
      },
      running: null,
      missed: new Set(),
      known: new Set(),
      seen: NOTHING_SEEN,
    };
    return process;
  }
  const processes = names.flatMap((name) => [start(name, 0), start(name, 1)]);
  const processOf = (name: string, index: number): Process =>
    processes.find((one) => one.name === name && one.index === index) as Process;

  async function play(process: Process, wake: Wake, incidents: readonly Incident[]): Promise<boolean> {
    const running: Running = { incidents: [...incidents], requests: 0, writes: 0, landed: 0, dead: false, under: [] };
    ledger.order += 1;
    const began = ledger.order;
    const fresh = process.memory === NO_MEMORY;
    process.running = running;
    process.seen = { ...NOTHING_SEEN, began };
    clusterOf(ledger, process.name).passesUnderWay += 1;
    passes += 1;
    const result = await reconcile(process.context, process.memory, new Set([fresh ? "start" : wake]), never);
    // A pass that read several things at once and failed at one of them has left the others alone.
    await Promise.all(running.under);
    process.running = null;
    const cluster = clusterOf(ledger, process.name);
    for (const kind of process.missed) {
      // Whoever has seen that a kind is missing, and could say so, knows that nobody deleted its objects.
      if (cluster.holding.records.bases[kind] === null) cluster.gone = { ...cluster.gone, [kind]: null };
    }
    process.missed.clear();
    cluster.passesUnderWay -= 1;
    if (cluster.passesUnderWay === 0) cluster.rebuiltInPass = false;
    await process.context.members.settled();
    if (running.dead) {
      process.forget();
      return false;
    }
    process.memory = result.memory;
    story.push(`    -> ${result.state}${result.error === null ? "" : ` ${result.error.code} ${result.error.message}`}`);
    if (result.error === null && result.state !== "held") cluster.readOrder = began;
    return result.againAfterMs === 0 || result.error?.retry === "now";
  }

  async function pass({ at, process: index, wake, incidents }: Pass): Promise<void> {
    const process = processOf(nameOf(scene, at), index);
    // One process does one pass at a time.
    if (process.running !== null) return;
    story.push(`${process.name}/${index} passes (${wake})`);
    await play(process, wake, incidents);
  }

  async function arrive(): Promise<void> {
    for (const one of [...late]) {
      one.left -= 1;
      if (one.left > 0) continue;
      late.splice(late.indexOf(one), 1);
      const { process, call, send, seen, namespace } = one;
      if (call.port === "kubernetes" && namespaceOf(process) !== namespace) {
        story.push(`${process.name}: ${call.method} ${call.subject} arrives nowhere`);
        continue;
      }
      const cluster = clusterOf(ledger, process.name);
      const wasInOffice = cluster.holding.records.office !== null;
      story.push(`${process.name}: ${call.method} ${call.subject} arrives late`);
      // Nobody waits for the answer any more, whatever it is.
      await send()
        .then(() => observe(process.name, call, seen))
        .catch(() => undefined);
      if (!wasInOffice && cluster.holding.records.office !== null) wentInOffice(cluster, one.gone);
    }
  }

  async function run(at: string, wake: Wake): Promise<void> {
    const process = processOf(at, 0);
    story.push(`${at} runs (${wake})`);
    for (let count = 0; count < PASSES_MAX; count += 1) if (!(await play(process, wake, []))) return;
    violations.push(`bounded retries: ${at} asks for another pass at once, ${PASSES_MAX} times in a row`);
  }

  return {
    ...scene,
    story,
    noted,
    violations,
    pass,
    run,
    arrive,
    backUp() {
      for (const name of names) {
        const saved = backups.get(name) ?? [];
        saved.push({ cluster: fakeOf(ledger, name).backUp(), gone: clusterOf(ledger, name).gone });
        if (saved.length > BACKUPS_MAX) saved.shift();
      }
    },
    restart() {
      for (const process of processes) process.forget();
    },
    countWrites: () => remote.writes.length + [...fakes.values()].reduce((sum, { writes }) => sum + writes.length, 0),
    get passes() {
      return passes;
    },
  };
}

/** An office that is recorded late was taken with what was there when it was sent: what went since then went in office. */
function wentInOffice(cluster: ClusterLedger, before: ClusterLedger["gone"]): void {
  for (const kind of FEDERATED_KINDS) {
    const gone = cluster.gone[kind];
    if (gone !== null && before[kind] === null) cluster.gone = { ...cluster.gone, [kind]: { ...gone, inOffice: true } };
  }
}

async function nothing(): Promise<void> {}
