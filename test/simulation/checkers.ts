import { parseMessage, TRAILERS, trailerValues } from "../../src/core/message.ts";
import {
  BASE_ANNOTATION,
  type ClusterName,
  type CommitId,
  FEDERATED_KINDS,
  type FederatedKind,
  HANDOVER_WITHOUT_ANNOTATION,
  type LiveObject,
} from "../../src/core/model.ts";
import { parseRevision } from "../../src/core/records.ts";
import { FIELDS, pictureOf, tokensIn } from "./content.ts";
import {
  type Change,
  type ClusterChange,
  clusterOf,
  fakeOf,
  type Holding,
  holdsOffice,
  isInOffice,
  isLeading,
  type Ledger,
  lookAt,
  newestUsable,
  type RefChange,
  standsSomewhere,
  valueKey,
} from "./ledger.ts";

export const GRACE_MS = 30_000;

/** An invariant that every single write of an agent has to keep. */
export interface Checker {
  readonly name: string;
  /** What is wrong; null when nothing is. `ledger` shows the world's past up to just before the write. */
  check(change: Change, ledger: Ledger): Promise<string | null>;
}

export const CHECKERS: readonly Checker[] = [
  { name: "a deposed leader never lands an export", check: onRef(fence) },
  { name: "no two local objects say leader at once", check: onCluster(oneLeader) },
  { name: "nothing is deleted without a tombstone", check: onCluster(noDeletion) },
  { name: "a tombstone tells what a person did", check: onRef(noTombstone) },
  { name: "nothing that a person wrote is lost", check: nothingLost },
  { name: "base and acknowledgement are never ahead of the cluster", check: notAhead },
  { name: "no content by an agent's hand that never was on the branch", check: onCluster(provenance) },
  { name: "an export brings what people did here, and nothing else", check: onRef(honestExport) },
  { name: "an export names what it overrides", check: onRef(namedOverride) },
  { name: "a cluster's own export does not win over a newer edit", check: onCluster(newestEditWins) },
  { name: "in doubt about who leads, everything stays", check: onCluster(inDoubtHold) },
  { name: "who is not the cluster that the repository knows stands aside", check: strangerStandsAside },
];

function onRef(check: (change: RefChange, ledger: Ledger) => Promise<string | null>): Checker["check"] {
  return async (change, ledger) => (change.kind === "ref" ? check(change, ledger) : null);
}

function onCluster(check: (change: ClusterChange, ledger: Ledger) => Promise<string | null>): Checker["check"] {
  return async (change, ledger) => (change.kind === "cluster" ? check(change, ledger) : null);
}

async function fence({ write }: RefChange, ledger: Ledger): Promise<string | null> {
  if (write.branch !== "main") return null;
  const { to, by } = write;
  const [parent] = to === null ? [] : ledger.remote.stored(to).parents;
  if (parent === undefined || parent !== write.from) return `${by} did not push on top of the branch`;
  const { leadership } = (await lookAt(ledger, parent)).view;
  if (leadership.kind === "leader" && leadership.cluster === by) return null;
  return `${by} exported on top of ${parent.slice(0, 8)}, where it does not lead`;
}

async function oneLeader({ at, before, after, head }: ClusterChange, ledger: Ledger): Promise<string | null> {
  if (isLeading(before) || !isLeading(after)) return null;
  const { claimed } = clusterOf(ledger, at);
  const waited =
    ledger.handoverTimeoutMs !== null && claimed !== null && ledger.nowMs() - claimed.atMs >= ledger.handoverTimeoutMs;
  const without = head === null ? "" : await waitsWithout(ledger, at, head);
  for (const [other, found] of ledger.clusters) {
    if (other === at || !isLeading(found.holding) || found.leadsByOtherHand || without.includes(other)) continue;
    const couldNotRead = claimed !== null && found.readOrder < claimed.order;
    if (waited && couldNotRead) continue;
    return `${at} takes office while ${other} says leader`;
  }
  return null;
}

/** The clusters that a promotion need not wait for, as the revision says that it acts on. */
async function waitsWithout(ledger: Ledger, at: string, head: CommitId): Promise<string> {
  const manifest = (await lookAt(ledger, head)).view.manifests.get(at as ClusterName);
  return manifest?.annotations[HANDOVER_WITHOUT_ANNOTATION] ?? "";
}

