import type { CommitId, FederatedKind, JsonObject } from "../../src/core/model.ts";
import { snapshotPath, writeSnapshot } from "../../src/core/snapshot.ts";
import { globalDeploymentPolicy, gslbConfig, manifestPath } from "./builders.ts";
import { git } from "./git.ts";

export interface LargeFederationSpec {
  /** At least five. */
  readonly clusters: number;
  /** Of the branch's own line; merges bring some more. */
  readonly commits: number;
}

export interface LargeFederation {
  readonly head: CommitId;
  /** Who led, newest first, and the commit that made it so. */
  readonly terms: readonly { readonly cluster: string; readonly began: CommitId }[];
  /** How often a person's pull request changed the GSLBConfig. */
  readonly merges: number;
}

/** What happens every so many commits; all the others are exports of the GDP. */
const FLIP_EVERY = 500;
const MERGE_EVERY = 25;
/** One cluster after the other gets another AMKO, and gets the old one back after half of this. */
const UPGRADE_EVERY = 80;
const UPGRADE_AT = 13;
/** The oldest that is still in step, and by how many commits the others differ. */
const LAG_COMMITS = 7;
const BEGAN_AT_SECONDS = 1_700_000_000;
const COMMIT_EVERY_SECONDS = 600;

/**
 * Fills an empty bare repository, by one fast-import, with the life of a large federation: exports of the leader's
 * agent, merged pull requests, upgrades of AMKO, switchovers. The last cluster holds the first revision and nothing
 * since, which is the worst that can be asked about; the one before it failed. The same spec gives the same commits.
 */
export async function makeLargeFederation(
  repository: string,
  { clusters, commits }: LargeFederationSpec,
): Promise<LargeFederation> {
  const names = Array.from({ length: clusters }, (_, index) => `cluster${index + 1}`);
  const stream = createStream();
  const flips: { readonly cluster: string; readonly at: number }[] = [];
  let leader = 0;
  let merges = 0;
  const nameAt = (index: number): string => names[index % clusters] ?? "";

  stream.commit("The federation", [
    ...names.map((name, index) => manifestEntry(name, names, { isLeader: index === 0 })),
    policyEntry(names, 0),
    configEntry(names, 0),
  ]);
  flips.push({ cluster: nameAt(0), at: 0 });
  for (let at = 1; at < commits; at += 1) {
    if (at % FLIP_EVERY === 0) {
      const [from, to] = [nameAt(leader), nameAt(leader + 1)];
      leader += 1;
      flips.push({ cluster: to, at });
      stream.commit(`federation: switch over from ${from} to ${to}\n\nMaintenance ${at}`, [
        manifestEntry(from, names, { isLeader: false }),
        manifestEntry(to, names, { isLeader: true }),
      ]);
    } else if (at % MERGE_EVERY === 0) {
      merges += 1;
      stream.merge(`Merge pull request #${at}`, `Ask more often\n\nCHG-${at}`, [configEntry(names, at)]);
    } else if (at % (UPGRADE_EVERY / 2) === UPGRADE_AT) {
      const version = at % UPGRADE_EVERY === UPGRADE_AT ? "1.5.0" : "1.4.2";
      const upgraded = nameAt(upgradedAt(at, clusters));
      stream.commit(`AMKO ${version} in ${upgraded}`, [manifestEntry(upgraded, names, { version })]);
    } else {
      stream.commit(exportMessage(nameAt(leader), at), [policyEntry(names, at)]);
    }
  }
  await git(repository, ["fast-import", "--quiet", "--force"], { input: stream.text() });
  const line = await git(repository, ["rev-list", "--reverse", "--first-parent", "main"]);
  const ids = line.split("\n") as CommitId[];
  await writeRefs(repository, names, ids, nameAt(leader));
  return {
    head: ids.at(-1) as CommitId,
    terms: flips.map(({ cluster, at }) => ({ cluster, began: ids[at] as CommitId })).toReversed(),
    merges,
  };
}

/** Never the leader, nor the one that leads next. */
function upgradedAt(at: number, clusters: number): number {
  const round = Math.floor(at / UPGRADE_EVERY);
  return Math.floor((round * UPGRADE_EVERY) / FLIP_EVERY) + 2 + (round % (clusters - 4));
}

interface Entry {
  readonly path: string;
  readonly bytes: Uint8Array | string;
}

interface Stream {
  commit(message: string, entries: readonly Entry[]): void;
  /** A commit beside the branch, and its merge. */
  merge(title: string, message: string, entries: readonly Entry[]): void;
  text(): string;
}

