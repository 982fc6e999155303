import { setTimeout as sleep } from "node:timers/promises";
import type { Json } from "../../src/core/model.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { GDP } from "../support/federation.ts";
import { contextsOf, giveMembers } from "../support/members-secret.ts";
import { startWorld, type World, type WorldCluster, type WorldOptions } from "../support/world.ts";

/** A federation whose leader can nudge its members, with a watch on every cluster. */
export interface Stage {
  readonly world: World;
  /** What stands between the leader's site and each follower's API server. */
  readonly memberProxies: ReadonlyMap<string, FaultProxy>;
  /** Edits the leader's GDP, once nothing is under way, and waits until each of these clusters has it. */
  change(how: Change, clusters: readonly WorldCluster[]): Promise<Arrivals>;
  stop(): Promise<void>;
}

/** All times are milliseconds of `performance.now()`. */
export interface Arrivals {
  /** When the leader's API server had answered the edit. */
  readonly startMs: number;
  readonly lastMs: number;
}

/** What happens after the edit, until every follower has it; agents do it by themselves. */
export type Change = (value: number) => Promise<void>;

export interface StageOptions extends WorldOptions {
  readonly followers: number;
  /** Half of a round trip between two sites; a site's agent is beside its API server. */
  readonly siteDelayMs?: number;
  /** How many of the followers, the last ones, are to be taken down, and are therefore not watched. */
  readonly doomed?: number;
  /** Before each change; long enough by default for everything to come to rest. */
  readonly restMs?: number;
}

/** Between two changes everything comes to rest: acknowledgements and statuses are not what is measured. */
const REST_MS = 1_000;
const CHANGE_MAX_MS = 60_000;
const LOOK_EVERY_MS = 1;
const FIRST_VALUE = 100;

export async function startStage({
  followers,
  siteDelayMs = 0,
  doomed = 0,
  restMs = REST_MS,
  ...options
}: StageOptions): Promise<Stage> {
  const clusters = Array.from({ length: followers + 1 }, (_, index) => `cluster${index + 1}`);
  const world = await startWorld({
    ...options,
    clusters,
    running: false,
    direct: siteDelayMs === 0,
    gitDelayMs: siteDelayMs,
    // Nobody is helped by a poll: what is measured is the nudge.
    agentFlags: { poll: "0 0 0 1 1 *", "ack-interval": "5s", ...options.agentFlags },
  });
  const closing: (() => Promise<void>)[] = [world.stop];
  const stop = async (): Promise<void> => {
    for (const close of closing.splice(0).reverse()) await close();
  };
  try {
    const memberProxies = new Map<string, FaultProxy>();
    for (const { name, url } of world.followers) {
      const proxy = await startFaultProxy({ target: url, delayMs: siteDelayMs });
      memberProxies.set(name, proxy);
      closing.push(proxy.stop);
    }
    for (const cluster of world.clusters) await cluster.install();
    await giveMembers(world.leader, contextsThrough(world.clusters, memberProxies));
    for (const cluster of world.clusters) cluster.startAgent();
    await world.settled();
    const seen = await watchAll(world.clusters.slice(0, clusters.length - doomed), closing);
    let value = FIRST_VALUE;
    return {
      world,
      memberProxies,
      async change(how, watched) {
        await sleep(restMs);
        value += 1;
        await world.leader.objects.merge("GlobalDeploymentPolicy", GDP, { spec: { ttl: value } });
        const startMs = performance.now();
        await how(value);
        const arrivedMs = await Promise.all(watched.map(({ name }) => arrival(seen, name, value, startMs)));
        return { startMs, lastMs: Math.max(...arrivedMs) };
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function contextsThrough(clusters: readonly WorldCluster[], proxies: ReadonlyMap<string, FaultProxy>) {
  return contextsOf(clusters.map((cluster) => ({ ...cluster, url: proxies.get(cluster.name)?.url ?? cluster.url })));
}

/** When each cluster was first seen with a value of the GDP's `ttl`. */
type Seen = ReadonlyMap<string, Map<number, number>>;

async function watchAll(clusters: readonly WorldCluster[], closing: (() => Promise<void>)[]): Promise<Seen> {
  const seen = new Map<string, Map<number, number>>();
  for (const { name, objects } of clusters) {
    const times = new Map<number, number>();
    seen.set(name, times);
    const leave = await objects.watch("GlobalDeploymentPolicy", ({ object }) => {
      const ttl = Number((object.spec as Readonly<Record<string, Json>>)["ttl"]);
      if (!times.has(ttl)) times.set(ttl, performance.now());
    });
    closing.push(leave);
  }
  return seen;
}

async function arrival(seen: Seen, cluster: string, value: number, startMs: number): Promise<number> {
  for (;;) {
    const atMs = seen.get(cluster)?.get(value);
    if (atMs !== undefined) return atMs;
    if (performance.now() - startMs > CHANGE_MAX_MS) throw new Error(`${cluster} never held the change to ${value}`);
    await sleep(LOOK_EVERY_MS);
  }
}

/** How long the last one took, so many times; the first change opens connections and counts for nothing. */
export async function lastArrivals(
  stage: Stage,
  how: Change,
  clusters: readonly WorldCluster[],
  samples: number,
): Promise<readonly number[]> {
  const tookMs: number[] = [];
  for (let sample = 0; sample <= samples; sample += 1) {
    const { startMs, lastMs } = await stage.change(how, clusters);
    tookMs.push(lastMs - startMs);
  }
  return tookMs.slice(1);
}

/** Agents do the rest by themselves. */
export async function leaveToAgents(): Promise<void> {}

/** Stops every agent, so that what follows is done without them. */
export async function dismissAgents({ clusters }: World): Promise<void> {
  await Promise.all(clusters.map(async (cluster) => cluster.agent()?.stop()));
}