async function noDeletion({ at, call, before, after, head }: ClusterChange, ledger: Ledger): Promise<string | null> {
  if (call.method !== "remove" || head === null) return null;
  for (const kind of FEDERATED_KINDS) {
    const left = after.objects[kind].map(({ metadata }) => metadata.name);
    for (const { metadata } of before.objects[kind]) {
      if (left.includes(metadata.name)) continue;
      const said = await newestUsable(ledger, kind, head);
      if (said?.kind === "deleted") continue;
      if (said?.kind === "present" && said.name !== metadata.name && left.includes(said.name)) continue;
      return `${at} deleted ${kind} ${metadata.name}, for which there was no tombstone`;
    }
  }
  return null;
}

async function noTombstone({ write }: RefChange, ledger: Ledger): Promise<string | null> {
  const { branch, by, from, to } = write;
  if (branch !== "main" || from === null || to === null) return null;
  for (const kind of FEDERATED_KINDS) {
    const past = await newestUsable(ledger, kind, from);
    const said = (await lookAt(ledger, to)).kinds[kind];
    if (said?.kind !== "deleted" || past?.kind === "deleted") continue;
    const gone = clusterOf(ledger, by).gone[kind];
    if (gone === null) return `${by} exported a tombstone for ${kind}, which nobody deleted there`;
    if (!gone.inOffice) return `${by} exported a tombstone for ${kind}, which was deleted before it came into office`;
    if (ledger.nowMs() - gone.atMs < GRACE_MS)
      return `${by} exported a tombstone for ${kind} before the grace was over`;
  }
  return null;
}

/** What a write took away has to stand somewhere else. Only what people wrote is looked for. */
async function nothingLost(change: Change, ledger: Ledger): Promise<string | null> {
  const wrote = change.kind === "ref" ? change.write.branch : change.call.subject;
  for (const one of takenAway(change, ledger)) {
    if (ledger.owed.has(one) && !standsSomewhere(ledger, one)) return `${one} is lost by a write of ${wrote}`;
  }
  return null;
}

