import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFailed, test, vi } from "vitest";
import { globalDeploymentPolicy, snapshotFile } from "../support/builders.ts";
import {
  calm,
  clusterOf,
  editPolicy,
  flipTo,
  GDP,
  inSync,
  isLeader,
  pushWhatDiffers,
  redefine,
  waitForLeader,
  waitForRef,
  waitUntilGone,
  withManifest,
} from "../support/federation.ts";
import { commitTree, git, setBranch } from "../support/git.ts";
import { PROJECT } from "../support/process.ts";
import { commandIn } from "../support/runbook.ts";
import { openTerminal, type Terminal } from "../support/terminal.ts";
import { AMKO_CLUSTER, objectFrom, startWorld, type World } from "../support/world.ts";

/**
 * Drills: something goes wrong, `kubectl describe` tells the code, and the command that the runbook has under it, with
 * nothing but its placeholders filled in, mends it.
 */

vi.setConfig({ testTimeout: 150_000, hookTimeout: 120_000 });

let world: World;
let person: Terminal;

beforeAll(async () => {
  world = await startWorld({ agentFlags: { "handover-timeout": "never" } });
  const folder = join(world.folder, "anna");
  await mkdir(folder);
  await git(world.folder, ["clone", "--quiet", world.repositoryUrl, folder]);
  person = await openTerminal(folder, {
    KUBECONFIG: world.kubeconfig,
    GIT_AUTHOR_NAME: "anna",
    GIT_AUTHOR_EMAIL: "anna@example.com",
    GIT_COMMITTER_NAME: "anna",
    GIT_COMMITTER_EMAIL: "anna@example.com",
  });
});

afterAll(() => world?.stop());

interface Drill {
  readonly code: string;
  readonly what: string;
  /** Where the code shows, and the remedy is needed. */
  readonly clusters: readonly string[];
  provoke(): Promise<unknown>;
  /** The commands of the section, each by words that only it holds, with what is added to it. */
  readonly remedy: readonly (readonly [words: string, added?: string])[];
  readonly fillIn?: Readonly<Record<string, string>>;
  /** What has to be put right beside it. */
  after?(): Promise<unknown>;
}

const annotate = (cluster: string, annotations: Readonly<Record<string, string>>) =>
  clusterOf(world, cluster).objects.merge("AMKOCluster", AMKO_CLUSTER, { metadata: { annotations } });
const allClusters = ["cluster1", "cluster2", "cluster3"];
let former = "";

