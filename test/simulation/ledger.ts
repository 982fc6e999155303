import type { AgentSettings } from "../../src/agent/context.ts";
import {
  type AmkoKind,
  type CommitId,
  FEDERATED_KINDS,
  type FederatedKind,
  type LiveObject,
} from "../../src/core/model.ts";
import { parseRecords, type Records } from "../../src/core/records.ts";
import type { Repository } from "../../src/ports.ts";
import type { FakeCluster } from "../support/fakes/cluster.ts";
import type { FakeRemote, RefWrite } from "../support/fakes/repository.ts";
import { FIELDS, type Field, pictureOf, type Said, type Sight, sightOf, tokensIn } from "./content.ts";
import type { PortCall } from "./ports.ts";

/** What a cluster holds at one instant. */
export interface Holding {
  readonly amkoCluster: LiveObject | null;
  readonly objects: Readonly<Record<FederatedKind, readonly LiveObject[]>>;
  readonly records: Records;
  readonly configMap: Readonly<Record<string, string>> | null;
}

/** What a pass knows. */
export interface Seen {
  /** Where the branch is, as it was told first. */
  readonly listed: CommitId | null;
  /** The same, once it has read what that revision says; null where it could not. */
  readonly head: CommitId | null;
  /** As it read them last. */
  readonly amkoCluster: LiveObject | null;
  readonly records: Records | null;
  /** AMKO's own federator runs here. */
  readonly federator: boolean;
  /** The request was sent long ago: since then the cluster may have left its office. */
  readonly late: boolean;
  /** When the pass began, as the ledger counts. */
  readonly began: number;
}

export const NOTHING_SEEN: Seen = {
  listed: null,
  head: null,
  amkoCluster: null,
  records: null,
  federator: false,
  late: false,
  began: 0,
};

/** One write of an agent that took effect in its cluster. */
export interface ClusterChange {
  readonly kind: "cluster";
  readonly at: string;
  readonly call: PortCall;
  readonly before: Holding;
  readonly after: Holding;
  readonly seen: Seen;
}

/** One ref that an agent moved. */
export interface RefChange {
  readonly kind: "ref";
  readonly write: RefWrite;
  readonly seen: Seen;
}

export type Change = ClusterChange | RefChange;

/** What was seen of one cluster so far. */
export interface ClusterLedger {
  holding: Holding;
  /** When it held what last, by digest; `none` stands for nothing. */
  readonly held: Readonly<Record<FederatedKind, Map<string, number>>>;
  /** The objects as they were when there were any. */
  last: Readonly<Record<FederatedKind, readonly LiveObject[]>>;
  /** Fields that a person wrote here, and tokens of older revisions among what they wrote. */
  readonly touched: Set<string>;
  readonly rewritten: Set<string>;
  /** Values that its fields ever had. */
  readonly values: Set<string>;
  /** What a person wrote last into a field while the cluster was in office, by the field's name. */
  readonly lastWrites: Map<string, { readonly value: string | undefined; readonly order: number }>;
  /** Since when an object is missing that a person deleted here. */
  gone: Readonly<Record<FederatedKind, { readonly atMs: number; readonly inOffice: boolean } | null>>;
  /** Its field says leader by a hand that was no agent's, or its claim was deleted under it. */
  leadsByOtherHand: boolean;
  /** The revision on which it took the office that it is in. */
  officeFrom: CommitId | null;
  claimed: { readonly order: number; readonly atMs: number } | null;
  /** When it was restored last: of what it exported before, it may know nothing. */
  restoredOrder: number;
  /** When the newest pass began that read the branch and came to its end. */
  readOrder: number;
  passesUnderWay: number;
  /** It was rebuilt, restored or installed anew while a pass was under way, which had read what was there before. */
  rebuiltInPass: boolean;
}

export interface Ledger {
  readonly remote: FakeRemote;
  readonly reader: Repository;
  readonly clusters: ReadonlyMap<string, ClusterLedger>;
  readonly fakes: ReadonlyMap<string, FakeCluster>;
  readonly sights: Map<CommitId, Sight>;
  /** Revisions of the tracked branch that were taken over. */
  readonly absorbed: Set<CommitId>;
  /** Everything that ever stood on the tracked branch. */
  readonly mainTokens: Set<string>;
  readonly mainDigests: Readonly<Record<FederatedKind, Set<string>>>;
  /** What people wrote, and nobody outside has destroyed since. */
  readonly owed: Set<string>;
  /** Who changed a field of the tracked branch last, by the field's name; `people`, or a cluster. */
  readonly given: Map<string, { readonly by: string; readonly order: number }>;
  readonly settings: AgentSettings;
  /** Counts everything that happens. */
  order: number;
  nowMs(): number;
}

