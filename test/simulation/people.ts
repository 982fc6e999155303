import {
  type CommitId,
  FEDERATED_KINDS,
  type FederatedKind,
  HANDOVER_WITHOUT_ANNOTATION,
  KINDS,
  type Manifest,
  NAMESPACE,
  type Snapshot,
  SUSPEND_REASON_ANNOTATION,
  SUSPENDED_UNTIL_ANNOTATION,
  type Uid,
} from "../../src/core/model.ts";
import { contentOf, snapshotPath } from "../../src/core/snapshot.ts";
import { hasCode } from "../../src/errors.ts";
import { manifest } from "../support/builders.ts";
import type { ClusterBackup } from "../support/fakes/cluster.ts";
import { blob } from "../support/fakes/repository.ts";
import type { ManualClock } from "../support/fakes/time.ts";
import { fileOf, filesOf, objectOf } from "../support/fakes/world.ts";
import type { Act, Backup, Change, MergeWay } from "./acts.ts";
import { FIELDS, type Field, pictureOf, SEEDS, token, tokensOf } from "./content.ts";
import {
  absorbCluster,
  absorbGiven,
  absorbMain,
  type ClusterLedger,
  clusterOf,
  fakeOf,
  forgive,
  isInOffice,
  type Ledger,
  lookAt,
  newestUsable,
} from "./ledger.ts";

/** The surroundings in which people act. */
export interface Scene {
  readonly names: readonly string[];
  readonly ledger: Ledger;
  readonly clock: ManualClock;
  readonly backups: ReadonlyMap<string, SavedCluster[]>;
  /** `git cluster1`, `api cluster1`: cannot be reached at the moment. */
  readonly away: Set<string>;
  tell(line: string): void;
  note(what: string): void;
  /** Counts what was written, so that everything written is new. */
  nextToken(): number;
}

export interface SavedCluster {
  readonly cluster: ClusterBackup;
  readonly gone: ClusterLedger["gone"];
}

type Files = Readonly<Record<string, string | Uint8Array | null>>;

/** Does what somebody does, and takes over what came of it. */
export async function perform(scene: Scene, act: Act): Promise<void> {
  const { ledger } = scene;
  ledger.order += 1;
  const before = headOf(scene);
  const told = await enact(scene, act).catch((error: unknown) => {
    // An admission policy binds people too.
    if (hasCode(error, "AG3007")) return null;
    throw error;
  });
  scene.tell(told ?? `(nothing comes of it: ${act.do})`);
  if (told !== null) scene.note(act.do);
  for (const name of scene.names) absorbCluster(ledger, name);
  await absorbMain(ledger);
  await absorbGiven(ledger, before, headOf(scene), "people");
  forgive(ledger);
}

async function enact(scene: Scene, act: Act): Promise<string | null> {
  switch (act.do) {
    case "edit":
      return edit(scene, nameOf(scene, act.at), act.change);
    case "delete":
      return remove(scene, nameOf(scene, act.at), kindOf(act.kind));
    case "create":
      return create(scene, nameOf(scene, act.at), kindOf(act.kind), act.otherName);
    case "git edit":
      return gitEdit(scene, act.change);
    case "git tombstone":
    case "git remove":
    case "git rename":
    case "git break":
      return gitHandle(scene, act.do, kindOf(act.kind));
    case "git roll back":
      return gitRollBack(scene, kindOf(act.kind), act.by);
    case "flip":
      return flip(scene, nameOf(scene, act.to), act.way, act.edit);
    case "flip without handover":
      return flipWithout(scene, nameOf(scene, act.to));
    case "second claim":
      return editManifests(scene, `${nameOf(scene, act.at)} claims too`, (one) =>
        one.cluster === nameOf(scene, act.at) ? { isLeader: true } : {},
      );
    case "nobody leads":
      return editManifests(scene, "no manifest claims", () => ({ isLeader: false }));
    case "exclude":
      return exclude(scene, nameOf(scene, act.at), act.how);
    case "touch isLeader":
      return touchLeader(scene, nameOf(scene, act.at), act.value);
    case "helm upgrade":
      return helmUpgrade(scene, nameOf(scene, act.at), act.newVersion);
    case "suspend":
      return suspend(scene, nameOf(scene, act.at), act.forMs);
    case "time":
      await scene.clock.advance(act.ms);
      return `${act.ms / 1000} s pass`;
    case "restore":
      return restore(scene, nameOf(scene, act.at), act.what, act.back);
    case "reinstall":
      return reinstall(scene, nameOf(scene, act.at));
    case "rebuild":
      return rebuild(scene, nameOf(scene, act.at), act.accepted);
    case "delete ref":
      return deleteRef(scene, nameOf(scene, act.at), act.purpose);
    case "merge proposal":
      return mergeProposal(scene, nameOf(scene, act.at), act.way, act.topic);
    case "git away":
    case "api away": {
      const what = `${act.do.slice(0, 3)} ${nameOf(scene, act.at)}`;
      if (act.away) scene.away.add(what);
      else scene.away.delete(what);
      return `${what} ${act.away ? "cannot be reached" : "can be reached"}`;
    }
    case "refuse": {
      const kind = kindOf(act.kind);
      fakeOf(scene.ledger, nameOf(scene, act.at)).refuse(kind, act.refuse ? "policy says no" : null);
      return `admission in ${nameOf(scene, act.at)} ${act.refuse ? "refuses" : "takes"} every ${kind}`;
    }
    default:
      return act satisfies never;
  }
}

