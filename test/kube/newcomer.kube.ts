import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, onTestFailed, test } from "vitest";
import { type KubernetesObject, NAMESPACE } from "../../src/core/model.ts";
import { kubeconfigOf } from "../support/kube-clusters.ts";
import { type NewcomerSite, openNewcomerSite } from "../support/newcomer-site.ts";
import { NEWCOMERS_CLUSTERS, playNewcomer } from "../support/newcomer-story.ts";
import { type KubeApiServer, startKubeApiServer } from "./api-server.ts";
import { KUBE_ETCD_URL, told } from "./environment.ts";
import { installNamespace, requestAgentToken } from "./install.ts";

/** A newcomer with real API servers, each agent with a token of the ServiceAccount that was installed, and its rights. */

const STORY_MAX_MS = 400_000;

let folder: string;
let servers: ReadonlyMap<string, KubeApiServer>;
let site: NewcomerSite;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kube-newcomer-"));
  const started = NEWCOMERS_CLUSTERS.map(async (name) => {
    const server = await startKubeApiServer({ folder: join(folder, name), etcdUrl: told(KUBE_ETCD_URL) });
    await installNamespace(server.upstream);
    return [name, server] as const;
  });
  servers = new Map(await Promise.all(started));
  const kubeconfig = join(folder, "kubeconfig");
  await writeFile(kubeconfig, JSON.stringify(kubeconfigOf(NEWCOMERS_CLUSTERS.map(adminContext))), { mode: 0o600 });
  site = await openNewcomerSite(folder, {
    kubeconfig,
    hasRights: true,
    install: async (person, _, command) => void (await person.ok(command)),
    async readDeployment(person, cluster) {
      const text = await person.ok(`kubectl --context ${cluster} -n ${NAMESPACE} get deployment amko-gitops -o json`);
      return JSON.parse(text) as KubernetesObject;
    },
    async writeAgentKubeconfig(cluster, file) {
      const token = await requestAgentToken(serverOf(cluster).upstream);
      await writeFile(file, JSON.stringify(kubeconfigOf([{ ...adminContext(cluster), token }])), { mode: 0o600 });
    },
    crash: (cluster) => serverOf(cluster).crash(),
    restart: (cluster) => serverOf(cluster).restart(),
  });
}, STORY_MAX_MS);

afterAll(async () => {
  await site?.stop();
  for (const server of servers?.values() ?? []) await server.crash();
  await rm(folder, { recursive: true });
});

test("installs, federates, fails over and finds out what is wrong, with README and runbook", {
  timeout: STORY_MAX_MS,
}, async () => {
  onTestFailed(async () => void process.stderr.write(`${await site.told()}\n`));
  await playNewcomer(site.stage);
});

function serverOf(cluster: string): KubeApiServer {
  const server = servers.get(cluster);
  if (server === undefined) throw new TypeError(`there is no ${cluster}`);
  return server;
}

function adminContext(name: string) {
  const { upstream, ca, adminToken } = serverOf(name);
  return { name, server: upstream.url, ca, token: adminToken };
}
