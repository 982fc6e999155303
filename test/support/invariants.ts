import { parse } from "yaml";
import { isObject } from "../../src/core/json.ts";
import { type CommitId, FEDERATED_KINDS, type FederatedKind, type Json, type Snapshot } from "../../src/core/model.ts";
import { contentOf, equalContent, normalizeContent, readSnapshot } from "../../src/core/snapshot.ts";
import { file, manifestPath, schemas } from "./builders.ts";
import { CONFIG_MAP, clusterOf, FILES } from "./federation.ts";
import { AMKO_CLUSTER, type World, type WorldCluster } from "./world.ts";

/**
 * Invariants of `test/SPEC.md` as questions to a running federation, by whatever it was harmed. Each answers null where
 * it holds, and says in a sentence what is wrong where it does not.
 */
export type Finding = string | null;

/** What was read of commits, which never change: a process for each look would take most of a fault run's time. */
const texts = new WeakMap<World, Map<string, Promise<string | null>>>();

/** A file as a revision has it; null where it has none. */
function textAt(world: World, revision: string, path: string): Promise<string | null> {
  // Of a commit that it does not have git says that it has no such file, unless it is told to be a commit.
  const name = `${revision}^{commit}:${path}`;
  const read = (): Promise<string | null> => world.git("show", name).catch(nullWhereNone);
  if (!/^[0-9a-f]{40}$/.test(revision)) return read();
  const known = texts.get(world) ?? new Map<string, Promise<string | null>>();
  texts.set(world, known);
  const text = known.get(name) ?? read();
  known.set(name, text);
  return text;
}

/** Any other failure is none of the federation's, and must not pass for a file that is not there. */
function nullWhereNone(error: unknown): null {
  if (/path '.*' (?:does not exist|exists on disk, but not) in/.test(String(error))) return null;
  throw error;
}

/** What a revision says of a kind; null where it has no file of it, or one that nobody can use. */
async function snapshotAt(world: World, revision: string, kind: FederatedKind): Promise<Snapshot | null> {
  const path = FILES[kind];
  const text = await textAt(world, revision, path);
  if (text === null) return null;
  const read = readSnapshot(file(path, `${text}\n`), schemas());
  return read.ok ? read.snapshot : null;
}

/** The cluster's objects are what the revision says; a kind of which it says nothing may be as it is. */
export async function holdsRevision(world: World, { name, objects }: WorldCluster, commit: string): Promise<Finding> {
  for (const kind of FEDERATED_KINDS) {
    const snapshot = await snapshotAt(world, commit, kind);
    if (snapshot === null) continue;
    const live = await objects.list(kind);
    if (snapshot.deleted !== null) {
      if (live.length > 0) return `${name} still has its ${kind}, which ${commit} deletes`;
      continue;
    }
    const [object] = live;
    if (object === undefined) return `${name} has no ${kind}, which ${commit} has`;
    const wanted = normalizeContent(snapshot, kind, schemas());
    const found = normalizeContent(contentOf(object), kind, schemas());
    if (live.length > 1 || object.metadata.name !== snapshot.name || !equalContent(wanted, found)) {
      return `${name}'s ${kind} is not what ${commit} says: ${JSON.stringify(found.spec)}`;
    }
  }
  return null;
}

/** Whether its AMKOCluster says leader, and at which version; null where it does not. */
async function leadsAt({ objects }: WorldCluster): Promise<string | null> {
  const object = await objects.get("AMKOCluster", AMKO_CLUSTER);
  return isObject(object?.spec) && object.spec["isLeader"] === true ? object.metadata.resourceVersion : null;
}

/**
 * No other cluster's AMKOCluster says leader beside this one. Two lead at once when this one said leader before and
 * after, without having been written in between, another was seen to say it.
 */
export async function leadsAlone({ clusters }: World, cluster: WorldCluster): Promise<Finding> {
  const before = await leadsAt(cluster);
  if (before === null) return null;
  for (const other of clusters.filter((one) => one !== cluster)) {
    if ((await leadsAt(other)) !== null && (await leadsAt(cluster)) === before) {
      return `${cluster.name} and ${other.name} say leader at once`;
    }
  }
  return null;
}

/** An object that is gone from the cluster has a tombstone on the branch. */
export async function deletedWithTombstone(world: World, { name, objects }: WorldCluster): Promise<Finding> {
  for (const kind of FEDERATED_KINDS) {
    if ((await objects.list(kind)).length > 0) continue;
    if ((await snapshotAt(world, "main", kind))?.deleted == null) {
      return `${name} deleted its ${kind}, for which there is no tombstone`;
    }
  }
  return null;
}