export function nameOf({ names }: Scene, at: number): string {
  return names[at % names.length] as string;
}

function kindOf(number: number): FederatedKind {
  return FEDERATED_KINDS[number % FEDERATED_KINDS.length] as FederatedKind;
}

function fieldOf({ field }: Change): Field {
  return FIELDS[field % FIELDS.length] as Field;
}

/** What a change writes, given what the field held in older revisions. */
async function valueFor(scene: Scene, change: Change, present: string | undefined): Promise<string | undefined> {
  if (change.value === "gone") return undefined;
  if (change.value === "fresh") return token(scene.nextToken());
  const field = fieldOf(change);
  const head = headOf(scene);
  for await (const { commit } of scene.ledger.reader.history({ from: head, until: null }, 50, never)) {
    const said = (await lookAt(scene.ledger, commit)).kinds[field.kind];
    const value = said === null ? undefined : field.read(said.content.spec);
    if (value !== present) return value;
  }
  return undefined;
}

async function edit(scene: Scene, at: string, change: Change): Promise<string | null> {
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

function remove({ ledger }: Scene, at: string, kind: FederatedKind): string | null {
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

function create(scene: Scene, at: string, kind: FederatedKind, otherName: boolean): string | null {
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

async function gitEdit(scene: Scene, change: Change): Promise<string | null> {
  const [files, told] = (await editedFile(scene, change)) ?? [null, ""];
  if (files === null) return null;
  commit(scene, files, "push", told);
  return `git: a person ${told}`;
}

/** The snapshot with one field changed; brings a deleted one back to life. */
async function editedFile(scene: Scene, change: Change): Promise<readonly [Files, string] | null> {
  const field = fieldOf(change);
  const said = await newestUsable(scene.ledger, field.kind, headOf(scene));
  const before = said === null ? SEEDS[field.kind] : snapshotOf(field.kind, said);
  const value = await valueFor(scene, change, field.read(before.spec));
  const spec = field.write(before.spec, value);
  const others = Object.fromEntries(filesOfKind(scene, field.kind).map((path) => [path, null]));
  return [
    { ...others, ...fileOf({ ...before, spec, deleted: null }) },
    `sets ${field.name} to ${value ?? "(nothing)"}`,
  ];
}

function snapshotOf(
  kind: FederatedKind,
  {
    name,
    content,
  }: {
    readonly name: string;
    readonly content: { readonly annotations: Readonly<Record<string, string>>; readonly spec: Snapshot["spec"] };
  },
): Snapshot {
  return { kind, name, annotations: content.annotations, spec: content.spec, deleted: null };
}

async function gitHandle(
  scene: Scene,
  what: "git tombstone" | "git remove" | "git rename" | "git break",
  kind: FederatedKind,
): Promise<string | null> {
  const said = await newestUsable(scene.ledger, kind, headOf(scene));
  const paths = filesOfKind(scene, kind);
  const [path] = paths;
  if (said === null || path === undefined) return null;
  const snapshot = snapshotOf(kind, said);
  const none = Object.fromEntries(paths.map((one) => [one, null]));
  const renamed = { ...snapshot, name: snapshot.name === "renamed" ? SEEDS[kind].name : "renamed" };
  const files: Record<typeof what, Files> = {
    "git tombstone": { ...none, ...fileOf({ ...snapshot, deleted: "not needed" }) },
    "git remove": none,
    "git rename": { ...none, ...fileOf(renamed) },
    "git break": { [path]: "kind: Something\n" },
  };
  commit(scene, files[what], "push", what);
  return `git: a person does "${what.slice(4)}" to the ${kind}`;
}

async function gitRollBack(scene: Scene, kind: FederatedKind, by: number): Promise<string | null> {
  let left = by;
  for await (const { commit: then } of scene.ledger.reader.history({ from: headOf(scene), until: null }, 50, never)) {
    if (left-- > 0) continue;
    const said = (await lookAt(scene.ledger, then)).kinds[kind];
    if (said === null) continue;
    const none = Object.fromEntries(filesOfKind(scene, kind).map((path) => [path, null]));
    const snapshot = { ...snapshotOf(kind, said), deleted: said.kind === "deleted" ? "rolled back" : null };
    commit(scene, { ...none, ...fileOf(snapshot) }, "push", "Roll back");
    return `git: a person rolls the ${kind} back to ${then.slice(0, 8)}`;
  }
  return null;
}

async function flip(scene: Scene, to: string, way: MergeWay, change: Change | null): Promise<string> {
  const edited = change === null ? null : await editedFile(scene, change);
  const manifests = await manifestsWith(scene, ({ cluster }) => ({ isLeader: cluster === to }));
  commit(scene, { ...manifests, ...edited?.[0] }, way, `Flip to ${to}`);
  return `git: a flip to ${to} (${way})${edited === null ? "" : `, which also ${edited[1]}`}`;
}

async function flipWithout(scene: Scene, to: string): Promise<string> {
  const others = scene.names.filter((name) => name !== to);
  const manifests = await manifestsWith(scene, ({ cluster }) => ({ isLeader: cluster === to }));
  const path = `clusters/${to}/amkocluster.yaml`;
  const text = new TextDecoder().decode(manifests[path] as Uint8Array);
  const document = JSON.parse(text) as { metadata: object };
  const annotations = { [HANDOVER_WITHOUT_ANNOTATION]: others.join(",") };
  const told = JSON.stringify({ ...document, metadata: { ...document.metadata, annotations } }, null, 2);
  commit(scene, { ...manifests, [path]: told }, "push", `Fail over to ${to}`);
  for (const name of others) clusterOf(scene.ledger, name).leadsByOtherHand = true;
  return `git: a failover to ${to} that waits for nobody`;
}

async function editManifests(
  scene: Scene,
  told: string,
  change: (manifest: Manifest) => Readonly<Record<string, unknown>>,
): Promise<string> {
  commit(scene, await manifestsWith(scene, change), "push", told);
  return `git: ${told}`;
}

/** Every manifest, with some fields replaced. */
async function manifestsWith(
  scene: Scene,
  change: (manifest: Manifest) => Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, Uint8Array>>> {
  const { view } = await lookAt(scene.ledger, headOf(scene));
  return filesOf(
    [...view.manifests.values()].map((one) => {
      const { isLeader, version, clusters } = one;
      return manifest(one.cluster, { isLeader, version, clusters, ...change(one) });
    }),
  );
}

async function exclude(scene: Scene, at: string, how: "version" | "list"): Promise<string> {
  const change = ({ cluster, clusters }: Manifest) => {
    if (how === "version") return cluster === at ? { version: "1.5.0" } : {};
    return { clusters: clusters.filter((name) => name !== at || cluster === at) };
  };
  return editManifests(scene, `${at} is excluded by its ${how}`, change);
}

function touchLeader({ ledger }: Scene, at: string, isLeader: boolean): string | null {
  const fake = fakeOf(ledger, at);
  if (fake.only("AMKOCluster") === null) return null;
  fake.edit("AMKOCluster", (object) => ({ ...object, spec: { ...contentOf(object).spec, isLeader } }));
  if (isLeader) clusterOf(ledger, at).leadsByOtherHand = true;
  return `${at}: a person sets isLeader to ${isLeader}`;
}

/** Helm writes the chart's values again, which are those of the first day. */
function helmUpgrade({ ledger, names }: Scene, at: string, newVersion: boolean): string | null {
  const fake = fakeOf(ledger, at);
  if (fake.only("AMKOCluster") === null) return null;
  const isLeader = at === names[0];
  const spec = { clusterContext: at, isLeader, version: newVersion ? "1.5.0" : "1.4.2", clusters: names };
  fake.edit("AMKOCluster", (object) => ({ ...object, spec }));
  if (isLeader) clusterOf(ledger, at).leadsByOtherHand = true;
  return `${at}: helm upgrade writes isLeader ${isLeader} and version ${spec.version}`;
}

function suspend({ ledger, clock }: Scene, at: string, forMs: number): string | null {
  const fake = fakeOf(ledger, at);
  if (fake.only("AMKOCluster") === null) return null;
  const annotations = {
    [SUSPENDED_UNTIL_ANNOTATION]: new Date(clock.nowMs() + forMs).toISOString(),
    [SUSPEND_REASON_ANNOTATION]: "work in progress",
  };
  fake.edit("AMKOCluster", (object) => ({
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...annotations } },
  }));
  return `${at}: suspended for ${forMs / 1000} s`;
}

function restore({ ledger, backups }: Scene, at: string, what: Backup, back: number): string | null {
  const saved = backups.get(at) ?? [];
  const backup = saved[Math.max(0, saved.length - 1 - back)];
  if (backup === undefined) return null;
  const kinds = new Set([...backup.cluster.objects.values()].map(({ kind }) => kind));
  // Restoring single objects takes none away.
  if (what !== "everything" && what !== "ConfigMap" && !kinds.has(what)) return null;
  const fake = fakeOf(ledger, at);
  const cluster = clusterOf(ledger, at);
  cluster.leadsByOtherHand = true;
  cluster.lastWrites.clear();
  cluster.gone = goneAfter(what, backup.gone, cluster.gone);
  // What was written since the backup is what a restore means to undo.
  for (const kind of FEDERATED_KINDS) {
    for (const object of fake.objects(kind)) for (const one of pictureOf(object).tokens) ledger.owed.delete(one);
  }
  if (cluster.passesUnderWay > 0) cluster.rebuiltInPass = true;
  if (what === "everything") fake.restore(backup.cluster);
  else if (what === "ConfigMap") fake.setConfigMapData(backup.cluster.configMap?.data ?? null);
  else {
    fake.drop(what);
    fake.refuse(what, null);
    for (const object of backup.cluster.objects.values()) if (object.kind === what) fake.put(object);
  }
  return `${at}: ${what} is restored as it was ${back} steps ago`;
}

/** What counts as deleted by a person after a restore: under another AMKOCluster nothing does. */
function goneAfter(what: Backup, then: ClusterLedger["gone"], now: ClusterLedger["gone"]): ClusterLedger["gone"] {
  if (what === "everything") return then;
  if (what === "ConfigMap") return now;
  return what === "AMKOCluster" ? { GSLBConfig: null, GlobalDeploymentPolicy: null } : { ...now, [what]: then[what] };
}

/** Helm uninstalls AMKO with everything that its chart owns, and installs it again; the agent's ConfigMap stays. */
function reinstall({ ledger, names }: Scene, at: string): string {
  const fake = fakeOf(ledger, at);
  for (const kind of FEDERATED_KINDS) {
    for (const object of fake.objects(kind)) for (const one of pictureOf(object).tokens) ledger.owed.delete(one);
    fake.drop(kind);
  }
  fake.drop("AMKOCluster");
  installAmko(ledger, names, at);
  const cluster = clusterOf(ledger, at);
  cluster.leadsByOtherHand = true;
  cluster.gone = { GSLBConfig: null, GlobalDeploymentPolicy: null };
  cluster.lastWrites.clear();
  if (cluster.passesUnderWay > 0) cluster.rebuiltInPass = true;
  return `${at}: AMKO is uninstalled and installed again`;
}

function rebuild({ ledger, names, nextToken }: Scene, at: string, accepted: boolean): string {
  const fake = fakeOf(ledger, at);
  const namespace = { uid: `${at}-rebuilt-${nextToken()}` as Uid, terminating: false };
  fake.restore({ objects: new Map(), configMap: null, namespace });
  installAmko(ledger, names, at);
  const cluster = clusterOf(ledger, at);
  cluster.leadsByOtherHand = true;
  cluster.lastWrites.clear();
  cluster.gone = { GSLBConfig: null, GlobalDeploymentPolicy: null };
  if (cluster.passesUnderWay > 0) cluster.rebuiltInPass = true;
  if (accepted) ledger.remote.setBranch(`amko/identity/${at}`, null);
  return `${at}: rebuilt empty${accepted ? ", and a person accepts it" : ""}`;
}

export function installAmko(ledger: Ledger, names: readonly string[], at: string): void {
  fakeOf(ledger, at).put({
    apiVersion: KINDS.AMKOCluster.apiVersion,
    kind: "AMKOCluster",
    metadata: { name: "amkocluster-federation", namespace: NAMESPACE },
    spec: { clusterContext: at, isLeader: at === names[0], version: "1.4.2", clusters: names },
  });
}

function deleteRef({ ledger }: Scene, at: string, purpose: string): string | null {
  const name = `amko/${purpose}/${at}`;
  if (ledger.remote.branch(name) === null) return null;
  ledger.remote.setBranch(name, null);
  if (clusterOf(ledger, at).passesUnderWay > 0) clusterOf(ledger, at).rebuiltInPass = true;
  if (purpose === "leading") clusterOf(ledger, at).leadsByOtherHand = true;
  return `git: a person deletes ${name}`;
}

async function mergeProposal(scene: Scene, at: string, way: MergeWay, topic: "config" | "any"): Promise<string | null> {
  const { remote } = scene.ledger;
  const prefix = `amko/propose/${at}/${topic === "any" ? "" : topic}`;
  const [name, proposed] = [...remote.branches()].find(([ref]) => ref.startsWith(prefix)) ?? [];
  if (name === undefined || proposed === undefined) return null;
  const { parents, tree, message } = remote.stored(proposed);
  const before = parents[0] === undefined ? new Map() : remote.stored(parents[0]).tree;
  const paths = [...new Set([...tree.keys(), ...before.keys()])].filter(
    (path) => tree.get(path)?.id !== before.get(path)?.id,
  );
  const files = Object.fromEntries(paths.map((path) => [path, tree.get(path)?.bytes ?? null]));
  commit(scene, files, way, message.trimEnd(), proposed);
  remote.setBranch(name, null);
  return `git: people merge ${name} (${way})`;
}

/** A change of the tracked branch: pushed or squashed on top of it, or merged from a branch beside it. */
function commit({ ledger }: Scene, files: Files, way: MergeWay, message: string, side: CommitId | null = null): void {
  const { remote } = ledger;
  if (way !== "merge") {
    remote.push("main", files, message);
    return;
  }
  const head = remote.branch("main") as CommitId;
  const parent = remote.stored(head).parents[0] ?? head;
  const onto = (from: CommitId, parents: readonly CommitId[], text: string): CommitId => {
    const tree = new Map(remote.stored(from).tree);
    for (const [path, content] of Object.entries(files)) {
      if (content === null) tree.delete(path);
      else tree.set(path, blob(typeof content === "string" ? new TextEncoder().encode(content) : content));
    }
    return remote.commit(tree, { parents, message: `${text}\n`, atSeconds: 1_700_000_000 + ledger.order });
  };
  const other = side ?? onto(parent, [parent], message);
  remote.setBranch("main", onto(head, [head, other], `Merge: ${message.split("\n", 1)[0]}`));
}

function filesOfKind({ ledger }: Scene, kind: FederatedKind): readonly string[] {
  const folder = snapshotPath(kind, "x").slice(0, -"x.yaml".length);
  const head = ledger.remote.branch("main") as CommitId;
  return [...ledger.remote.stored(head).tree.keys()].filter((path) => path.startsWith(folder));
}

function headOf({ ledger }: Scene): CommitId {
  return ledger.remote.branch("main") as CommitId;
}

const never = new AbortController().signal;
