import { manifest } from "../support/builders.ts";
import {
  CONFIG_MAP,
  editPolicy,
  FILES,
  GDP,
  GSLB_CONFIG,
  isLeader,
  moved,
  policyOf,
  waitForRef,
} from "../support/federation.ts";
import { setBranch } from "../support/git.ts";
import { AMKO_CLUSTER, LEADER_OBJECTS, type World, type WorldCluster, waitUntil } from "../support/world.ts";
import type { Outcome } from "./outcome.ts";
import type { Role, Stage } from "./stage.ts";

/** One thing that people do to a federation, and what has to come of it. It can be done again and again. */
export interface Step {
  readonly name: string;
  /** Whether the GDP has to be there when it begins. */
  readonly policy: "there" | "deleted";
  /** Whose requests it is about. */
  readonly roles: readonly Role[];
  /** What comes before the requests that it is about. */
  prepare?(stage: Stage): Promise<void>;
  act(stage: Stage): Promise<Outcome>;
}

/** One scenario: together these touch every kind of request that an agent makes. */
export const STEPS: readonly Step[] = [
  { name: "edit", policy: "there", roles: ["leader", "follower"], act: edit },
  { name: "merge", policy: "there", roles: ["leader", "follower"], act: merge },
  { name: "switchover", policy: "there", roles: ["leader", "follower"], act: switchOver },
  { name: "delete", policy: "there", roles: ["leader", "follower"], act: remove },
  { name: "create", policy: "deleted", roles: ["leader", "follower"], act: create },
  { name: "refusal", policy: "there", roles: ["leader", "follower"], act: refuse },
  { name: "upgrade", policy: "there", roles: ["follower"], act: upgrade },
  { name: "designation", policy: "there", roles: ["follower"], act: designate },
  { name: "start-leader", policy: "there", roles: ["leader"], prepare: stopLeader, act: startLeader },
  { name: "start-follower", policy: "there", roles: ["follower"], prepare: stopFollower, act: startFollower },
];

export function stepNamed(name: string): Step {
  const step = STEPS.find((one) => one.name === name);
  if (step === undefined) throw new TypeError(`there is no step ${name}`);
  return step;
}

/** Nothing has changed. */
async function asBefore({ leads }: Stage): Promise<Outcome> {
  const { ttl = null } = await policyOf(leads());
  return { leader: leads().name, commits: { people: 0, agents: 0 }, policy: { ttl }, rescued: null };
}

/** Somebody edits the GDP on the leader. */
async function edit(stage: Stage): Promise<Outcome> {
  const ttl = stage.next();
  await editPolicy(stage.leads(), { ttl });
  return { ...(await asBefore(stage)), commits: { people: 0, agents: 1 }, policy: { ttl } };
}

/** Somebody merges a change of both snapshots. */
async function merge(stage: Stage): Promise<Outcome> {
  const ttl = stage.next();
  const { git, person } = stage.world;
  const policy = await git("show", `main:${FILES.GlobalDeploymentPolicy}`);
  const config = await git("show", `main:${FILES.GSLBConfig}`);
  await person.push({
    [FILES.GlobalDeploymentPolicy]: `${policy.replace(/ttl: \d+/, `ttl: ${ttl}`)}\n`,
    [FILES.GSLBConfig]: `${config.replace(/refreshInterval: \d+/, `refreshInterval: ${1000 + ttl}`)}\n`,
  });
  return { leader: stage.leads().name, commits: { people: 1, agents: 0 }, policy: { ttl }, rescued: null };
}

/** Somebody merges a flip. */
async function switchOver(stage: Stage): Promise<Outcome> {
  const before = await asBefore(stage);
  stage.swap();
  const { world, leads } = stage;
  const clusters = world.clusters.map(({ name }) => name);
  const files = clusters.map((name) => manifest(name, { isLeader: name === leads().name, clusters }));
  const changes = files.map(({ path, bytes }) => [path, bytes ?? ""] as const);
  await world.person.push(Object.fromEntries(changes));
  await waitUntil(`${leads().name} leads`, () => isLeader(leads()));
  return { ...before, leader: leads().name, commits: { people: 1, agents: 0 } };
}

