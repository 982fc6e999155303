import { type ClusterName, type CommitId, FEDERATED_KINDS, HANDOVER_WITHOUT_ANNOTATION } from "../../src/core/model.ts";
import { pictureOf } from "./content.ts";
import { type Change, type ClusterChange, clusterOf, fakeOf, isLeading, type Ledger, lookAt } from "./ledger.ts";

export async function oneLeader(
  { at, before, after, seen: { head } }: ClusterChange,
  ledger: Ledger,
): Promise<string | null> {
  if (isLeading(before) || !isLeading(after)) return null;
  const { claimed, officeFrom } = clusterOf(ledger, at);
  const waited =
    ledger.settings.handoverTimeoutMs !== null &&
    claimed !== null &&
    ledger.nowMs() - claimed.atMs >= ledger.settings.handoverTimeoutMs;
  // Who took office without somebody may have to put its field right later, when git says no more of that.
  const without = [await waitsWithout(ledger, at, head), await waitsWithout(ledger, at, officeFrom)].join();
  for (const [other, found] of ledger.clusters) {
    if (other === at || !isLeading(found.holding) || found.leadsByOtherHand || without.includes(other)) continue;
    const couldNotRead = claimed !== null && found.readOrder < claimed.order;
    if (waited && couldNotRead) continue;
    return `${at} takes office while ${other} says leader`;
  }
  return null;
}

/** The clusters that a promotion need not wait for, as the revision says that it acts on. */
async function waitsWithout(ledger: Ledger, at: string, head: CommitId | null): Promise<string> {
  if (head === null) return "";
  const manifest = (await lookAt(ledger, head)).view.manifests.get(at as ClusterName);
  return manifest?.annotations[HANDOVER_WITHOUT_ANNOTATION] ?? "";
}

export async function inDoubtHold(
  { at, before, after, seen: { head } }: ClusterChange,
  ledger: Ledger,
): Promise<string | null> {
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

export async function strangerStandsAside(change: Change, ledger: Ledger): Promise<string | null> {
  const at = change.kind === "ref" ? change.write.by : change.at;
  // The cluster that had the name before may have sent it, or a pass that still believed to be in that one.
  if (change.seen.late) return null;
  const identity = ledger.remote.branch(`amko/identity/${at}`);
  const { namespace } = fakeOf(ledger, at);
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
