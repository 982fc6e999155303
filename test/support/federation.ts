import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { isObject } from "../../src/core/json.ts";
import { type CommitId, type FederatedKind, type Json, type JsonObject, KINDS } from "../../src/core/model.ts";
import { contentOf } from "../../src/core/snapshot.ts";
import { CLUSTERS, type ManifestFields, manifest } from "./builders.ts";
import { git, setBranch, writeFiles } from "./git.ts";
import type { PersonalChange } from "./person.ts";
import { PROJECT } from "./process.ts";
import { AMKO_CLUSTER, federationFiles, type World, type WorldCluster, waitUntil } from "./world.ts";

/** What people do to a federation, and where they look to see what became of it. */

export const GDP = "global-gdp";
export const GSLB_CONFIG = "gc-1";
/** Where an agent keeps what it remembers. */
export const CONFIG_MAP = "/api/v1/namespaces/avi-system/configmaps/amko-gitops";

export const FILES: Readonly<Record<FederatedKind, string>> = {
  GSLBConfig: `federation/gslbconfig/${GSLB_CONFIG}.yaml`,
  GlobalDeploymentPolicy: `federation/globaldeploymentpolicy/${GDP}.yaml`,
};
/** AMKO's words. */
export const WELL = "federated to all valid clusters successfully";
export const SOME_FAILED = "error in federating to some clusters";
export const ALL_FAILED = "failure in federation";

type Changes = Readonly<Record<string, PersonalChange>>;

/** The cluster of that name. */
export function clusterOf({ clusters }: Pick<World, "clusters">, name: string): WorldCluster {
  const found = clusters.find((cluster) => cluster.name === name);
  if (found === undefined) throw new TypeError(`there is no ${name}`);
  return found;
}

export function firstFollower({ followers }: Pick<World, "followers">): WorldCluster {
  const [follower] = followers;
  if (follower === undefined) throw new TypeError("the world has no follower");
  return follower;
}

/** One manifest with some fields changed, as the change that a person pushes. */
export function withManifest(name: string, fields: ManifestFields, annotations?: JsonObject): Changes {
  const metadata = { name: AMKO_CLUSTER, namespace: "avi-system", ...(annotations ? { annotations } : {}) };
  const { path, bytes } = manifest(name, fields, { metadata });
  return { [path]: new TextDecoder().decode(bytes ?? undefined) };
}

/** The one commit that makes `to` the leader of {@link CLUSTERS}. */
export function flipTo(to: string, annotations?: JsonObject): Changes {
  const files = CLUSTERS.map((name) =>
    withManifest(name, { isLeader: name === to }, name === to ? annotations : undefined),
  );
  return Object.assign({}, ...files) as Changes;
}

export async function isLeader({ objects }: WorldCluster): Promise<boolean> {
  const object = await objects.get("AMKOCluster", AMKO_CLUSTER);
  return isObject(object?.spec) && object.spec["isLeader"] === true;
}

/** Waits until exactly `name`'s AMKOCluster says leader. */
export async function waitForLeader(clusters: readonly WorldCluster[], name: string): Promise<void> {
  await waitUntil(`${name} leads, and nobody else`, async () => {
    const leaders: string[] = [];
    for (const cluster of clusters) if (await isLeader(cluster)) leaders.push(cluster.name);
    return leaders.join() === name || `leaders: ${leaders.join()}`;
  });
}

/** Waits until a condition's status or reason holds the words. */
export async function waitForCondition({ name, condition }: WorldCluster, type: string, words: string): Promise<void> {
  await waitUntil(`"${type}" of ${name} says "${words}"`, async () => {
    const { status, reason } = await condition(type);
    return `${status} ${reason}`.includes(words) || `${status} ${reason}`;
  });
}

export async function waitForCode(cluster: WorldCluster, code: string): Promise<void> {
  await waitForCondition(cluster, "Synced", `False ${code}`);
}

