import { parseMessage, TRAILERS, trailerValues } from "../../src/core/message.ts";
import {
  BASE_ANNOTATION,
  type CommitId,
  FEDERATED_KINDS,
  type FederatedKind,
  type LiveObject,
} from "../../src/core/model.ts";
import { parseCommitId, parseRevision } from "../../src/core/records.ts";
import { FIELDS, pictureOf } from "./content.ts";
import {
  type ClusterChange,
  clusterOf,
  type Holding,
  isInOffice,
  isLeading,
  type Ledger,
  lookAt,
  newestUsable,
  type RefChange,
  valueKey,
} from "./ledger.ts";

const GRACE_MS = 30_000;

export async function fence({ write, seen }: RefChange, ledger: Ledger): Promise<string | null> {
  const { branch, to, by } = write;
  if (branch !== "main" && (to === null || branch !== proposalOf(by))) return null;
  const [parent] = to === null ? [] : ledger.remote.stored(to).parents;
  if (parent === undefined || (branch === "main" && parent !== write.from))
    return `${by} did not push on top of the branch`;
  const { leadership } = (await lookAt(ledger, parent)).view;
  if (leadership.kind === "leader" && leadership.cluster === by) return null;
  if (branch === "main" && to !== null && (await isAskedFlip(ledger, { write, seen }, parent, to))) return null;
  return `${by} exported on top of ${parent.slice(0, 8)}, where it does not lead`;
}

function proposalOf(cluster: string): string {
  return `amko/propose/${cluster}/config`;
}

/** What a leader's push says, and on top of what: the tracked branch moves, or its proposal does. Null for any other. */
export function exportOf(
  { write: { branch, by, from, to } }: RefChange,
  ledger: Ledger,
): { readonly by: string; readonly from: CommitId; readonly to: CommitId } | null {
  if (to === null || (branch !== "main" && branch !== proposalOf(by))) return null;
  const base = branch === "main" ? from : (ledger.remote.stored(to).parents[0] ?? null);
  return base === null ? null : { by, from: base, to };
}

/** With `--local-designation commit`, what somebody set by hand becomes a flip to that very cluster, and nothing else. */
async function isAskedFlip(
  ledger: Ledger,
  { write: { by }, seen }: Pick<RefChange, "write" | "seen">,
  from: CommitId,
  to: CommitId,
): Promise<boolean> {
  const { leadsByOtherHand, holding } = clusterOf(ledger, by);
  // A flip that was given up may land after its agent has put the field back.
  const led = leadsByOtherHand || (seen.late && isLeading({ ...holding, amkoCluster: seen.amkoCluster }));
  if (ledger.settings.localDesignation !== "commit" || !led) return false;
  const [before, after] = [from, to].map((commit) => ledger.remote.stored(commit).tree);
  const paths = [...new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])];
  const onlyManifests = paths.every(
    (path) => before?.get(path)?.id === after?.get(path)?.id || path.startsWith("clusters/"),
  );
  const { leadership } = (await lookAt(ledger, to)).view;
  return onlyManifests && leadership.kind === "leader" && leadership.cluster === by;
}

export async function noTombstone(change: RefChange, ledger: Ledger): Promise<string | null> {
  const made = exportOf(change, ledger);
  if (made === null) return null;
  const { by, from, to } = made;
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

export async function honestExport(change: RefChange, ledger: Ledger): Promise<string | null> {
  const made = exportOf(change, ledger);
  if (made === null) return null;
  const { by, from, to } = made;
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
export async function namedOverride(change: RefChange, ledger: Ledger): Promise<string | null> {
  const made = exportOf(change, ledger);
  if (made === null) return null;
  const { by, from, to } = made;
  const { values } = clusterOf(ledger, by);
  const named = trailerValues(parseMessage(ledger.remote.stored(to).message), TRAILERS.supersedes)
    .map((text) => parseRevision(text) ?? parseCommitId(text))
    .filter((commit) => commit !== null);
  const { kinds } = await lookAt(ledger, from);
  for (const field of FIELDS) {
    // A file that is missing or unusable is healed, and a value that is taken away leaves nothing to look for.
    const past = kinds[field.kind];
    const said = (await lookAt(ledger, to)).kinds[field.kind];
    if (past?.kind !== "present" || said?.kind !== "present") continue;
    const lost = field.read(past.content.spec);
    if (lost === undefined || lost === field.read(said.content.spec)) continue;
    if (values.has(valueKey(field, lost))) continue;
    const gave = await Promise.all(named.map((commit) => newestUsable(ledger, field.kind, commit)));
    const isNamed = gave.some(
      (one) => one !== null && (one.kind === "deleted" || field.read(one.content.spec) === lost),
    );
    if (!isNamed) return `${by} overrode ${field.name} ${lost} of git and does not say so`;
  }
  return null;
}

export async function newestEditWins(
  { at, before, after, seen }: ClusterChange,
  ledger: Ledger,
): Promise<string | null> {
  const { lastWrites, restoredOrder } = clusterOf(ledger, at);
  if (!isInOffice(ledger, at)) return null;
  for (const field of FIELDS) {
    const wrote = lastWrites.get(field.name);
    const [past] = before.objects[field.kind];
    const [now] = after.objects[field.kind];
    if (wrote === undefined || past === undefined || now === undefined) continue;
    const [was, is] = [past, now].map((object) => field.read(pictureOf(object).content.spec));
    const given = ledger.given.get(field.name);
    if (was !== wrote.value || is === was || given?.by !== at || given.order >= wrote.order) continue;
    if (given.order < restoredOrder) continue;
    // In a cluster that is new to the federation, or whose base is gone from the branch, git wins, after a rescue.
    if (!(await hasBase(before, field.kind, past, seen.head, ledger))) continue;
    return `${at} put ${field.name} back to its own older export ${is ?? "(nothing)"}, over ${was ?? "(nothing)"}`;
  }
  return null;
}

/** The object, or the ConfigMap under this AMKOCluster, tells what the cluster held of the kind, and git still has it. */
async function hasBase(
  { amkoCluster, records }: Holding,
  kind: FederatedKind,
  { metadata }: LiveObject,
  head: CommitId | null,
  ledger: Ledger,
): Promise<boolean> {
  const noted = parseRevision(metadata.annotations?.[BASE_ANNOTATION] ?? "");
  const recorded = records.bases[kind];
  const counts = recorded !== null && recorded.amkoClusterUid === amkoCluster?.metadata.uid;
  const revision = noted ?? (counts ? recorded.revision : null);
  if (revision === null || head === null) return counts || noted !== null;
  return (await ledger.reader.relation(revision, head, never)) !== "unrelated";
}

const never = new AbortController().signal;