export function createLedger(
  remote: FakeRemote,
  fakes: ReadonlyMap<string, FakeCluster>,
  settings: AgentSettings,
  nowMs: () => number,
): Ledger {
  const clusters = new Map(
    [...fakes].map(([name, fake]) => {
      const ledger: ClusterLedger = {
        holding: holdingOf(fake),
        held: { GSLBConfig: new Map(), GlobalDeploymentPolicy: new Map() },
        touched: new Set(),
        rewritten: new Set(),
        values: new Set(),
        lastWrites: new Map(),
        gone: { GSLBConfig: null, GlobalDeploymentPolicy: null },
        last: { GSLBConfig: [], GlobalDeploymentPolicy: [] },
        leadsByOtherHand: true,
        officeFrom: null,
        claimed: null,
        restoredOrder: -1,
        readOrder: -1,
        passesUnderWay: 0,
        rebuiltInPass: false,
      };
      return [name, ledger] as const;
    }),
  );
  return {
    remote,
    reader: remote.open(),
    clusters,
    fakes,
    sights: new Map(),
    absorbed: new Set(),
    mainTokens: new Set(),
    mainDigests: { GSLBConfig: new Set(), GlobalDeploymentPolicy: new Set() },
    owed: new Set(),
    given: new Map(),
    settings,
    order: 0,
    nowMs,
  };
}

export function holdingOf(fake: FakeCluster): Holding {
  const configMap = fake.configMap?.data ?? null;
  return {
    amkoCluster: fake.only("AMKOCluster"),
    objects: {
      GSLBConfig: fake.objects("GSLBConfig"),
      GlobalDeploymentPolicy: fake.objects("GlobalDeploymentPolicy"),
    },
    records: recordsOf(configMap),
    configMap,
  };
}

export function isLeading({ amkoCluster }: Holding): boolean {
  const spec = amkoCluster?.spec;
  return typeof spec === "object" && spec !== null && "isLeader" in spec && spec.isLeader === true;
}

/** Takes over what stands in a cluster now. */
export function absorbCluster(ledger: Ledger, at: string): void {
  const cluster = clusterOf(ledger, at);
  noteHeld(ledger, cluster);
  cluster.holding = holdingOf(fakeOf(ledger, at));
  noteHeld(ledger, cluster);
  for (const kind of FEDERATED_KINDS) {
    const objects = cluster.holding.objects[kind];
    if (objects.length > 0) {
      cluster.gone = { ...cluster.gone, [kind]: null };
      cluster.last = { ...cluster.last, [kind]: objects };
    }
    for (const object of objects) {
      const { content } = pictureOf(object);
      for (const field of FIELDS)
        if (field.kind === kind) cluster.values.add(valueKey(field, field.read(content.spec)));
    }
  }
  if (!isInOffice(ledger, at)) cluster.lastWrites.clear();
  const isRightful = isInOffice(ledger, at) && isDesignated(ledger, at);
  if (!isLeading(cluster.holding) || isRightful) cluster.leadsByOtherHand = false;
}

/** What stands in a cluster was held until now. */
function noteHeld({ order }: Ledger, { held, holding }: ClusterLedger): void {
  for (const kind of FEDERATED_KINDS) {
    const objects = holding.objects[kind];
    if (objects.length === 0) held[kind].set("none", order);
    for (const object of objects) held[kind].set(pictureOf(object).digest, order);
  }
}

function isDesignated(ledger: Ledger, at: string): boolean {
  const head = ledger.remote.branch("main");
  const leadership = head === null ? undefined : ledger.sights.get(head)?.view.leadership;
  return leadership === undefined || (leadership.kind === "leader" && leadership.cluster === at);
}

/** Recorded under this AMKOCluster, with the very claim that stands in git. */
export function isInOffice(ledger: Ledger, at: string): boolean {
  const { amkoCluster, records } = clusterOf(ledger, at).holding;
  const { office } = records;
  if (office === null || office.amkoClusterUid !== amkoCluster?.metadata.uid) return false;
  return ledger.remote.branch(`amko/leading/${at}`) === office.claim;
}

/** In office, or its claim was deleted under it: nobody else has taken the office, so it claims afresh and goes on. */
export function holdsOffice(ledger: Ledger, at: string): boolean {
  const { office } = clusterOf(ledger, at).holding.records;
  const claim = ledger.remote.branch(`amko/leading/${at}`);
  return office !== null && (claim === null || claim === office.claim);
}

/** Takes over what is new on the tracked branch. */
export async function absorbMain(ledger: Ledger): Promise<void> {
  const waiting = [ledger.remote.branch("main")].filter((head) => head !== null);
  for (const commit of waiting) {
    if (ledger.absorbed.has(commit)) continue;
    ledger.absorbed.add(commit);
    const sight = await lookAt(ledger, commit);
    for (const kind of FEDERATED_KINDS) {
      const said = sight.kinds[kind];
      if (said === null) continue;
      for (const one of said.tokens) ledger.mainTokens.add(one);
      if (said.kind === "present") ledger.mainDigests[kind].add(said.digest);
    }
    waiting.push(...sight.parents);
  }
  // A claim belongs to one designation: the wait for others begins anew with the next one.
  for (const [name, cluster] of ledger.clusters) {
    // A pass that is under way goes on with the branch as it read it.
    if (cluster.passesUnderWay === 0 && !isDesignated(ledger, name)) cluster.claimed = null;
  }
}

