import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, onTestFailed, test } from "vitest";
import type { KubernetesObject } from "../../src/core/model.ts";
import { writeKubeconfig } from "../../src/sandbox/api-server/kubeconfig.ts";
import { startClusters, type TestCluster, type TestClusters } from "../support/clusters.ts";
import { readObjects } from "../support/helm.ts";
import { type NewcomerSite, openNewcomerSite } from "../support/newcomer-site.ts";
import { NEWCOMERS_CLUSTERS, playNewcomer } from "../support/newcomer-story.ts";

/**
 * A newcomer with the embedded API servers, which know neither Deployments nor rights: what the README's commands would
 * install is rendered, and its Deployment is started. `npm run test:kube` plays the same story with real ones.
 */

const STORY_MAX_MS = 300_000;

let folder: string;
let clusters: TestClusters;
let site: NewcomerSite;
const deployments = new Map<string, KubernetesObject>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "newcomer-"));
  clusters = await startClusters(NEWCOMERS_CLUSTERS, folder);
  site = await openNewcomerSite(folder, {
    kubeconfig: clusters.kubeconfig,
    hasRights: false,
    async install(person, cluster, command) {
      const objects = readObjects(await person.ok(rendering(command)));
      const [deployment] = objects.filter(({ kind }) => kind === "Deployment");
      if (deployment === undefined) throw new Error(`${command} installs no Deployment`);
      deployments.set(cluster, deployment);
    },
    async readDeployment(_, cluster) {
      const deployment = deployments.get(cluster);
      if (deployment === undefined) throw new TypeError(`nothing was installed in ${cluster}`);
      return deployment;
    },
    async writeAgentKubeconfig(cluster, file) {
      const { url, token } = clusterOf(cluster);
      await writeKubeconfig(file, [{ context: cluster, url, token }]);
    },
    crash: (cluster) => clusterOf(cluster).crash(),
    restart: (cluster) => clusterOf(cluster).restart(),
  });
}, STORY_MAX_MS);

afterAll(async () => {
  await site?.stop();
  await clusters?.stop();
  await rm(folder, { recursive: true });
});

test("installs, federates, fails over and finds out what is wrong, with README and runbook", {
  timeout: STORY_MAX_MS,
}, async () => {
  onTestFailed(async () => void process.stderr.write(`${await site.told()}\n`));
  await playNewcomer(site.stage);
});

function clusterOf(name: string): TestCluster {
  const found = clusters.clusters.find((cluster) => cluster.name === name);
  if (found === undefined) throw new TypeError(`there is no ${name}`);
  return found;
}

/** The command that prints what another would install. */
function rendering(command: string): string {
  return command
    .replace(/ --(?:kube-)?context \S+$/, "")
    .replace(/^kubectl apply -k/, "kubectl kustomize")
    .replace(/^helm upgrade --install/, "helm template");
}
