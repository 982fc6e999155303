import { FEDERATED_KINDS, type FederatedKind, type LiveObject, UUID_ANNOTATION } from "../../src/core/model.ts";
import { exportOf } from "./check-exports.ts";
import { pictureOf, tokensIn } from "./content.ts";
import {
  type Change,
  type ClusterChange,
  clusterOf,
  holdsOffice,
  type Ledger,
  lookAt,
  newestUsable,
  rescuedIn,
  standsSomewhere,
  tokensOf,
} from "./ledger.ts";

export async function noDeletion(
  { at, call, before, after, seen: { head } }: ClusterChange,
  ledger: Ledger,
): Promise<string | null> {
  if (call.method !== "remove" || head === null) return null;
  for (const kind of FEDERATED_KINDS) {
    const left = after.objects[kind].map(({ metadata }) => metadata.name);
    for (const { metadata } of before.objects[kind]) {
      if (left.includes(metadata.name)) continue;
      const said = await newestUsable(ledger, kind, head);
      if (said?.kind === "deleted") continue;
      // A backup that comes between the new object and the end of the old one brings back even the versions: nothing
      // that a request carries can tell. The next pass creates the new one again.
      const isRenamed = said?.kind === "present" && said.name !== metadata.name;
      if (isRenamed && (left.includes(said.name) || clusterOf(ledger, at).rebuiltInPass)) continue;
      return `${at} deleted ${kind} ${metadata.name}, for which there was no tombstone`;
    }
  }
  return null;
}

/** What a write took away has to stand somewhere else. Only what people wrote is looked for. */
export async function nothingLost(change: Change, ledger: Ledger): Promise<string | null> {
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
    return tokensOf(ledger, from);
  }
  const { before, after } = change;
  const objects = FEDERATED_KINDS.flatMap((kind) =>
    before.objects[kind]
      .filter((object) => !after.objects[kind].includes(object))
      .flatMap((object) => [...pictureOf(object).tokens]),
  );
  if (before.configMap === after.configMap) return objects;
  const kept = rescuedIn(before.configMap).filter(([key]) => after.configMap?.[key] === undefined);
  return [...objects, ...kept.flatMap(([, text]) => tokensIn(text))];
}

/** AMKO's identity at the Avi controller: an agent brings it, and never takes it. */
export async function uuidStays(change: Change, ledger: Ledger): Promise<string | null> {
  const lost = `lost AMKO's UUID by a write of`;
  if (change.kind === "cluster") {
    const uuids = new Map(change.before.objects.GSLBConfig.map(({ metadata }) => [metadata.name, uuidIn(metadata)]));
    const bare = change.after.objects.GSLBConfig.find(({ metadata }) => uuidIn(metadata) === undefined);
    return bare !== undefined && uuids.get(bare.metadata.name) !== undefined
      ? `${change.at} ${lost} ${bare.metadata.name}`
      : null;
  }
  const made = exportOf(change, ledger);
  if (made === null) return null;
  const { by, from, to } = made;
  const [past, said] = [(await lookAt(ledger, from)).kinds.GSLBConfig, (await lookAt(ledger, to)).kinds.GSLBConfig];
  if (past?.kind !== "present" || said?.kind !== "present") return null;
  return uuidIn(past.content) !== undefined && uuidIn(said.content) === undefined ? `${by} ${lost} the branch` : null;
}

function uuidIn({ annotations }: { readonly annotations?: Readonly<Record<string, string>> }): string | undefined {
  return annotations?.[UUID_ANNOTATION];
}

export async function provenance(change: ClusterChange, ledger: Ledger): Promise<string | null> {
  for (const kind of FEDERATED_KINDS) {
    for (const object of change.after.objects[kind]) {
      const wrong = await strangeContent(change, kind, object, ledger);
      if (wrong !== null) return wrong;
    }
  }
  return null;
}

async function strangeContent(
  { at, before, seen }: ClusterChange,
  kind: FederatedKind,
  object: LiveObject,
  ledger: Ledger,
): Promise<string | null> {
  const { digest, tokens } = pictureOf(object);
  const past = before.objects[kind].find(({ metadata }) => metadata.name === object.metadata.name);
  if ((past !== undefined && pictureOf(past).digest === digest) || ledger.mainDigests[kind].has(digest)) return null;
  if (!seen.late && !holdsOffice(ledger, at)) return `${at} wrote a ${kind} that never stood on the branch`;
  const mine = past === undefined ? new Set<string>() : pictureOf(past).tokens;
  const theirs = seen.head === null ? null : await newestUsable(ledger, kind, seen.head);
  const made = [...tokens].find((one) => !mine.has(one) && theirs?.tokens.has(one) !== true);
  return made === undefined ? null : `${at} merged ${made} into its ${kind}, which stood on neither side`;
}