/** A field's value, as {@link ClusterLedger.values} has it. */
export function valueKey(field: Field, value: string | undefined): string {
  return `${field.name} ${value ?? ""}`;
}

/** Remembers who changed which fields of the tracked branch on the way from one revision to another. */
export async function absorbGiven(ledger: Ledger, from: CommitId, to: CommitId, by: string): Promise<void> {
  if (from === to) return;
  for (const kind of FEDERATED_KINDS) {
    const past = await newestUsable(ledger, kind, from);
    const said = await newestUsable(ledger, kind, to);
    for (const field of FIELDS) {
      if (field.kind !== kind || past === null || said === null) continue;
      const isChanged = field.read(past.content.spec) !== field.read(said.content.spec);
      if (isChanged || past.kind !== said.kind) ledger.given.set(field.name, { by, order: ledger.order });
    }
  }
}

/** What a revision says; of the tracked branch it is remembered. */
export async function lookAt(ledger: Ledger, commit: CommitId): Promise<Sight> {
  const known = ledger.sights.get(commit);
  if (known !== undefined) return known;
  const sight = sightOf(await ledger.reader.read(commit, never));
  ledger.sights.set(commit, sight);
  return sight;
}

/** The newest content of a kind that can be used, from a revision backwards. */
export async function newestUsable(ledger: Ledger, kind: FederatedKind, from: CommitId): Promise<Said | null> {
  for await (const revision of ledger.reader.history({ from, until: null }, 500, never)) {
    const said = (await lookAt(ledger, revision.commit)).kinds[kind];
    if (said !== null) return said;
  }
  return null;
}

/** Whether what a person wrote stands anywhere where it can be found again. */
export function standsSomewhere(ledger: Ledger, wanted: string): boolean {
  if (ledger.mainTokens.has(wanted)) return true;
  for (const fake of ledger.fakes.values()) {
    for (const kind of FEDERATED_KINDS) {
      if (fake.objects(kind).some((object) => pictureOf(object).tokens.has(wanted))) return true;
    }
    if (rescuedIn(fake.configMap?.data).some(([, text]) => tokensIn(text).includes(wanted))) return true;
  }
  for (const [name, commit] of ledger.remote.branches()) {
    if (/^amko\/(?:rescue|propose)\//.test(name) && tokensOf(ledger, commit).includes(wanted)) return true;
  }
  return false;
}

/** What a rescue or a proposal itself brought: the rest of its tree is that of a parent, which may be gone tomorrow. */
export function tokensOf({ remote }: Ledger, commit: CommitId): readonly string[] {
  const { tree, parents } = remote.stored(commit);
  const before = parents[0] === undefined ? null : remote.stored(parents[0]).tree;
  const own = [...tree].filter(([path, { id }]) => before?.get(path)?.id !== id);
  return own.flatMap(([, { bytes }]) => tokensIn(new TextDecoder().decode(bytes)));
}

/** What an agent that may not push keeps in its ConfigMap. */
export function rescuedIn(data: Readonly<Record<string, string>> | null = {}): readonly (readonly [string, string])[] {
  return Object.entries(data ?? {}).filter(([key]) => key.startsWith("rescue."));
}

/** Where git may not be pushed to, only the newest rescue of a kind is kept; the one before it is given up. */
export function forgiveReplacedRescue(ledger: Ledger, before: Holding, after: Holding): void {
  for (const [key, text] of rescuedIn(before.configMap)) {
    if (after.configMap?.[key] === undefined || after.configMap[key] === text) continue;
    for (const one of tokensIn(text)) ledger.owed.delete(one);
  }
}

/** After somebody from outside did something: what he destroyed is no agent's fault. */
export function forgive(ledger: Ledger): void {
  for (const one of [...ledger.owed]) if (!standsSomewhere(ledger, one)) ledger.owed.delete(one);
}

export function clusterOf(ledger: Ledger, name: string): ClusterLedger {
  const found = ledger.clusters.get(name);
  if (found === undefined) throw new Error(`there is no cluster ${name}`);
  return found;
}

export function fakeOf(ledger: Ledger, name: string): FakeCluster {
  const found = ledger.fakes.get(name);
  if (found === undefined) throw new Error(`there is no cluster ${name}`);
  return found;
}

export function isFederated(kind: AmkoKind | string): kind is FederatedKind {
  return kind === "GSLBConfig" || kind === "GlobalDeploymentPolicy";
}

function recordsOf(data: Readonly<Record<string, string>> | null): Records {
  if (data === null) return parseRecords({});
  let found = parsed.get(data);
  if (found === undefined) {
    found = parseRecords(data);
    parsed.set(data, found);
  }
  return found;
}

const parsed = new WeakMap<object, Records>();
const never = new AbortController().signal;