const DRILLS: readonly Drill[] = [
  {
    code: "AG5001",
    what: "nobody claims",
    clusters: ["cluster1"],
    provoke: () => pushWhatDiffers(world, withManifest("cluster1", { isLeader: false })),
    remedy: [["failover --to", "--yes"]],
  },
  {
    code: "AG5002",
    what: "two claim",
    clusters: ["cluster1"],
    provoke: () => pushWhatDiffers(world, withManifest("cluster2", { isLeader: true })),
    remedy: [["failover --to", "--yes"]],
  },
  {
    code: "AG2007",
    what: "the branch was put back, on purpose",
    clusters: allClusters,
    async provoke() {
      const before = await world.head();
      await pushWhatDiffers(world, {
        "notes.md": `${before}\n`,
        ...withManifest("cluster3", { clusters: ["cluster1"] }),
      });
      await inSync(world);
      await setBranch(world.repositoryFolder, "main", before);
    },
    remedy: [["accept-rewrite --context <cluster> --yes"]],
  },
  {
    code: "AG2007",
    what: "the branch was put back, and nobody meant it",
    clusters: ["cluster2"],
    async provoke() {
      const before = await world.head();
      await pushWhatDiffers(world, {
        "more.md": `${before}\n`,
        ...withManifest("cluster3", { clusters: ["cluster1"] }),
      });
      former = await inSync(world);
      await git(person.folder, ["fetch", "--quiet", "origin"]);
      await setBranch(world.repositoryFolder, "main", before);
      await git(person.folder, ["fetch", "--quiet", "origin"]);
    },
    remedy: [["push --force-with-lease"]],
    fillIn: {
      get "<commit>"() {
        return former;
      },
    },
  },
  {
    code: "AG5008",
    what: "the cluster was rebuilt",
    clusters: ["cluster2"],
    async provoke() {
      const files = { "identity.yaml": 'branch: "main"\nnamespaceUid: "of another one"\npath: ""\n' };
      await setBranch(
        world.repositoryFolder,
        "amko/identity/cluster2",
        await commitTree(world.repositoryFolder, { files }),
      );
      // An agent at rest asks for the branch alone; that of a rebuilt cluster has just been started.
      await clusterOf(world, "cluster2").agent()?.kill();
      clusterOf(world, "cluster2").startAgent();
    },
    remedy: [["accept-identity --context", "--yes"]],
  },
  {
    code: "AG5015",
    what: "somebody suspended the agent",
    clusters: ["cluster3"],
    provoke: () =>
      annotate("cluster3", {
        "amko-gitops.io/suspended-until": "2100-01-01T00:00:00Z",
        "amko-gitops.io/suspend-reason": "for the drill",
      }),
    remedy: [["resume --context"]],
  },
  {
    code: "AG3008",
    what: "the CRD is older than the object",
    clusters: ["cluster3"],
    async provoke() {
      await redefine(clusterOf(world, "cluster3"), "GlobalDeploymentPolicy", (text) =>
        text.replaceAll('"pkiProfileRef"', '"somethingElse"'),
      );
      await editPolicy(world.leader, { pkiProfileRef: "pki-1" });
    },
    remedy: [["apply --server-side"], ["reconcile --context"]],
    fillIn: { "<AMKO's chart>/crds/": join(PROJECT, "deploy/crds/") },
  },
  {
    code: "AG3017",
    what: "a finalizer keeps an object that was deleted, and has to be written",
    clusters: ["cluster2"],
    async provoke() {
      const { objects } = clusterOf(world, "cluster2");
      await objects.merge("GlobalDeploymentPolicy", GDP, { metadata: { finalizers: ["example.com/slow"] } });
      await objects.remove("GlobalDeploymentPolicy", GDP);
      await editPolicy(world.leader, { ttl: 17 });
    },
    remedy: [["patch <kind> <name>"]],
    fillIn: { "<kind>": "gdp", "<name>": GDP },
  },
  {
    code: "AG5014",
    what: "an object never came from git, and git says that it is deleted",
    clusters: ["cluster2"],
    async provoke() {
      const { path, bytes } = snapshotFile(globalDeploymentPolicy({ deleted: "for the drill" }));
      await pushWhatDiffers(world, { [path]: new TextDecoder().decode(bytes ?? undefined) });
      await waitUntilGone(world.clusters, "GlobalDeploymentPolicy", GDP);
      const own = globalDeploymentPolicy({ spec: { matchRules: {}, ttl: 4321 } });
      await clusterOf(world, "cluster2").objects.create(objectFrom(own));
    },
    remedy: [["delete <kind> <name>"]],
    fillIn: { "<kind>": "gdp", "<name>": GDP },
  },
  {
    code: "AG5011",
    what: "the former leader is dead, and the new one waits for ever",
    clusters: ["cluster2"],
    async provoke() {
      await world.leader.agent()?.kill();
      await pushWhatDiffers(world, flipTo("cluster2"));
    },
    remedy: [["--delete amko/leading/"]],
    fillIn: { "<that cluster>": "cluster1" },
    async after() {
      await waitForLeader([clusterOf(world, "cluster2"), clusterOf(world, "cluster3")], "cluster2");
      world.leader.startAgent();
      await inSync(world);
      expect(await isLeader(world.leader)).toBe(false);
    },
  },
];

test.each(DRILLS)("$code: $what", async ({ code, clusters, provoke, remedy, fillIn = {}, after }) => {
  onTestFailed(async () => void process.stderr.write(`${person.transcript()}\n${await world.logs()}\n`));
  await provoke();
  for (const cluster of clusters) {
    const describeIt = `kubectl --context ${cluster} -n avi-system describe amkocluster`;
    await person.until(describeIt, new RegExp(`Reason: +${code} .*\\n +Status: +False\\n +Type: +Synced`));
  }
  for (const cluster of clusters) {
    for (const [words, added = ""] of remedy) {
      const filledIn = Object.entries({ ...fillIn, "<cluster>": cluster, "<why>": "the drill" }).reduce(
        (command, [placeholder, value]) => command.replaceAll(placeholder, value),
        commandIn(code, words),
      );
      await person.ok(`${filledIn} ${added}`.trim());
    }
  }
  await after?.();
  await inSync(world);
  await calm(world);
});

test("AG5020: somebody set isLeader by hand, and did not mean it", async () => {
  onTestFailed(async () => void process.stderr.write(`${person.transcript()}\n${await world.logs()}\n`));
  await clusterOf(world, "cluster2").objects.merge("AMKOCluster", AMKO_CLUSTER, { spec: { isLeader: true } });
  // It was put back, so the cluster is in sync: the code stands behind the revision.
  await person.until(
    "kubectl --context cluster2 -n avi-system describe amkocluster",
    /Reason: +main@sha1:\w+; AG5020 /,
  );
  await person.ok(commandIn("AG5020", "--delete amko/propose/").replaceAll("<cluster>", "cluster2"));
  await waitForRef(world, "amko/propose/cluster2/leader", false);
  await inSync(world);
});