/** Commits on the branch, told by who made them. */
export interface CommitCounts {
  readonly people: number;
  readonly agents: number;
}

const AGENT_AUTHOR = "amko-gitops";

/** So many commits in one line came since, and every agent's was made by the cluster that led the one below. */
export async function branchGrewBy(world: World, since: CommitId, wanted: CommitCounts): Promise<Finding> {
  const listing = await world.git(
    "log",
    "--reverse",
    "--format=%H%x09%P%x09%an%x09%(trailers:key=Federated-From,valueonly,separator=%x2C)",
    `${since}..main`,
  );
  const lines = listing.split("\n").filter((line) => line !== "");
  const counts = { people: 0, agents: 0 };
  let below = since;
  for (const line of lines) {
    const [commit, parents = "", author = "", from = ""] = line.split("\t") as [CommitId, ...string[]];
    if (parents !== below) return `${commit} has the parents ${parents}, and not ${below} alone`;
    if (author === AGENT_AUTHOR) {
      counts.agents += 1;
      const leaders = await leadersAt(world, below);
      if (leaders.join() !== from) return `${commit} was exported by ${from}, where ${leaders.join()} led`;
    } else counts.people += 1;
    below = commit;
  }
  const same = counts.people === wanted.people && counts.agents === wanted.agents;
  return same
    ? null
    : `${counts.people} commits of people and ${counts.agents} of agents, and not ${wanted.people} and ${wanted.agents}`;
}

async function leadersAt(world: World, commit: CommitId): Promise<readonly string[]> {
  const leaders: string[] = [];
  for (const { name } of world.clusters) {
    const manifest = parse((await textAt(world, commit, manifestPath(name))) ?? "") as Json;
    if (isObject(manifest) && isObject(manifest["spec"]) && manifest["spec"]["isLeader"] === true) leaders.push(name);
  }
  return leaders;
}

/** The refs that a federation at rest has, beside what was rescued: nothing failed, nothing waits, one is in office. */
export async function refsAreThose({ clusters, refs }: World, leader: string): Promise<Finding> {
  const wanted = new Set([
    "main",
    `amko/leading/${leader}`,
    ...clusters.flatMap(({ name }) => [`amko/applied/${name}`, `amko/identity/${name}`]),
  ]);
  const found = [...(await refs()).keys()];
  const foreign = found.filter((ref) => !wanted.has(ref) && !ref.startsWith("amko/rescue/"));
  const missing = [...wanted].filter((ref) => !found.includes(ref));
  if (foreign.length > 0) return `nobody needs the refs ${foreign.join(", ")}`;
  return missing.length > 0 ? `the refs ${missing.join(", ")} are missing` : null;
}

/** Every cluster has acknowledged what the branch says; a revision that leaves the files as they were needs none. */
export async function isAcknowledged({ git }: World): Promise<Finding> {
  const format = "--format=%(refname:lstrip=2) %(tree)";
  const trees = (await git("for-each-ref", format, "refs/heads/main", "refs/heads/amko/applied/")).split("\n");
  const [, wanted = ""] = trees.find((line) => line.startsWith("main "))?.split(" ") ?? [];
  const late = trees.filter((line) => !line.endsWith(` ${wanted}`));
  return late.length === 0 ? null : `the branch is ahead of ${late.join(", ")}`;
}

/** Some rescued content of the cluster holds the words: in git, or, where git refused it, in the ConfigMap. */
export async function wasRescued(world: World, cluster: string, words: string): Promise<Finding> {
  const { git, refs } = world;
  const { body } = await clusterOf(world, cluster).objects.request("GET", CONFIG_MAP);
  const data = isObject(body) && isObject(body["data"]) ? body["data"] : {};
  const kept = Object.entries(data).filter(([key]) => key.startsWith("rescue."));
  if (kept.some(([, text]) => String(text).includes(words))) return null;
  for (const ref of (await refs()).keys()) {
    if (!ref.startsWith(`amko/rescue/${cluster}/`)) continue;
    if ((await git("grep", "-I", "-h", "-F", words, ref).catch(() => "")) !== "") return null;
  }
  return `what ${cluster} held is lost: no rescue says ${words}`;
}

/** Git finds nothing wrong with the server's repository. */
export async function repositoryIsSound({ verify }: World): Promise<Finding> {
  return verify().then(
    () => null,
    (error: unknown) => `git fsck: ${String(error)}`,
  );
}