/** Waits until the agent's log names one of the codes, in its lines after the first `since`. */
export async function waitForLog({ name, log }: WorldCluster, since: number, codes: readonly string[]): Promise<void> {
  await waitUntil(`the log of ${name} names ${codes.join(" or ")}`, async () => {
    const lines = (await log()).slice(since);
    const found = lines.map((line) => String(line["code"] ?? "")).filter((code) => code !== "");
    return found.some((code) => codes.includes(code)) || lines.map((line) => line.msg).join(", ");
  });
}

/** Somebody edits the GDP there. */
export async function editPolicy({ objects }: WorldCluster, spec: Json): Promise<void> {
  await objects.merge("GlobalDeploymentPolicy", GDP, { spec });
}

export async function specOf({ objects }: WorldCluster, kind: FederatedKind, name: string): Promise<JsonObject | null> {
  const object = await objects.get(kind, name);
  return object === null ? null : contentOf(object).spec;
}

export async function policyOf(cluster: WorldCluster): Promise<JsonObject> {
  return (await specOf(cluster, "GlobalDeploymentPolicy", GDP)) ?? {};
}

export async function ttlOf(cluster: WorldCluster): Promise<Json | undefined> {
  return (await policyOf(cluster))["ttl"];
}

/** Waits until the GDP there has the fields. */
export async function waitForPolicy(clusters: readonly WorldCluster[], fields: JsonObject): Promise<void> {
  await waitForSpec(clusters, "GlobalDeploymentPolicy", GDP, fields);
}

export async function waitForSpec(
  clusters: readonly WorldCluster[],
  kind: FederatedKind,
  name: string,
  fields: JsonObject,
): Promise<void> {
  for (const cluster of clusters) {
    await waitUntil(`${kind} ${name} of ${cluster.name} has ${JSON.stringify(fields)}`, async () => {
      const spec = await specOf(cluster, kind, name);
      if (spec === null) return "it is not there";
      const missing = Object.entries(fields).filter(
        ([field, value]) => JSON.stringify(spec[field]) !== JSON.stringify(value),
      );
      return missing.length === 0 || JSON.stringify(spec);
    });
  }
}

/** Waits until the object is not there any more. */
export async function waitUntilGone(
  clusters: readonly WorldCluster[],
  kind: FederatedKind,
  name: string,
): Promise<void> {
  for (const { name: cluster, objects } of clusters) {
    await waitUntil(`${cluster} has no ${kind} ${name}`, async () => (await objects.get(kind, name)) === null);
  }
}

/** Waits until the branch is elsewhere than it was, and says where. */
export async function moved({ head }: World, before: CommitId): Promise<CommitId> {
  await waitUntil("the branch moves", async () => (await head()) !== before);
  return head();
}

export async function messageOf({ git: inGit }: World, commit: string): Promise<string> {
  return inGit("show", "--no-patch", "--format=%B", commit);
}

/** The refs below `amko/` that start so: `rescue/cluster2/`. */
export async function refsUnder({ refs }: World, prefix: string): Promise<readonly string[]> {
  return [...(await refs()).keys()].filter((ref) => ref.startsWith(`amko/${prefix}`));
}

/** Waits until the ref is there, or is not. */
export async function waitForRef({ refs }: World, ref: string, there: boolean): Promise<void> {
  await waitUntil(`${ref} is ${there ? "there" : "gone"}`, async () => (await refs()).has(ref) === there);
}

