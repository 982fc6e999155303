import {
  ACCEPT_REWRITE_ANNOTATION,
  type FederatedKind,
  SUSPEND_REASON_ANNOTATION,
  SUSPENDED_UNTIL_ANNOTATION,
  UUID_ANNOTATION,
} from "../../src/core/model.ts";
import { contentOf } from "../../src/core/snapshot.ts";
import type { FakeCluster } from "../support/fakes/cluster.ts";
import { objectOf } from "../support/fakes/world.ts";
import type { Change } from "./acts.ts";
import { FIELDS, type Field, pictureOf, SEEDS, token, tokensOf } from "./content.ts";
import { clusterOf, fakeOf, isInOffice, type Ledger } from "./ledger.ts";
import { fieldOf, headOf, type Scene, valueFor } from "./scene.ts";

export async function edit(scene: Scene, at: string, change: Change): Promise<string | null> {
  const { ledger } = scene;
  const field = fieldOf(change);
  const fake = fakeOf(ledger, at);
  const object = fake.only(field.kind);
  if (object === null) return null;
  const { spec } = contentOf(object);
  const present = field.read(spec);
  const value = await valueFor(scene, change, present);
  if (value === present) return null;
  fake.edit(field.kind, (one) => ({ ...one, spec: field.write(contentOf(one).spec, value) }));
  // Who overwrites what he or others wrote here has seen it: in a list, every entry that goes.
  const left = tokensOf(contentOf(fake.only(field.kind) ?? object));
  for (const one of pictureOf(object).tokens) if (!left.has(one)) ledger.owed.delete(one);
  wrote(ledger, at, field, value);
  return `${at}: a person sets ${field.name} to ${value ?? "(nothing)"}`;
}

function wrote(ledger: Ledger, at: string, field: Field, value: string | undefined): void {
  const { touched, rewritten, lastWrites } = clusterOf(ledger, at);
  touched.add(field.name);
  if (isInOffice(ledger, at)) lastWrites.set(field.name, { value, order: ledger.order });
  else lastWrites.delete(field.name);
  if (value === undefined) return;
  ledger.owed.add(value);
  if (ledger.mainTokens.has(value)) rewritten.add(value);
}

export function remove({ ledger }: Scene, at: string, kind: FederatedKind): string | null {
  const fake = fakeOf(ledger, at);
  if (fake.objects(kind).length === 0) return null;
  const cluster = clusterOf(ledger, at);
  // A pass that takes office at this very moment has read the object before.
  const inOffice = cluster.holding.records.office !== null || cluster.passesUnderWay > 0;
  for (const object of fake.objects(kind)) for (const one of pictureOf(object).tokens) ledger.owed.delete(one);
  fake.drop(kind);
  for (const field of FIELDS) if (field.kind === kind) cluster.lastWrites.delete(field.name);
  cluster.gone = { ...cluster.gone, [kind]: { atMs: ledger.nowMs(), inOffice } };
  return `${at}: a person deletes the ${kind}`;
}

export function create(scene: Scene, at: string, kind: FederatedKind, otherName: boolean): string | null {
  const fake = fakeOf(scene.ledger, at);
  const seed = SEEDS[kind];
  const name = otherName ? "other" : seed.name;
  if (fake.objects(kind).some(({ metadata }) => metadata.name === name)) return null;
  const [field, ...others] = FIELDS.filter((one) => one.kind === kind) as [Field, ...Field[]];
  const value = token(scene.nextToken());
  fake.put(objectOf({ ...seed, name, spec: field.write(seed.spec, value) }));
  wrote(scene.ledger, at, field, value);
  for (const other of others) clusterOf(scene.ledger, at).touched.add(other.name);
  return `${at}: a person creates ${kind} ${name} with ${field.name} ${value}`;
}

export function loseUuid({ ledger }: Scene, at: string): string | null {
  const fake = fakeOf(ledger, at);
  if (fake.only("GSLBConfig")?.metadata.annotations?.[UUID_ANNOTATION] === undefined) return null;
  fake.edit("GSLBConfig", ({ metadata, ...object }) => {
    const { [UUID_ANNOTATION]: _, ...annotations } = metadata.annotations ?? {};
    return { ...object, metadata: { ...metadata, annotations } };
  });
  return `${at}: a person replaces the GSLBConfig by one without AMKO's UUID`;
}

export function touchLeader({ ledger }: Scene, at: string, isLeader: boolean): string | null {
  const fake = fakeOf(ledger, at);
  if (fake.only("AMKOCluster") === null) return null;
  fake.edit("AMKOCluster", (object) => ({ ...object, spec: { ...contentOf(object).spec, isLeader } }));
  if (isLeader) clusterOf(ledger, at).leadsByOtherHand = true;
  return `${at}: a person sets isLeader to ${isLeader}`;
}

/** As `accept-rewrite` does it. */
export function acceptRewrite(scene: Scene, at: string): string | null {
  const fake = fakeOf(scene.ledger, at);
  if (fake.only("AMKOCluster") === null) return null;
  annotate(fake, { [ACCEPT_REWRITE_ANNOTATION]: headOf(scene) });
  return `${at}: a person accepts the branch as it is`;
}

export function suspend({ ledger, clock }: Scene, at: string, forMs: number): string | null {
  const fake = fakeOf(ledger, at);
  if (fake.only("AMKOCluster") === null) return null;
  const annotations = {
    [SUSPENDED_UNTIL_ANNOTATION]: new Date(clock.nowMs() + forMs).toISOString(),
    [SUSPEND_REASON_ANNOTATION]: "work in progress",
  };
  annotate(fake, annotations);
  return `${at}: suspended for ${forMs / 1000} s`;
}

function annotate(fake: FakeCluster, annotations: Readonly<Record<string, string>>): void {
  fake.edit("AMKOCluster", (object) => ({
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...annotations } },
  }));
}
