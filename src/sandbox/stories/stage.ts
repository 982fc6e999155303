import { parse } from "yaml";
import type { Edit } from "../../core/edit.ts";
import { isObject } from "../../core/json.ts";
import type { FederatedKind, Json, KubernetesObject } from "../../core/model.ts";
import { encodeClusterName, parseClusterName } from "../../core/names.ts";
import { contentOf, equalContent } from "../../core/snapshot.ts";
import type { Clone } from "../clone.ts";
import { readCondition, type SandboxCluster } from "../cluster.ts";
import type { Federation } from "../federation.ts";
import type { Narrator } from "../narrator.ts";
import { waitUntil } from "../wait.ts";

/** What every story plays on: a running federation, somebody with a clone, and the narrator. */
export interface Stage {
  readonly federation: Federation;
  readonly clone: Clone;
  readonly narrator: Narrator;
}

/** One chapter. It finds the federation in sync with one leader, and leaves it so. */
export interface Story {
  readonly name: string;
  readonly title: string;
  play(stage: Stage): Promise<void>;
}

/** How kubectl's users call the kinds. */
export const KUBECTL_NAMES: Readonly<Record<FederatedKind, string>> = {
  GSLBConfig: "gslbconfig",
  GlobalDeploymentPolicy: "gdp",
};

export function manifestPath(cluster: string): string {
  return `clusters/${segment(cluster)}/amkocluster.yaml`;
}

/** A context's name as one segment of a path or a ref. */
export function segment(cluster: string): string {
  const name = parseClusterName(cluster);
  if (name === null) throw new Error(`${cluster} is no context name`);
  return encodeClusterName(name);
}

/** Who leads and who follows, as the tracked branch says. */
export async function topology({ federation }: Stage): Promise<{
  readonly leader: SandboxCluster;
  readonly followers: readonly SandboxCluster[];
}> {
  const leads = await Promise.all(
    federation.clusters.map(async ({ name }) => {
      const manifest = parse(await federation.git("show", `main:${manifestPath(name)}`)) as Json;
      return isObject(manifest) && isObject(manifest["spec"]) && manifest["spec"]["isLeader"] === true;
    }),
  );
  const leader = federation.clusters.find((_cluster, index) => leads[index] === true);
  if (leader === undefined) throw new Error("nobody leads by the branch");
  return { leader, followers: federation.clusters.filter((cluster) => cluster !== leader) };
}

/** A person edits an object in the leader's cluster; told until every follower holds it. */
export async function editOnLeader(stage: Stage, kind: FederatedKind, patch: Json): Promise<void> {
  const { federation, narrator } = stage;
  const { leader, followers } = await topology(stage);
  const name = await nameOf(stage, kind);
  const before = await federation.git("rev-parse", "main");
  narrator.command(
    `kubectl --context ${leader.name} patch ${KUBECTL_NAMES[kind]} ${name} --type=merge -p '${JSON.stringify(patch)}'`,
  );
  await leader.client.merge(kind, name, patch);
  await showCommit(stage, before);
  await waitForEqual(leader, followers, kind, name);
  narrator.say("The followers' objects equal the leader's.");
}

/** A person edits files in a branch of a clone and merges it. Returns when the server has it. */
export async function mergeBranch(
  { clone, narrator }: Stage,
  branch: string,
  message: string,
  edits: Readonly<Record<string, readonly Edit[]>>,
): Promise<void> {
  narrator.command(`git switch -c ${branch}`);
  await clone.branch(branch);
  for (const [path, changes] of Object.entries(edits)) await clone.edit(path, changes);
  narrator.output(await clone.git("diff", "--unified=0", "--no-prefix"));
  narrator.command(`git commit -am "${message}" && git switch main && git merge --no-ff ${branch} && git push`);
  await clone.merge(branch, message);
}

export async function nameOf({ federation }: Stage, kind: FederatedKind): Promise<string> {
  const folder = `federation/${kind.toLowerCase()}/`;
  const path = await federation.git("ls-tree", "--name-only", "main", folder);
  return path.slice(folder.length).replace(/\.yaml$/, "");
}

/** Shows the commit that an agent made after `before`, and returns it. */
export async function showCommit({ federation, narrator }: Stage, before: string): Promise<string> {
  const moved = async (): Promise<boolean> => (await federation.git("rev-parse", "main")) !== before;
  await waitUntil("the leader's agent has committed", moved);
  narrator.say("The leader's agent commits:");
  narrator.output(await federation.git("show", "--stat", "--format=commit %h%n%an, %ar%n%n%B", "main"));
  return federation.git("rev-parse", "main");
}