function takenAway(change: Change, ledger: Ledger): readonly string[] {
  if (change.kind === "ref") {
    const { branch, from } = change.write;
    if (from === null || !/^amko\/(?:rescue|propose)\//.test(branch)) return [];
    const files = [...ledger.remote.stored(from).tree.values()];
    return files.flatMap(({ bytes }) => tokensIn(new TextDecoder().decode(bytes)));
  }
  const { before, after } = change;
  const objects = FEDERATED_KINDS.flatMap((kind) =>
    before.objects[kind]
      .filter((object) => !after.objects[kind].includes(object))
      .flatMap((object) => [...pictureOf(object).tokens]),
  );
  return before.configMap === after.configMap
    ? objects
    : [...objects, ...Object.values(before.configMap ?? {}).flatMap(tokensIn)];
}

async function notAhead(change: Change, ledger: Ledger): Promise<string | null> {
  return change.kind === "ref" ? acknowledgedTooEarly(change, ledger) : recordedTooEarly(change, ledger);
}

async function acknowledgedTooEarly({ write }: RefChange, ledger: Ledger): Promise<string | null> {
  const [, purpose, cluster = ""] = write.branch.split("/");
  if (purpose !== "applied" || write.to === null) return null;
  // What a pass has seen in its cluster may be gone before it can say so.
  if (ledger.clusters.get(cluster)?.rebuiltInPass === true) return null;
  for (const kind of FEDERATED_KINDS) {
    const wrong = await missing(ledger, cluster, kind, write.to);
    if (wrong !== null) return `acknowledged too early: ${wrong}`;
  }
  return null;
}

async function recordedTooEarly(change: ClusterChange, ledger: Ledger): Promise<string | null> {
  for (const kind of FEDERATED_KINDS) {
    for (const revision of newBases(change, kind)) {
      const wrong = await missing(ledger, change.at, kind, revision, change);
      if (wrong !== null) return `recorded too early: ${wrong}`;
    }
  }
  return null;
}

/** Revisions that a write made the base of a kind, on the object or in the ConfigMap. */
function newBases({ before, after }: ClusterChange, kind: FederatedKind): readonly CommitId[] {
  const baseOf = ({ metadata }: LiveObject): CommitId | null =>
    parseRevision(metadata.annotations?.[BASE_ANNOTATION] ?? "");
  const bases = after.objects[kind]
    .filter((object) => {
      const past = before.objects[kind].find(({ metadata }) => metadata.name === object.metadata.name);
      return past === undefined || baseOf(past) !== baseOf(object);
    })
    .map(baseOf);
  const record = after.records.bases[kind]?.revision ?? null;
  const recorded = record === before.records.bases[kind]?.revision ? [] : [record];
  return [...bases, ...recorded].filter((revision) => revision !== null);
}

/**
 * Why a cluster has not held a revision's content of a kind. A leader that merged holds it too: where its object says
 * something else, a person wrote that there.
 */
async function missing(
  ledger: Ledger,
  at: string,
  kind: FederatedKind,
  revision: CommitId,
  change?: ClusterChange,
): Promise<string | null> {
  const said = (await lookAt(ledger, revision)).kinds[kind];
  if (said === null) return null;
  const { held, touched, holding } = clusterOf(ledger, at);
  const now = (change?.after ?? holding).objects[kind];
  if (said.kind === "deleted") {
    // Where git has a tombstone, an object that never came from git stays, also while a leader begins to export it.
    const past = (change?.before ?? holding).objects[kind];
    const stays = past.every(({ metadata }) => metadata.annotations?.[BASE_ANNOTATION] === undefined);
    return held[kind].has("none") || stays ? null : `${at} still has its ${kind}`;
  }
  if (held[kind].has(said.digest) || now.some((object) => pictureOf(object).digest === said.digest)) return null;
  const merged = now.some((object) =>
    FIELDS.every(
      (field) =>
        field.kind !== kind ||
        field.read(pictureOf(object).content.spec) === field.read(said.content.spec) ||
        touched.has(field.name),
    ),
  );
  return merged ? null : `${at} never held the ${kind} of ${revision.slice(0, 8)}`;
}

async function provenance({ at, before, after, head }: ClusterChange, ledger: Ledger): Promise<string | null> {
  for (const kind of FEDERATED_KINDS) {
    for (const object of after.objects[kind]) {
      const { digest, tokens } = pictureOf(object);
      const past = before.objects[kind].find(({ metadata }) => metadata.name === object.metadata.name);
      if ((past !== undefined && pictureOf(past).digest === digest) || ledger.mainDigests[kind].has(digest)) continue;
      if (!holdsOffice(ledger, at)) return `${at} wrote a ${kind} that never stood on the branch`;
      const mine = past === undefined ? new Set<string>() : pictureOf(past).tokens;
      const theirs = head === null ? null : await newestUsable(ledger, kind, head);
      const made = [...tokens].find((one) => !mine.has(one) && theirs?.tokens.has(one) !== true);
      if (made !== undefined) return `${at} merged ${made} into its ${kind}, which stood on neither side`;
    }
  }
  return null;
}

async function honestExport({ write }: RefChange, ledger: Ledger): Promise<string | null> {
  const { branch, by, from, to } = write;
  if (branch !== "main" || from === null || to === null) return null;
  const { touched, rewritten } = clusterOf(ledger, by);
  for (const kind of FEDERATED_KINDS) {
    const past = await newestUsable(ledger, kind, from);
    const said = (await lookAt(ledger, to)).kinds[kind];
    // What was edited here stays as a whole where git deleted it: there is nothing to merge it with.
    if (said?.kind !== "present" || past?.kind !== "present" || said.digest === past.digest) continue;
    const old = [...said.tokens].find(
      (one) => !past.tokens.has(one) && ledger.mainTokens.has(one) && !rewritten.has(one),
    );
    if (old !== undefined) return `${by} brought ${old} back, an older state that nobody wrote there`;
    const undone = FIELDS.find(
      (field) =>
        field.kind === kind &&
        !touched.has(field.name) &&
        field.read(past.content.spec) !== field.read(said.content.spec),
    );
    if (undone !== undefined) return `${by} changed ${undone.name} of git, which nobody touched there`;
  }
  return null;
}

/** Git's value was never here, so both sides changed it: the commit that loses is named. */
async function namedOverride({ write }: RefChange, ledger: Ledger): Promise<string | null> {
  const { branch, by, from, to } = write;
  if (branch !== "main" || from === null || to === null) return null;
  const { values } = clusterOf(ledger, by);
  const isNamed = trailerValues(parseMessage(ledger.remote.stored(to).message), TRAILERS.supersedes).length > 0;
  const { kinds } = await lookAt(ledger, from);
  for (const field of FIELDS) {
    // A file that is missing or unusable is healed, and a value that is taken away leaves nothing to look for.
    const past = kinds[field.kind];
    const said = (await lookAt(ledger, to)).kinds[field.kind];
    if (isNamed || past?.kind !== "present" || said?.kind !== "present") continue;
    const lost = field.read(past.content.spec);
    if (lost === undefined || lost === field.read(said.content.spec)) continue;
    if (!values.has(valueKey(field, lost))) return `${by} overrode ${field.name} ${lost} of git and does not say so`;
  }
  return null;
}

async function newestEditWins({ at, before, after }: ClusterChange, ledger: Ledger): Promise<string | null> {
  const { lastWrites } = clusterOf(ledger, at);
  if (!isInOffice(ledger, at)) return null;
  for (const field of FIELDS) {
    const wrote = lastWrites.get(field.name);
    const [past] = before.objects[field.kind];
    const [now] = after.objects[field.kind];
    if (wrote === undefined || past === undefined || now === undefined) continue;
    const [was, is] = [past, now].map((object) => field.read(pictureOf(object).content.spec));
    const given = ledger.given.get(field.name);
    if (was !== wrote.value || is === was || given?.by !== at || given.order >= wrote.order) continue;
    // In a cluster that is new to the federation, what git says wins, after a rescue.
    if (!hasBase(before, field.kind, past)) continue;
    return `${at} put ${field.name} back to its own older export ${is ?? "(nothing)"}, over ${was ?? "(nothing)"}`;
  }
  return null;
}

/** The object, or the ConfigMap under this AMKOCluster, tells what the cluster held of the kind. */
function hasBase({ amkoCluster, records }: Holding, kind: FederatedKind, { metadata }: LiveObject): boolean {
  const recorded = records.bases[kind]?.amkoClusterUid;
  const counts = recorded !== undefined && recorded === amkoCluster?.metadata.uid;
  return counts || metadata.annotations?.[BASE_ANNOTATION] !== undefined;
}

async function inDoubtHold({ at, before, after, head }: ClusterChange, ledger: Ledger): Promise<string | null> {
  if (head === null) return null;
  const { leadership } = (await lookAt(ledger, head)).view;
  if (leadership.kind === "leader") return null;
  const isDoubtful = leadership.kind === "conflict" || leadership.kind === "unknown";
  if (isLeading(after) !== isLeading(before) && (isDoubtful || isLeading(after))) {
    return `${at} changed isLeader while leadership is ${leadership.kind}`;
  }
  for (const kind of FEDERATED_KINDS) {
    const [was, is] = [before, after].map(({ objects }) => objects[kind].map((one) => pictureOf(one).digest).join());
    if (was !== is) return `${at} changed its ${kind} while leadership is ${leadership.kind}`;
  }
  return null;
}

async function strangerStandsAside(change: Change, ledger: Ledger): Promise<string | null> {
  const at = change.kind === "ref" ? change.write.by : change.at;
  const identity = ledger.remote.branch(`amko/identity/${at}`);
  const namespace = await fakeOf(ledger, at).readNamespace(never);
  if (identity === null || namespace === null || clusterOf(ledger, at).rebuiltInPass) return null;
  const [file] = ledger.remote.stored(identity).tree.values();
  if (new TextDecoder().decode(file?.bytes).includes(JSON.stringify(namespace.uid))) return null;
  if (change.kind === "ref") return `${at}, which is another cluster now, wrote ${change.write.branch}`;
  const { subject } = change.call;
  if (subject === "AMKOCluster" && !isLeading(change.after)) return null;
  return isLeading(change.before) && subject === "AMKOCluster" && change.call.method === "patchStatus"
    ? null
    : `${at}, which is another cluster now, wrote its ${subject}`;
}

const never = new AbortController().signal;
