import { BASE_ANNOTATION, type CommitId, FEDERATED_KINDS, type FederatedKind } from "../../src/core/model.ts";
import { manifest } from "../support/builders.ts";
import { filesOf } from "../support/fakes/world.ts";
import type { Act, History } from "./acts.ts";
import { installAmko } from "./acts-of-operators.ts";
import { FIELDS, pictureOf, type Said } from "./content.ts";
import { absorbMain, fakeOf, holdingOf, isLeading, lookAt, newestUsable } from "./ledger.ts";
import { perform } from "./perform.ts";
import { createSimulation, type Simulation, type Tampering } from "./simulate.ts";

/** Rounds in which every agent runs, and a minute passes. After these everybody has to be at rest. */
const ROUNDS_MAX = 12;
/** Each proposal that people merge may be news for everybody, and gives as many rounds again; so many can wait in turn. */
const MERGES_MAX = 4;
/** Whatever was under way has landed by then. */
const LATE_MAX_STEPS = 6;
const MINUTE_MS = 61_000;
/** The grace of a deletion may be followed by a batch window. */
const QUIET_ROUNDS = 3;
const CALM_MS = 11 * 60_000;

export interface Outcome {
  readonly violations: readonly string[];
  /** What happened, for people; the first word of each line says where. */
  readonly story: readonly string[];
  /** What the history contained. */
  readonly noted: ReadonlySet<string>;
  readonly rounds: number;
  readonly passes: number;
}

/** Plays a history from a federation at rest, then lets everything heal and looks at what came of it. */
export async function playHistory(history: History, tampering: Tampering = {}): Promise<Outcome> {
  const simulation = createSimulation(history, tampering);
  const outcome = (rounds: number): Outcome => ({
    violations: simulation.violations,
    story: simulation.story,
    noted: simulation.noted,
    rounds,
    passes: simulation.passes,
  });
  await begin(simulation);
  for (const step of history.steps) {
    simulation.backUp();
    if (step.do === "pass") await simulation.pass(step);
    else await perform(simulation, step);
    await simulation.arrive();
    if (simulation.violations.length > 0) return outcome(0);
  }
  await heal(simulation);
  let rounds = await rest(simulation);
  if (simulation.ledger.settings.drift === "report") {
    await overwriteDrift(simulation);
    rounds = await rest(simulation);
  }
  if (simulation.violations.length > 0) return outcome(rounds);
  const wrong = [...(await differences(simulation)), ...(await unrest(simulation))];
  return { ...outcome(rounds), violations: [...simulation.violations, ...wrong] };
}

async function begin(simulation: Simulation): Promise<void> {
  await absorbMain(simulation.ledger);
  for (const name of simulation.names) await simulation.run(name, "resync");
  simulation.story.length = 0;
  simulation.noted.clear();
}

/** Every fault ends, and people put right what only people can. */
async function heal(simulation: Simulation): Promise<void> {
  const { ledger, names, away, clock } = simulation;
  const { remote } = ledger;
  simulation.story.push("--- everything heals ---");
  away.clear();
  if (simulation.noted.has("credentials")) simulation.access.grant(names);
  for (let step = 0; step < LATE_MAX_STEPS; step += 1) await simulation.arrive();
  for (const name of names) {
    const fake = fakeOf(ledger, name);
    fake.setWorkload(null);
    fake.refuse("GSLBConfig", null);
    fake.refuse("GlobalDeploymentPolicy", null);
    if (fake.only("AMKOCluster") === null) installAmko(ledger, names, name);
    fake.edit("AMKOCluster", (object) => ({
      ...object,
      spec: { ...(object.spec as object), version: "1.4.2" } as never,
    }));
    // A person accepts a cluster that was rebuilt, and a branch that was rewritten.
    if (simulation.noted.has("rebuild")) remote.setBranch(`amko/identity/${name}`, null);
    // AMKO allows one object of a kind.
    for (const kind of FEDERATED_KINDS) {
      for (const { metadata } of fake.objects(kind).slice(1)) fake.drop(kind, metadata.name);
    }
  }
  await clock.advance(CALM_MS);
  const head = remote.branch("main") as CommitId;
  const { leadership } = (await lookAt(ledger, head)).view;
  const leader = leadership.kind === "leader" ? leadership.cluster : names[0];
  const manifests = names.map((name) => manifest(name, { isLeader: name === leader, clusters: names }));
  remote.push("main", filesOf(manifests), "Put the manifests right");
  for (const at of names.keys()) await perform(simulation, { do: "accept rewrite", at });
  const isForgotten = ["restore", "git rewind", "git rewrite"].some((what) => simulation.noted.has(what));
  const looksClosed = ledger.settings.publish === "propose" && isForgotten;
  if (simulation.noted.has("close proposal") || looksClosed) await changeMinds(simulation, names.indexOf(leader ?? ""));
  await perform(simulation, { do: "time", ms: 1000 });
}

/** What is only reported stays until git says something else; a former leader holds such drift too. */
async function overwriteDrift(simulation: Simulation): Promise<void> {
  for (const kind of FEDERATED_KINDS) {
    const field = FIELDS.findIndex((one) => one.kind === kind);
    await perform(simulation, { do: "git edit", change: { field, value: "fresh" } });
  }
}

