import { isObject } from "../../src/core/json.ts";
import { ACCEPT_REWRITE_ANNOTATION, type ClusterName, FEDERATED_KINDS } from "../../src/core/model.ts";
import { parseCommitId } from "../../src/core/records.ts";
import { judgeHistory } from "../../src/core/rewrite.ts";
import { readSuspension } from "../../src/core/suspension.ts";
import { exportOf } from "./check-exports.ts";
import { pictureOf } from "./content.ts";
import { type Change, type ClusterChange, type Ledger, lookAt } from "./ledger.ts";

/** Whoever cannot read the branch changes nothing. */
export async function nothingWithoutGit(change: Change): Promise<string | null> {
  return change.seen.head === null ? forbidden(change, "cannot read the branch") : null;
}

export async function nothingWhileSuspended(change: Change, ledger: Ledger): Promise<string | null> {
  const suspension = readSuspension(change.seen.amkoCluster?.metadata.annotations);
  if (suspension === null || !(Date.parse(suspension.until) > ledger.nowMs())) return null;
  return forbidden(change, "is suspended");
}

/** Whoever judged a head goes on only to what descends from it, or to what a person accepted. */
export async function nothingWhileHalted(change: Change, ledger: Ledger): Promise<string | null> {
  const { head, records, amkoCluster } = change.seen;
  // Without an AMKOCluster an agent judges no history: it only gives up a claim that nobody could use here.
  if (head === null || records === null || amkoCluster === null) return null;
  if (ledger.settings.historyRewrite === "follow") return null;
  const accepted = parseCommitId(amkoCluster.metadata.annotations?.[ACCEPT_REWRITE_ANNOTATION] ?? "");
  const verdict = await judgeHistory({ before: records.head, head, accepted }, (ancestor, descendant) =>
    ledger.reader.relation(ancestor, descendant, never),
  );
  return verdict.kind === "halted" ? forbidden(change, "judged a head that is gone from the branch") : null;
}

/** At another version than its manifest's a cluster takes nothing and gives nothing. */
export async function nothingAtAnotherVersion(change: Change, ledger: Ledger): Promise<string | null> {
  const { head, amkoCluster } = change.seen;
  if (head === null || amkoCluster === null) return null;
  const at = change.kind === "ref" ? change.write.by : change.at;
  const manifest = (await lookAt(ledger, head)).view.manifests.get(at as ClusterName);
  const version = isObject(amkoCluster.spec) ? amkoCluster.spec["version"] : undefined;
  if (manifest === undefined || version === manifest.version) return null;
  const isHarmful = change.kind === "ref" ? exportOf(change, ledger) !== null : changesContent(change);
  return isHarmful ? `${at} runs ${version}, not ${manifest.version}, and wrote ${subjectOf(change)}` : null;
}

/** AMKO's own federator pushes past git, and what it brought must not be taken for people's changes. */
export async function nothingBesideFederator(change: Change, ledger: Ledger): Promise<string | null> {
  const made = change.kind === "ref" && change.seen.federator ? exportOf(change, ledger) : null;
  if (made === null) return null;
  const { by, from, to } = made;
  const [before, after] = [from, to].map((commit) => ledger.remote.stored(commit).tree);
  // A flip that somebody asked for by hand is no export.
  const paths = [...new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])];
  const exports = paths.some(
    (path) => path.startsWith("federation/") && before?.get(path)?.id !== after?.get(path)?.id,
  );
  return exports ? `${by} exported beside AMKO's own federator` : null;
}

function changesContent({ before, after }: ClusterChange): boolean {
  return FEDERATED_KINDS.some((kind) => {
    const [was, is] = [before, after].map(({ objects }) => objects[kind].map((one) => pictureOf(one).digest).join());
    return was !== is;
  });
}

/** Whoever is held may only say so, and forget what went with a CRD. */
function forbidden(change: Change, why: string): string | null {
  if (change.kind === "cluster" && (change.call.method === "patchStatus" || onlyForgets(change))) return null;
  const at = change.kind === "ref" ? change.write.by : change.at;
  return `${at} ${why}, and wrote ${subjectOf(change)}`;
}

function onlyForgets({ call, before, after }: ClusterChange): boolean {
  if (call.subject !== "ConfigMap") return false;
  const keys = new Set([...Object.keys(before.configMap ?? {}), ...Object.keys(after.configMap ?? {})]);
  const changed = [...keys].filter((key) => before.configMap?.[key] !== after.configMap?.[key]);
  return changed.every((key) => key.startsWith("base.") && after.configMap?.[key] === undefined);
}

function subjectOf(change: Change): string {
  return change.kind === "ref" ? change.write.branch : change.call.subject;
}

const never = new AbortController().signal;