/** Where each cluster stands, by its own ref. */
export async function showClusters(stage: Stage, clusters = stage.federation.clusters): Promise<void> {
  const { federation, narrator } = stage;
  await waitForAcknowledgements(stage, clusters);
  const { leader } = await topology(stage);
  for (const { name } of clusters) {
    const ref = `amko/applied/${segment(name)}`;
    const held = await federation.git("log", "-1", "--format=%h  %s", ref);
    narrator.output(`${name}  ${name === leader.name ? "leader  " : "follower"}  ${ref} -> ${held}`);
  }
}

/** What an agent says in the AMKOCluster's status. */
export async function showCondition({ narrator }: Stage, cluster: SandboxCluster, type: string): Promise<void> {
  const { status, reason } = await readCondition(cluster, type);
  narrator.output(`${cluster.name}  ${type}: ${status}${reason === "" ? "" : `\n    ${reason}`}`);
}

export async function waitForSync(clusters: readonly SandboxCluster[]): Promise<void> {
  for (const cluster of clusters) {
    await waitUntil(`${cluster.name} is in sync`, async () => {
      const { status, reason } = await readCondition(cluster, "Synced");
      return status === "True" || reason;
    });
  }
}

/** Waits until a condition's reason contains the code. */
export async function waitForCode(cluster: SandboxCluster, code: string): Promise<void> {
  await waitUntil(`${cluster.name} says ${code}`, async () => {
    const { reason } = await readCondition(cluster, "Synced");
    return reason.includes(code) || reason;
  });
}

/** Waits until a condition has the status. */
export async function waitForStatus(cluster: SandboxCluster, type: string, status: string): Promise<void> {
  const isSo = async (): Promise<boolean | string> => {
    const found = await readCondition(cluster, type);
    return found.status === status || `${found.status} ${found.reason}`;
  };
  await waitUntil(`${type} of ${cluster.name} is "${status}"`, isSo, STATUS_MAX_MS);
}

/** A leader looks at its members' credentials only from time to time. */
const STATUS_MAX_MS = 90_000;

/** Waits until exactly `name`'s AMKOCluster says leader among `clusters`. */
export async function waitForLeader(clusters: readonly SandboxCluster[], name: string): Promise<void> {
  await waitUntil(`${name} is in office`, async () => {
    const leaders = await Promise.all(clusters.map(isLeader));
    return clusters.every((cluster, index) => leaders[index] === (cluster.name === name));
  });
}

export async function isLeader({ client, amkoCluster }: SandboxCluster): Promise<boolean> {
  const object = await client.get("AMKOCluster", amkoCluster);
  return isObject(object?.spec) && object.spec["isLeader"] === true;
}

export async function waitForAcknowledgements(
  { federation }: Stage,
  clusters: readonly SandboxCluster[],
): Promise<void> {
  // By their trees: a revision that leaves everything as it was is not acknowledged.
  await waitUntil("every cluster has acknowledged what the newest revision says", async () => {
    const wanted = await federation.git("rev-parse", "main^{tree}");
    const refs = clusters.map(({ name }) => `refs/heads/amko/applied/${segment(name)}`);
    const held = await federation.git("for-each-ref", "--format=%(tree)", ...refs);
    const trees = held.split("\n");
    return trees.length === clusters.length && trees.every((tree) => tree === wanted);
  });
}

export async function waitForEqual(
  leader: SandboxCluster,
  followers: readonly SandboxCluster[],
  kind: FederatedKind,
  name: string,
): Promise<void> {
  for (const follower of followers) {
    await waitUntil(`${follower.name} holds what ${leader.name} holds`, async () => {
      const [wanted, found] = await Promise.all([leader.client.get(kind, name), follower.client.get(kind, name)]);
      return wanted !== null && found !== null && equalContent(contentOf(wanted), contentOf(found));
    });
  }
}

/** The object as a person would write it into a file: nothing that the server or an agent added. */
export function fresh({ apiVersion, kind, metadata, spec }: KubernetesObject): KubernetesObject {
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([key]) => !key.startsWith("amko-gitops.io/"));
  const { name, namespace = "avi-system" } = metadata;
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, annotations: Object.fromEntries(annotations) },
    ...(spec === undefined ? {} : { spec }),
  };
}
