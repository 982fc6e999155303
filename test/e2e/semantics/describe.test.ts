import { afterEach, expect, test, vi } from "vitest";
import { CATALOGUE, type ErrorCode } from "../../../src/core/catalogue.ts";
import { calm, clusterOf, flipTo, inSync, withManifest } from "../../support/federation.ts";
import { createKubectl, type Kubectl } from "../../support/kubectl.ts";
import type { PersonalChange } from "../../support/person.ts";
import { AMKO_CLUSTER, type World, type WorldCluster, waitUntil } from "../../support/world.ts";
import { tellLogs, useWorld } from "../use-world.ts";

/** `kubectl describe amkocluster` is where whoever is called at night looks first: state, cause and remedy stand there. */

vi.setConfig({ testTimeout: 150_000, hookTimeout: 150_000 });

const world = useWorld();
let kubectl: Kubectl | null = null;

afterEach(() => calm(world()));

/** What people read there, each run of white space as one space: kubectl wraps nothing, but aligns. */
async function describeIn({ kubeconfig }: World, { name }: WorldCluster): Promise<string> {
  kubectl ??= await createKubectl(kubeconfig);
  const { stdout, stderr } = await kubectl([
    "--context",
    name,
    "-n",
    "avi-system",
    "describe",
    "amkocluster",
    AMKO_CLUSTER,
  ]);
  expect(stderr).toBe("");
  return stdout.replaceAll(/\s+/g, " ");
}

type Changes = Readonly<Record<string, PersonalChange>>;

interface Case {
  readonly when: string;
  readonly committed: Changes;
  readonly code: ErrorCode;
  /** Besides the code and the catalogue's remedy. */
  readonly cause: string;
  readonly place: string;
  /** Who says so. */
  readonly clusters: readonly string[];
}

const EVERYBODY = ["cluster1", "cluster2", "cluster3"] as const;
const manifestOf = (name: string): string => `clusters/${name}/amkocluster.yaml`;

const CASES: readonly Case[] = [
  {
    when: "two clusters lead",
    committed: withManifest("cluster2", { isLeader: true }),
    code: "AG5002",
    cause: "AMKO in cluster cluster2 is also a leader, conflicting state",
    place: manifestOf("cluster1"),
    clusters: EVERYBODY,
  },
  {
    when: "nobody leads",
    committed: withManifest("cluster1", { isLeader: false }),
    code: "AG5001",
    cause: "no manifest sets isLeader: true",
    place: "",
    clusters: EVERYBODY,
  },
  {
    when: "a manifest cannot be read",
    committed: { [manifestOf("cluster2")]: "kind: [\n" },
    code: "AG5003",
    cause: "a manifest cannot be read and may claim leadership: malformed YAML",
    place: `${manifestOf("cluster2")}:2`,
    clusters: EVERYBODY,
  },
  {
    when: "the leader's manifest is invalid",
    committed: withManifest("cluster1", { isLeader: true, version: "" }),
    code: "AG5004",
    cause: "invalid AMKOCluster object: spec.version is empty",
    place: manifestOf("cluster1"),
    clusters: EVERYBODY,
  },
  {
    when: "a member has another version",
    committed: withManifest("cluster3", { version: "1.4.3" }),
    code: "AG5007",
    cause: "version mismatch, current AMKO: 1.4.2, AMKO in cluster cluster3: 1.4.3",
    place: manifestOf("cluster3"),
    clusters: ["cluster3"],
  },
  {
    when: "a member has no manifest",
    committed: { [manifestOf("cluster3")]: null },
    code: "AG5006",
    cause: "AMKO in cluster cluster3 has no AMKOCluster manifest",
    place: manifestOf("cluster1"),
    clusters: ["cluster3"],
  },
  {
    when: "a cluster is not in the leader's list",
    committed: withManifest("cluster1", { isLeader: true, clusters: ["cluster1", "cluster2"] }),
    code: "AG5005",
    cause: "cluster cluster3 is not in spec.clusters of the leader cluster1",
    place: "",
    clusters: ["cluster3"],
  },
];

test.each(CASES)(
  "tells, when $when, the cause, the place and the remedy",
  async ({ committed, code, cause, place, clusters }) => {
    tellLogs(world());
    await inSync(world());
    // Where the server runs no hook, or somebody gets past it.
    await world().person.slip(committed);
    for (const name of clusters) {
      await waitUntil(`kubectl describe amkocluster in ${name} tells ${code}`, async () => {
        const told = await describeIn(world(), clusterOf(world(), name));
        return [code, cause, place, CATALOGUE[code].remedy].every((words) => told.includes(words)) || told;
      });
    }
    await world().person.push(flipTo("cluster1"));
    await inSync(world());
  },
);

test("tells of each member on the leader, and why one is left out", async () => {
  tellLogs(world());
  await inSync(world());
  await world().person.push(withManifest("cluster3", { version: "1.4.3" }));
  await waitUntil("the leader names the member and the versions", async () => {
    const told = await describeIn(world(), clusterOf(world(), "cluster1"));
    const words = [
      "error in validating some member clusters",
      "AMKO in cluster cluster3: 1.4.3",
      "member cluster validation",
    ];
    return words.every((one) => told.includes(one)) || told;
  });
  await world().person.push(flipTo("cluster1"));
  await inSync(world());
});