/** The commands of git fast-import. Every commit stands on the last one of the branch. */
function createStream(): Stream {
  const parts: string[] = [];
  let marks = 0;
  let tip = 0;

  function write(message: string, parents: readonly number[], entries: readonly Entry[]): number {
    marks += 1;
    const at = BEGAN_AT_SECONDS + marks * COMMIT_EVERY_SECONDS;
    const [from, ...others] = parents.filter((mark) => mark > 0);
    parts.push(
      `commit refs/heads/main\nmark :${marks}\ncommitter Somebody <somebody@example.com> ${at} +0000\n${data(message)}`,
      from === undefined ? "" : `from :${from}\n`,
      ...others.map((mark) => `merge :${mark}\n`),
      ...entries.map(({ path, bytes }) => `M 100644 inline ${path}\n${data(bytes)}`),
    );
    return marks;
  }

  return {
    commit(message, entries) {
      tip = write(message, [tip], entries);
    },
    merge(title, message, entries) {
      const beside = write(message, [tip], entries);
      tip = write(title, [tip, beside], entries);
    },
    text: () => parts.join(""),
  };
}

function data(content: Uint8Array | string): string {
  const text = typeof content === "string" ? content : new TextDecoder().decode(content);
  return `data ${Buffer.byteLength(text)}\n${text}\n`;
}

function manifestEntry(
  name: string,
  clusters: readonly string[],
  { isLeader = false, version = "1.4.2" }: { readonly isLeader?: boolean; readonly version?: string },
): Entry {
  const lines = [
    "apiVersion: amko.vmware.com/v1alpha1",
    "kind: AMKOCluster",
    "metadata:",
    "  name: amkocluster-federation",
    "  namespace: avi-system",
    "spec:",
    `  clusterContext: ${name}`,
    `  isLeader: ${isLeader}`,
    `  version: ${version}`,
    `  clusters: [${clusters.join(", ")}]`,
  ];
  return { path: manifestPath(name), bytes: `${lines.join("\n")}\n` };
}

/** Every cluster is matched, and three of them share the traffic, by weights that each export moves. */
function policyEntry(clusters: readonly string[], at: number): Entry {
  return snapshotEntry("GlobalDeploymentPolicy", {
    matchRules: { appSelector: { label: { app: "gslb" } } },
    matchClusters: clusters.map((cluster) => ({ cluster })),
    trafficSplit: clusters.slice(0, 3).map((cluster, index) => ({ cluster, weight: 1 + ((at + index) % 20) })),
    ttl: 10 + (at % 100),
  });
}

function configEntry(clusters: readonly string[], at: number): Entry {
  const memberClusters = clusters.map((clusterContext) => ({ clusterContext }));
  return snapshotEntry("GSLBConfig", { ...gslbConfig().spec, memberClusters, refreshInterval: 1800 + at });
}

function snapshotEntry(kind: FederatedKind, spec: JsonObject): Entry {
  const made = kind === "GSLBConfig" ? gslbConfig({ spec }) : globalDeploymentPolicy({ spec });
  return { path: snapshotPath(kind, made.name), bytes: writeSnapshot(made) };
}

function exportMessage(from: string, at: number): string {
  const ttl = `spec.ttl: ${10 + ((at - 1) % 100)} -> ${10 + (at % 100)}`;
  const trailers = `Federated-From: ${from}\nAmko-Version: 1.4.2\nChanged-With: kubectl-edit`;
  return `federation: update GlobalDeploymentPolicy global-gdp\n\n${ttl}\n\n${trailers}`;
}

async function writeRefs(
  repository: string,
  names: readonly string[],
  ids: readonly CommitId[],
  leader: string,
): Promise<void> {
  const back = (index: number): string => ids[Math.max(0, ids.length - 1 - (index % 4) * LAG_COMMITS)] ?? "";
  const applied = names.map((name, index) => [`applied/${name}`, index === names.length - 1 ? ids[0] : back(index)]);
  const status = Buffer.from("reason: the quota is exceeded\n");
  const blob = await git(repository, ["hash-object", "-w", "--stdin"], { input: status });
  const tree = await git(repository, ["mktree"], { input: `100644 blob ${blob}\tstatus.yaml\n` });
  const orphan = await git(repository, ["commit-tree", tree, "-m", "failed"]);
  const refs = [...applied, [`leading/${leader}`, orphan], [`failed/${names.at(-2)}`, orphan]];
  const moves = refs.map(([ref, id]) => `create refs/heads/amko/${ref} ${id}\n`).join("");
  await git(repository, ["update-ref", "--stdin"], { input: moves });
}