/** Somebody deletes the GDP on the leader. */
async function remove(stage: Stage): Promise<Outcome> {
  await stage.leads().objects.remove("GlobalDeploymentPolicy", GDP);
  return { leader: stage.leads().name, commits: { people: 0, agents: 1 }, policy: null, rescued: null };
}

/** Somebody creates it again. */
async function create(stage: Stage): Promise<Outcome> {
  const ttl = stage.next();
  const object = LEADER_OBJECTS.GlobalDeploymentPolicy;
  await stage.leads().objects.create({ ...object, spec: { ...(object.spec as object), ttl } });
  return { leader: stage.leads().name, commits: { people: 0, agents: 1 }, policy: { ttl }, rescued: null };
}

/** Its agent dies, and the repository forgets that it ever was in office. */
async function stopLeader({ world, leads, kill }: Stage): Promise<void> {
  await kill(leads());
  await forget(world, leads(), ["leading", "identity"]);
}

/** Somebody edited the GDP while the leader's agent was away. */
async function startLeader(stage: Stage): Promise<Outcome> {
  const outcome = await edit(stage);
  stage.start(stage.leads());
  return outcome;
}

/** Its agent dies, and repository and cluster forget it. Then both clusters change, each in its way. */
async function stopFollower(stage: Stage): Promise<void> {
  const { world, leads, follows, kill, next } = stage;
  const before = await world.head();
  await kill(follows());
  await forget(world, follows(), ["applied", "identity"]);
  await follows().objects.request("DELETE", CONFIG_MAP);
  await follows().objects.remove("GSLBConfig", GSLB_CONFIG);
  await editPolicy(follows(), { defaultDomain: driftOf(next()) });
  await editPolicy(leads(), { ttl: next() });
  await moved(world, before);
}

/** The follower comes back, as a cluster that nobody knows. */
async function startFollower(stage: Stage): Promise<Outcome> {
  const outcome = await asBefore(stage);
  const { defaultDomain } = await policyOf(stage.follows());
  stage.start(stage.follows());
  return { ...outcome, rescued: { cluster: stage.follows().name, words: String(defaultDomain) } };
}

function driftOf(number: number): string {
  return `drift-${number}.example.com`;
}

async function forget({ repositoryFolder }: World, { name }: WorldCluster, purposes: readonly string[]): Promise<void> {
  for (const purpose of purposes) await setBranch(repositoryFolder, `amko/${purpose}/${name}`, null);
}

/** Somebody merges what no cluster can apply, and then takes it back. */
async function refuse(stage: Stage): Promise<Outcome> {
  const before = await asBefore(stage);
  const { world } = stage;
  const path = FILES.GlobalDeploymentPolicy;
  const good = `${await world.git("show", `main:${path}`)}\n`;
  await world.person.push({ [path]: `${good}  unheardOf: ${stage.next()}\n` });
  for (const { name } of world.clusters) await waitForRef(world, `amko/failed/${name}`, true);
  await world.person.push({ [path]: good });
  for (const { name } of world.clusters) await waitForRef(world, `amko/failed/${name}`, false);
  return { ...before, commits: { people: 2, agents: 0 } };
}

/** A follower's AMKO is another version for a while. */
async function upgrade(stage: Stage): Promise<Outcome> {
  const before = await asBefore(stage);
  const { name, objects } = stage.follows();
  await objects.merge("AMKOCluster", AMKO_CLUSTER, { spec: { version: "1.4.3" } });
  await waitForRef(stage.world, `amko/propose/${name}/version`, true);
  await objects.merge("AMKOCluster", AMKO_CLUSTER, { spec: { version: "1.4.2" } });
  await waitForRef(stage.world, `amko/propose/${name}/version`, false);
  return before;
}

/** Somebody sets a follower's isLeader by hand, and closes the proposal that comes of it. */
async function designate(stage: Stage): Promise<Outcome> {
  const before = await asBefore(stage);
  const follower = stage.follows();
  const ref = `amko/propose/${follower.name}/leader`;
  await follower.objects.merge("AMKOCluster", AMKO_CLUSTER, { spec: { isLeader: true } });
  await waitForRef(stage.world, ref, true);
  await waitUntil("it is put back", async () => !(await isLeader(follower)));
  await setBranch(stage.world.repositoryFolder, ref, null);
  return before;
}