/**
 * What people closed is not proposed again until it changes. A cluster that was restored cannot tell a proposal that its
 * later life replaced from one that was closed, nor one whose merge was taken back by force before it was seen.
 */
async function changeMinds(simulation: Simulation, at: number): Promise<void> {
  const name = simulation.names[at] ?? "";
  for (const [kind, one] of FEDERATED_KINDS.entries()) {
    const isGone = fakeOf(simulation.ledger, name).objects(one).length === 0;
    const field = FIELDS.findIndex((found) => found.kind === one);
    const act: Act = isGone
      ? { do: "create", at, kind, otherName: false }
      : { do: "edit", at, change: { field, value: "fresh" } };
    await perform(simulation, act);
  }
}

/** How many rounds it took until nobody wrote anything any more: neither at once nor some minutes later. */
async function rest(simulation: Simulation): Promise<number> {
  let quiet = 0;
  let merges = 0;
  let left = ROUNDS_MAX;
  for (let round = 1; left > 0; round += 1, left -= 1) {
    const before = simulation.countWrites();
    for (const name of simulation.names) await simulation.run(name, "resync");
    if (simulation.violations.length > 0) return round;
    quiet = simulation.countWrites() === before ? quiet + 1 : 0;
    if (quiet >= QUIET_ROUNDS) {
      if (!(await mergeOne(simulation))) return round;
      merges += 1;
      if (merges <= MERGES_MAX) left = ROUNDS_MAX;
    }
    await perform(simulation, { do: "time", ms: MINUTE_MS });
  }
  simulation.violations.push(`bounded passes: no rest in ${ROUNDS_MAX} rounds, after ${merges} merges`);
  return ROUNDS_MAX;
}

/** People merge what waits for them, as long as there is anything. */
async function mergeOne(simulation: Simulation): Promise<boolean> {
  for (const [at, name] of simulation.names.entries()) {
    const waits = simulation.ledger.remote.branch(`amko/propose/${name}/config`) !== null;
    if (!waits) continue;
    await perform(simulation, { do: "merge proposal", at, way: "squash", topic: "config" });
    return true;
  }
  return false;
}

/** What is not as it must be when everybody is at rest. */
async function differences(simulation: Simulation): Promise<readonly string[]> {
  const { ledger, names } = simulation;
  const head = ledger.remote.branch("main") as CommitId;
  const { view, kinds } = await lookAt(ledger, head);
  const leader = view.leadership.kind === "leader" ? view.leadership.cluster : null;
  const wrong: string[] = [];
  for (const name of names) {
    wrong.push(...(await wrongOffice(simulation, name, name === leader, head)));
    for (const kind of FEDERATED_KINDS) {
      const said = await newestUsable(ledger, kind, head);
      if (!holds(simulation, name, kind, said, name === leader))
        wrong.push(`${name} does not hold ${kind} as git does`);
      if (said !== null && kinds[kind] === null) wrong.push(`the file of ${kind} was not healed`);
    }
  }
  return wrong.map((one) => `convergence: ${one}`);
}

async function wrongOffice(
  { ledger }: Simulation,
  name: string,
  leads: boolean,
  head: CommitId,
): Promise<readonly string[]> {
  const { remote, reader } = ledger;
  const wrong: string[] = [];
  if (isLeading(holdingOf(fakeOf(ledger, name))) !== leads) wrong.push(`isLeader of ${name} is not ${leads}`);
  if ((remote.branch(`amko/leading/${name}`) !== null) !== leads)
    wrong.push(`leading/${name} is not as the branch says`);
  if (remote.branch(`amko/failed/${name}`) !== null) wrong.push(`${name} still says that it failed`);
  const applied = remote.branch(`amko/applied/${name}`);
  const there = applied === null ? null : (await reader.read(applied, never)).tree;
  if (there !== (await reader.read(head, never)).tree) wrong.push(`${name} acknowledged ${applied}, not ${head}`);
  return wrong;
}

/** Where git has a tombstone, an object that never came from git stays on a follower. */
function holds({ ledger }: Simulation, name: string, kind: FederatedKind, said: Said | null, leads: boolean): boolean {
  const objects = fakeOf(ledger, name).objects(kind);
  if (said?.kind !== "present") {
    return objects.every(({ metadata }) => !leads && metadata.annotations?.[BASE_ANNOTATION] === undefined);
  }
  const [object] = objects;
  return objects.length === 1 && object?.metadata.name === said.name && pictureOf(object).digest === said.digest;
}

/** What is written although nothing is left to do, polled and after a restart of everybody. */
async function unrest(simulation: Simulation): Promise<readonly string[]> {
  const before = simulation.countWrites();
  for (const name of simulation.names) await simulation.run(name, "poll");
  simulation.restart();
  for (const name of simulation.names) await simulation.run(name, "start");
  const written = simulation.countWrites() - before;
  return written === 0 ? [] : [`rest: ${written} writes with nothing to do`];
}

const never = new AbortController().signal;
