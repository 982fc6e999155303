import { FEDERATED_KINDS } from "../../src/core/model.ts";
import { pictureOf, tokensIn } from "./content.ts";
import { type Change, type ClusterChange, holdsOffice, type Ledger, newestUsable, standsSomewhere } from "./ledger.ts";

export async function noDeletion(
  { at, call, before, after, head }: ClusterChange,
  ledger: Ledger,
): Promise<string | null> {
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

export async function provenance({ at, before, after, head }: ClusterChange, ledger: Ledger): Promise<string | null> {
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