/** Puts another definition in the place of the shipped one, as the chart of an older or a newer AMKO would have. */
export async function redefine(
  { objects }: WorldCluster,
  kind: FederatedKind,
  change: (definition: string) => string,
): Promise<void> {
  const { plural } = KINDS[kind];
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.amko.vmware.com`;
  const text = await readFile(join(PROJECT, "deploy/crds", `amko.vmware.com_${plural}.yaml`), "utf8");
  const { spec } = JSON.parse(change(JSON.stringify(parse(text)))) as JsonObject;
  const { body } = await objects.request("GET", path);
  const { status } = await objects.request("PUT", path, { ...(body as JsonObject), spec: spec ?? null });
  if (status !== 200) throw new Error(`${path} was answered ${status}`);
}

/** How a branch is landed on `main`. */
export type Landing = "merge" | "squash" | "rebase" | "fast-forward";

/** Somebody lands a branch of the server's, as a git host's buttons do, and pushes the result. */
export async function land({ person: { folder } }: World, branch: string, how: Landing): Promise<CommitId> {
  const inClone = (...args: readonly string[]): Promise<string> => git(folder, args, { env: REVIEWER });
  await inClone("fetch", "--quiet", "--prune", "origin");
  await inClone("checkout", "--quiet", "--force", "-B", "main", "origin/main");
  const from = `origin/${branch}`;
  const message = `Land ${branch}`;
  switch (how) {
    case "merge":
      await inClone("merge", "--quiet", "--no-ff", "-m", message, from);
      break;
    case "squash": {
      const told = await inClone("log", "--reverse", "--format=%B", `origin/main..${from}`);
      await inClone("merge", "--quiet", "--squash", from);
      await inClone("commit", "--quiet", "-m", `${message}\n\n${told}`);
      break;
    }
    case "rebase":
      await inClone("cherry-pick", `origin/main..${from}`);
      break;
    case "fast-forward":
      await inClone("merge", "--quiet", "--ff-only", from);
      break;
    default:
      how satisfies never;
  }
  await inClone("push", "--quiet", "origin", "HEAD:refs/heads/main");
  return (await inClone("rev-parse", "HEAD")) as CommitId;
}

/** Whoever lands is another committer than whoever wrote. */
const REVIEWER = { GIT_COMMITTER_NAME: "Reviewer", GIT_COMMITTER_EMAIL: "reviewer@example.com" } as const;

/** Pushes a branch with one commit for each set of changes, on top of `main` or of what the branch is. */
export async function pushBranch(
  { person: { folder } }: World,
  branch: string,
  commits: readonly Readonly<Record<string, string>>[],
  onto = "main",
): Promise<void> {
  await git(folder, ["fetch", "--quiet", "--prune", "origin"]);
  await git(folder, ["checkout", "--quiet", "--force", "-B", "work", `origin/${onto}`]);
  for (const [index, files] of commits.entries()) {
    await writeFiles(folder, files);
    await git(folder, ["add", "--all"]);
    await git(folder, ["commit", "--quiet", "-m", `${branch}, part ${index + 1}`]);
  }
  await git(folder, ["push", "--quiet", "origin", `HEAD:refs/heads/${branch}`]);
  await git(folder, ["checkout", "--quiet", "--force", "-B", "main", "origin/main"]);
}

/**
 * Waits until every agent that runs says that its cluster is in sync with the branch, and has acknowledged what stands
 * there: a revision that leaves everything as it was is acknowledged by the one before.
 */
export async function inSync({ clusters, git: inGit, head }: World): Promise<CommitId> {
  await waitUntil("every cluster holds what the newest revision says", async () => {
    const commit = await head();
    const trees = await inGit("for-each-ref", "--format=%(refname:lstrip=4) %(tree)", "refs/heads/amko/applied/");
    const tree = await inGit("rev-parse", "main^{tree}");
    for (const { name, agent, condition } of clusters) {
      if (agent() === null) continue;
      const { status, reason } = await condition("Synced");
      if (status !== "True" || !reason.includes(commit)) return `${name}: ${status} ${reason}, the head is ${commit}`;
      if (!trees.split("\n").includes(`${name} ${tree}`)) return `${name} has not acknowledged ${tree}`;
    }
    return true;
  });
  return head();
}

/** Makes the branch say this by one commit, where it does not say it already. */
export async function pushWhatDiffers({ git: inGit, person }: World, wanted: Changes): Promise<void> {
  const changes: Record<string, PersonalChange> = {};
  for (const [path, change] of Object.entries(wanted)) {
    const found = await inGit("show", `main:${path}`).catch(() => null);
    if (found !== (typeof change === "string" ? change.trimEnd() : change)) changes[path] = change;
  }
  if (Object.keys(changes).length > 0) await person.push(changes, "As it is meant to be");
}

/** Makes that cluster the leader, where it is not, and waits until it is in office and all is in sync. */
export async function leadFrom(world: World, name: string): Promise<void> {
  await pushWhatDiffers(world, flipTo(name));
  await waitForLeader(world.clusters, name);
  await inSync(world);
}

/** Lets everything through again. */
export function clearFaults({ clusters }: Pick<World, "clusters">): void {
  for (const { gitProxy, apiProxy } of clusters) {
    gitProxy.clear();
    apiProxy.clear();
  }
}

/** Puts the branch back, by a commit, to what the world began with, takes proposals and rescued content away, and waits. */
export async function calm(world: World): Promise<CommitId> {
  const { git: inGit, repositoryFolder, clusters } = world;
  clearFaults(world);
  const wanted = federationFiles(clusters.map(({ name }) => name));
  const present = (await inGit("ls-tree", "-r", "--name-only", "main")).split("\n");
  const foreign = present.filter((path) => path !== "" && !Object.hasOwn(wanted, path));
  await pushWhatDiffers(world, { ...wanted, ...Object.fromEntries(foreign.map((path) => [path, null])) });
  const commit = await inSync(world);
  for (const ref of [...(await refsUnder(world, "propose/")), ...(await refsUnder(world, "rescue/"))]) {
    await setBranch(repositoryFolder, ref, null);
  }
  return commit;
}

/** An Event on the AMKOCluster. */
export interface ToldEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

export async function eventsOf({ objects }: WorldCluster): Promise<readonly ToldEvent[]> {
  const { body } = await objects.request("GET", "/api/v1/namespaces/avi-system/events");
  const items = isObject(body) && Array.isArray(body["items"]) ? (body["items"] as readonly Json[]) : [];
  return items.filter(isObject).map(({ type, reason, message }) => ({
    type: String(type),
    reason: String(reason),
    message: String(message),
  }));
}

export async function waitForEvent(cluster: WorldCluster, reason: string, words: string): Promise<void> {
  await waitUntil(`${cluster.name} tells ${reason}: ${words}`, async () => {
    const told = await eventsOf(cluster);
    return (
      told.some((event) => event.reason === reason && event.message.includes(words)) ||
      JSON.stringify(told.map((event) => [event.reason, event.message]))
    );
  });
}

export interface OfficeWatch {
  /** Ends it, and tells each time when two AMKOClusters said leader at once. */
  stop(): Promise<readonly string[]>;
}

const LOOK_EVERY_MS = 20;

/**
 * Looks at every cluster's AMKOCluster again and again. Two lead at once when one said leader before and after, without
 * having been written in between, another was seen to say it.
 */
export function watchOffices(clusters: readonly WorldCluster[]): OfficeWatch {
  const found: string[] = [];
  let stopped = false;
  const look = async ({ objects }: WorldCluster): Promise<string | null> => {
    const object = await objects.get("AMKOCluster", AMKO_CLUSTER).catch(() => null);
    const leads = isObject(object?.spec) && object.spec["isLeader"] === true;
    return leads ? object.metadata.resourceVersion : null;
  };
  const ended = (async () => {
    while (!stopped) {
      for (const first of clusters) {
        const before = await look(first);
        if (before === null) continue;
        for (const second of clusters.filter((cluster) => cluster !== first)) {
          if ((await look(second)) !== null && (await look(first)) === before) {
            found.push(`${first.name} and ${second.name}`);
          }
        }
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  })();
  return {
    async stop() {
      stopped = true;
      await ended;
      return found;
    },
  };
}
