import type { CommitId, JsonObject } from "../../src/core/model.ts";
import { waitUntil } from "../../src/sandbox/wait.ts";
import { clusterOf, GDP, specOf, WELL } from "../support/federation.ts";
import {
  branchGrewBy,
  type CommitCounts,
  deletedWithTombstone,
  type Finding,
  holdsRevision,
  isAcknowledged,
  leadsAlone,
  refsAreThose,
  repositoryIsSound,
  wasRescued,
} from "../support/invariants.ts";
import type { World, WorldCluster } from "../support/world.ts";

/** What a step is to come to, whatever went wrong on the way. */
export interface Outcome {
  /** Who leads, by the branch and in the clusters. */
  readonly leader: string;
  /** Commits since the step began. */
  readonly commits: CommitCounts;
  /** Fields that the GDP has; null where it is deleted. */
  readonly policy: JsonObject | null;
  /** Words of what was overwritten; null where nothing was. */
  readonly rescued: { readonly cluster: string; readonly words: string } | null;
}

/** What recovers needs a few seconds; a machine that many share may need minutes. */
const REST_MAX_MS = 180_000;

/** Waits until the federation has come to one of them, and to rest; says to which. @throws Error that says what is missing */
export async function waitForOutcome(
  world: World,
  wanted: Outcome,
  alternatives: () => readonly Outcome[] = () => [],
): Promise<Outcome | null> {
  let reached: Outcome | null = null;
  const look = async (): Promise<boolean | string> => {
    const missing: Finding[] = [];
    for (const outcome of [wanted, ...alternatives()]) {
      const finding = await findMissing(world, outcome);
      if (finding === null) {
        reached = outcome;
        return true;
      }
      missing.push(finding);
    }
    return missing.join(", or else ");
  };
  await waitUntil("the federation has come to rest", look, REST_MAX_MS);
  return reached;
}

const FEDERATION_CONDITIONS = ["GSLBConfig Federation", "GDP Federation"] as const;

/** What is not so yet. What is cheap to see is looked at first. */
async function findMissing(world: World, { leader, policy, rescued }: Outcome): Promise<Finding> {
  for (const cluster of world.clusters) {
    const spec = await specOf(cluster, "GlobalDeploymentPolicy", GDP);
    if (!isLike(spec, policy))
      return `${cluster.name}'s GDP is not ${JSON.stringify(policy)} but ${JSON.stringify(spec)}`;
  }
  const head = await world.head();
  for (const { name, condition } of world.clusters) {
    const { status, reason } = await condition("Synced");
    if (status !== "True" || !reason.includes(head)) return `${name}: ${status} ${reason}, the head is ${head}`;
  }
  for (const type of FEDERATION_CONDITIONS) {
    const { status, reason } = await clusterOf(world, leader).condition(type);
    if (status !== WELL) return `${leader}: ${type}: ${status} ${reason}`;
  }
  const inGit = (await refsAreThose(world, leader)) ?? (await isAcknowledged(world));
  if (inGit !== null) return inGit;
  return rescued === null ? null : wasRescued(world, rescued.cluster, rescued.words);
}

function isLike(spec: JsonObject | null, wanted: JsonObject | null): boolean {
  if (spec === null || wanted === null) return spec === wanted;
  return Object.keys(wanted).every((field) => spec[field] === wanted[field]);
}

/** What must never be, whatever went wrong, once everything has come to rest. */
export async function findWrongs(
  world: World,
  { leader, commits }: Outcome,
  since: CommitId,
): Promise<readonly string[]> {
  const { clusters } = world;
  const head = await world.head();
  const findings = await Promise.all([
    branchGrewBy(world, since, commits),
    leadsAlone(world, clusterOf(world, leader)),
    repositoryIsSound(world),
    ...clusters.flatMap((cluster) => [holdsRevision(world, cluster, head), deletedWithTombstone(world, cluster)]),
  ]);
  return findings.filter((finding) => finding !== null);
}

/** In time a leader says that it can look into every member again, whatever became of an earlier look. */
export async function isAllWell({ clusters }: World, leader: WorldCluster): Promise<Finding> {
  const { name, condition } = leader;
  const isSo = async (): Promise<boolean | string> => {
    const { status, reason } = await condition("member cluster validation");
    return status === "validated all member clusters" || `${status} ${reason}`;
  };
  return waitUntil(`${name} has validated the other of ${clusters.length} clusters`, isSo, REST_MAX_MS).then(
    () => null,
    (error: unknown) => String(error),
  );
}
