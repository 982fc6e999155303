import { problem } from "./catalogue.ts";
import { deepEqual } from "./json.ts";
import {
  type ClusterName,
  FEDERATED_KINDS,
  type FederationView,
  HANDOVER_WITHOUT_ANNOTATION,
  type KindState,
  type Manifest,
  type Problem,
  UUID_ANNOTATION,
} from "./model.ts";
import type { PushFacts, TrackedMove } from "./push.ts";
import type { AgentPusher } from "./pushers.ts";

/** Whether an agent may put this on the tracked branch: an export of the leader's, or a flip where that is granted. */
export function judgeAgentCommit(facts: PushFacts, { cluster, designates }: AgentPusher): Problem | null {
  const { move, path } = facts;
  if (designates && move !== null && isOwnFlip(move, path, cluster)) return null;
  return judgeExport(facts, cluster);
}

/** What an agent may do to the tracked branch while its cluster leads. */
function judgeExport({ branch, path, move }: PushFacts, cluster: ClusterName): Problem | null {
  const before = move?.before ?? null;
  if (move === null || before === null)
    return problem("AG5034", `${cluster} leads nothing while ${branch} is not there`);
  if (before.leadership.kind !== "leader" || before.leadership.cluster !== cluster) {
    const leader =
      before.leadership.kind === "leader" ? `${before.leadership.cluster} does` : "nobody does for certain";
    return problem("AG5034", `${cluster} does not lead ${branch}, ${leader}`);
  }
  if (!move.isOneCommit) {
    return problem("AG5035", `the agent of ${cluster} pushes more than one commit on top of ${branch}, or a merge`);
  }
  const folder = inFolder(path, "federation/");
  const foreign = move.changedPaths.find((one) => !one.startsWith(folder) || leavesFolder(one));
  if (foreign !== undefined) {
    return problem("AG5035", `the agent of ${cluster} changes ${foreign}, which is outside ${folder}`);
  }
  const spoilt = FEDERATED_KINDS.find((kind) => isSpoilt(before.kinds[kind], move.after.kinds[kind]));
  if (spoilt !== undefined)
    return problem("AG1024", `the agent of ${cluster} takes away the snapshot of the ${spoilt}`);
  // Another UUID passes: AMKO takes a new one where its old one is gone at the controller, and the agent exports it.
  const bare = FEDERATED_KINDS.find(
    (kind) => uuidOf(before.kinds[kind]) !== null && uuidOf(move.after.kinds[kind]) === null,
  );
  return bare === undefined ? null : problem("AG1025", `the agent of ${cluster} takes the UUID off the ${bare}`);
}

/** No git checks such a path out; one that was told not to look at what is pushed still takes it. */
function leavesFolder(path: string): boolean {
  return path.split("/").some((segment) => [".", "..", ".git"].includes(segment.toLowerCase()));
}

/** An export may heal what nobody can use, and never leaves a kind worse than it was. */
function isSpoilt(before: KindState, after: KindState): boolean {
  if (after.kind === "absent") return before.kind !== "absent";
  return after.kind === "unusable" && before.kind !== "unusable";
}

function uuidOf(state: KindState): string | null {
  if (state.kind !== "present" && state.kind !== "deleted") return null;
  return state.snapshot.annotations[UUID_ANNOTATION] ?? null;
}

/**
 * The commit of `--local-designation commit`: the leadership goes from another cluster to this one, and nothing else
 * changes. Judged by what the manifests say, not by their text, which agents of other versions may lay out otherwise.
 */
function isOwnFlip({ isOneCommit, before, after, changedPaths }: TrackedMove, path: string, own: ClusterName): boolean {
  if (!isOneCommit || before === null) return false;
  if (!leads(before, (leader) => leader !== own) || !leads(after, (leader) => leader === own)) return false;
  const paths = new Set([...before.manifests.values()].map((manifest) => inFolder(path, manifest.path)));
  return (
    changedPaths.every((changed) => paths.has(changed)) &&
    [...before.manifests].every(([cluster, manifest]) => isSameButForLeader(manifest, after.manifests.get(cluster)))
  );
}

function leads({ leadership }: FederationView, isMeant: (leader: ClusterName) => boolean): boolean {
  return leadership.kind === "leader" && isMeant(leadership.cluster);
}

/** Leave not to wait for somebody is taken off with each flip, and nothing that an agent gives itself. */
function isSameButForLeader(before: Manifest, after: Manifest | undefined): boolean {
  const { [HANDOVER_WITHOUT_ANNOTATION]: _, ...annotations } = before.annotations;
  return (
    after !== undefined &&
    before.version === after.version &&
    before.problem?.code === after.problem?.code &&
    deepEqual(before.clusters, after.clusters) &&
    deepEqual(annotations, after.annotations)
  );
}

/** From the repository's root. */
function inFolder(folder: string, path: string): string {
  return folder === "" ? path : `${folder}/${path}`;
}
