import {
  BASE_ANNOTATION,
  type CommitId,
  FEDERATED_KINDS,
  type FederatedKind,
  type LiveObject,
} from "../../src/core/model.ts";
import { parseRevision } from "../../src/core/records.ts";
import { FIELDS, pictureOf } from "./content.ts";
import { type Change, type ClusterChange, clusterOf, type Ledger, lookAt, type RefChange } from "./ledger.ts";

export async function notAhead(change: Change, ledger: Ledger): Promise<string | null> {
  return change.kind === "ref" ? acknowledgedTooEarly(change, ledger) : recordedTooEarly(change, ledger);
}

async function acknowledgedTooEarly({ write, seen: { began } }: RefChange, ledger: Ledger): Promise<string | null> {
  const [, purpose, cluster = ""] = write.branch.split("/");
  if (purpose !== "applied" || write.to === null) return null;
  // What a pass has seen in its cluster may be gone before it can say so.
  if (ledger.clusters.get(cluster)?.rebuiltInPass === true) return null;
  for (const kind of FEDERATED_KINDS) {
    const wrong = await missing(ledger, cluster, kind, write.to, began);
    if (wrong !== null) return `acknowledged too early: ${wrong}`;
  }
  return null;
}

async function recordedTooEarly(change: ClusterChange, ledger: Ledger): Promise<string | null> {
  for (const kind of FEDERATED_KINDS) {
    for (const revision of newBases(change, kind)) {
      const wrong = await missing(ledger, change.at, kind, revision, change.seen.began, change);
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
 * Why a cluster has not held a revision's content of a kind since the pass began that says so. A leader that merged holds it too: where its object says
 * something else, a person wrote that there.
 */
async function missing(
  ledger: Ledger,
  at: string,
  kind: FederatedKind,
  revision: CommitId,
  began: number,
  change?: ClusterChange,
): Promise<string | null> {
  const said = (await lookAt(ledger, revision)).kinds[kind];
  if (said === null) return null;
  const { held, touched, holding, last } = clusterOf(ledger, at);
  const now = (change?.after ?? holding).objects[kind];
  const wasHeld = (digest: string): boolean =>
    (held[kind].get(digest) ?? -1) >= began || holding.objects[kind].some((one) => pictureOf(one).digest === digest);
  if (said.kind === "deleted") {
    // Where git has a tombstone, an object that never came from git stays, also while a leader begins to export it.
    const past = (change?.before ?? holding).objects[kind];
    const stays = past.every(({ metadata }) => metadata.annotations?.[BASE_ANNOTATION] === undefined);
    return wasHeld("none") || stays ? null : `${at} still has its ${kind}`;
  }
  if (wasHeld(said.digest) || now.some((object) => pictureOf(object).digest === said.digest)) return null;
  // It may be deleted by now.
  const merged = (now.length === 0 ? last[kind] : now).some((object) =>
    FIELDS.every(
      (field) =>
        field.kind !== kind ||
        field.read(pictureOf(object).content.spec) === field.read(said.content.spec) ||
        touched.has(field.name),
    ),
  );
  return merged ? null : `${at} never held the ${kind} of ${revision.slice(0, 8)}`;
}
