import { isObject } from "../../src/core/json.ts";
import type { JsonObject } from "../../src/core/model.ts";
import { editPolicy, flipTo, GDP, waitForLeader } from "../support/federation.ts";
import { LEADER_OBJECTS, type WorldCluster, waitUntil } from "../support/world.ts";
import type { Stage } from "./stage.ts";

/** One thing that happens to a federation. It is over when every cluster holds what came of it. */
export interface Step {
  readonly what: string;
  /** How often it happens, against the others. */
  readonly share: number;
  run(stage: Stage): Promise<void>;
}

/** Commits that a person makes faster than agents can follow. */
const BURST_MAX_COMMITS = 24;
const WEIGHT_MAX = 20;

export const STEPS: readonly Step[] = [
  { what: "an edit on the leader", share: 180, run: edit },
  { what: "a person's commits", share: 250, run: burst },
  { what: "an edit on the leader beside a commit", share: 12, run: collide },
  { what: "an edit on a follower", share: 10, run: drift },
  { what: "a tombstone by a person", share: 3, run: tombstone },
  { what: "a deletion on the leader", share: 3, run: deletion },
  { what: "a snapshot that nobody can use", share: 3, run: breakSnapshot },
  { what: "a switchover", share: 3, run: switchOver },
];

async function edit(stage: Stage): Promise<void> {
  const ttl = stage.nextTtl();
  await editPolicy(stage.leader, { ttl });
  await everywhere(stage, ttl);
}

async function burst(stage: Stage): Promise<void> {
  const text = await stage.snapshot();
  const ttls = Array.from({ length: 1 + stage.dice.number(BURST_MAX_COMMITS) }, () => stage.nextTtl());
  await stage.commit(ttls.map((ttl) => withTtl(text, ttl)));
  await everywhere(stage, ttls.at(-1) ?? 0);
}

/** The edit comes before any agent has heard of the commit. They change different fields, so both stay. */
async function collide(stage: Stage): Promise<void> {
  const text = await stage.snapshot();
  const ttl = stage.nextTtl();
  const weight = 1 + stage.dice.number(WEIGHT_MAX);
  await stage.commitUnheard([`${text.replaceAll(/weight: \d+/g, `weight: ${weight}`)}\n`]);
  await editPolicy(stage.leader, { ttl });
  await stage.nudge();
  await stage.until("both changes are everywhere", stage.world.clusters, (spec) => {
    return spec?.["ttl"] === ttl && weightOf(spec) === weight;
  });
}

async function drift(stage: Stage): Promise<void> {
  const follower = stage.followers()[stage.dice.number(stage.followers().length)] ?? stage.leader;
  const before = (await follower.objects.get("GlobalDeploymentPolicy", GDP))?.spec;
  const ttl = stage.nextTtl();
  await editPolicy(follower, { ttl });
  await stage.until("the edit is reverted", [follower], (spec) => {
    return isObject(before) && spec?.["ttl"] === before["ttl"];
  });
}

async function tombstone(stage: Stage): Promise<void> {
  const text = await stage.snapshot();
  const annotated = text.replace("metadata:\n", 'metadata:\n  annotations:\n    amko-gitops.io/deleted: "soak"\n');
  await stage.commit([annotated]);
  await gone(stage);
  const ttl = stage.nextTtl();
  await stage.commit([withTtl(text, ttl)]);
  await everywhere(stage, ttl);
}

async function deletion(stage: Stage): Promise<void> {
  const { leader } = stage;
  const held = ({ objects }: WorldCluster) => objects.get("GlobalDeploymentPolicy", GDP);
  // Whoever deletes what was exported a moment ago, before the agent could note that, sees it come back.
  await waitUntil("the GDP is gone", async () => {
    if ((await held(leader)) !== null) await leader.objects.remove("GlobalDeploymentPolicy", GDP);
    return (await Promise.all(stage.world.clusters.map(held))).every((object) => object === null);
  });
  const ttl = stage.nextTtl();
  const object = LEADER_OBJECTS.GlobalDeploymentPolicy;
  await leader.objects.create({ ...object, spec: { ...(object.spec as JsonObject), ttl } });
  await everywhere(stage, ttl);
}

/** The leader heals git; an edit before it has would be an edit of what nobody can read. */
async function breakSnapshot(stage: Stage): Promise<void> {
  const { head } = stage.world;
  const text = await stage.snapshot();
  await stage.commit([text.replace(/ttl: \d+/, "ttl: soon")]);
  const broken = await head();
  await waitUntil("the leader has healed git", async () => (await head()) !== broken);
  await edit(stage);
}

async function switchOver(stage: Stage): Promise<void> {
  const followers = stage.followers();
  const next = followers[stage.dice.number(followers.length)] ?? stage.leader;
  await stage.world.person.push(flipTo(next.name));
  await stage.nudge();
  await waitForLeader(stage.world.clusters, next.name);
  stage.leader = next;
  await edit(stage);
}

function everywhere(stage: Stage, ttl: number): Promise<void> {
  return stage.until(`it holds the TTL ${ttl}`, stage.world.clusters, (spec) => spec?.["ttl"] === ttl);
}

function gone(stage: Stage): Promise<void> {
  return stage.until("the GDP is gone", stage.world.clusters, (spec) => spec === null);
}

function withTtl(text: string, ttl: number): string {
  return `${text.replace(/ttl: \d+/, `ttl: ${ttl}`)}\n`;
}

function weightOf(spec: JsonObject): number {
  const split = spec["trafficSplit"];
  const first = Array.isArray(split) ? split[0] : undefined;
  return isObject(first) ? Number(first["weight"]) : 0;
}
