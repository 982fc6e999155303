import { parseMessage, TRAILERS, trailerValues } from "../../src/core/message.ts";
import type { AmkoKind, JsonObject, LiveObject, Snapshot } from "../../src/core/model.ts";
import { contentOf } from "../../src/core/snapshot.ts";
import { CLUSTERS, globalDeploymentPolicy, gslbConfig, manifest } from "../support/builders.ts";
import { type FakeAgent, filesOf, headOf, makeWorld, type World, type WorldOptions } from "../support/fakes/world.ts";

export const GDP = "GlobalDeploymentPolicy";
export const GDP_PATH = "federation/globaldeploymentpolicy/global-gdp.yaml";

/** What every cluster holds at the beginning: what the branch says. */
export const HELD: readonly Snapshot[] = [gslbConfig(), globalDeploymentPolicy()];

export interface Settled extends World {
  readonly leader: FakeAgent;
  readonly follower: FakeAgent;
}

/** A federation that has come to rest: cluster1 leads, everybody holds the branch's content. */
export async function settled(options: WorldOptions = {}): Promise<Settled> {
  const world = makeWorld({ holds: HELD, ...options });
  await world.settle();
  return { ...world, leader: world.agent("cluster1"), follower: world.agent("cluster2") };
}

/** All manifests, with `to` as the one that claims to lead. */
export function flip(to: string): Readonly<Record<string, Uint8Array>> {
  return filesOf(CLUSTERS.map((name) => manifest(name, { isLeader: name === to })));
}

/** What a user of the cluster does with `kubectl edit`. */
export function edit({ cluster }: FakeAgent, kind: AmkoKind, fields: JsonObject): void {
  cluster.edit(kind, (object) => ({ ...object, spec: { ...specOf(object), ...fields } }));
}

export function editPolicy(agent: FakeAgent, fields: JsonObject): void {
  edit(agent, GDP, fields);
}

export function specOf(object: LiveObject | null): JsonObject {
  return object === null ? {} : contentOf(object).spec;
}

/** The policy's spec as the cluster holds it; empty where it holds none. */
export function policyIn({ cluster }: FakeAgent): JsonObject {
  return specOf(cluster.only(GDP));
}

/** What the agent says in the AMKOCluster's status, as text. */
export function statusOf({ cluster }: FakeAgent): string {
  return JSON.stringify(cluster.only("AMKOCluster")?.status ?? null);
}

/** Who made each commit of the leader on the tracked branch. */
export function exportsOf({ remote }: World): readonly string[] {
  return remote.writes.filter(({ branch }) => branch === "main").map(({ by }) => by);
}

/** A trailer's values in the newest commit of the tracked branch. */
export function trailersOf({ remote }: World, key: keyof typeof TRAILERS): readonly string[] {
  return trailerValues(parseMessage(remote.stored(headOf(remote)).message), TRAILERS[key]);
}
