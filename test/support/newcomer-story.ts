import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { GitServerUser } from "../../src/sandbox/git-server.ts";
import { writeAmkoChart } from "./amko-chart.ts";
import { readAlerts } from "./monitoring.ts";
import type { Pod } from "./pod.ts";
import { PROJECT } from "./process.ts";
import { commandIn, sectionOf } from "./runbook.ts";
import type { Terminal } from "./terminal.ts";

/** What the newcomer finds: clusters without AMKO, a git server with an empty repository, and a shell. */
export interface NewcomerStage {
  /** Its folder is where everything happens; its kubeconfig has a context for each cluster. */
  readonly person: Terminal;
  readonly repositoryUrl: string;
  /** Of the git server, one for each cluster and `anna`; what is changed holds from now on. */
  readonly users: Record<string, GitServerUser>;
  /** Carries a command of the README's out that installs the agent, as far as these clusters can. */
  install(cluster: string, command: string): Promise<void>;
  /** What a cluster's controllers make of the Deployment that is installed there. */
  startPod(cluster: string): Promise<Pod>;
  crash(cluster: string): Promise<void>;
  restart(cluster: string): Promise<void>;
  /** Whether the API servers keep the agent to its Role. */
  readonly hasRights: boolean;
}

export const NEWCOMERS_CLUSTERS: readonly string[] = ["cluster1", "cluster2", "cluster3"];
const EXAMPLE_URL = "https://git.example.com/platform/federation.git";
const README = await readFile(join(PROJECT, "README.md"), "utf8");

/** With nothing but the README to an installed federation, a failover, and out of troubles with the runbook. */
export async function playNewcomer(stage: NewcomerStage): Promise<void> {
  await prepare(stage);
  const pods = await install(stage);
  await takeFederatorsOut(stage);
  await federate(stage);
  await failOver(stage, pods);
  await mendCredentials(stage, pods);
  if (stage.hasRights) await mendRights(stage, pods);
}

const kubectl = (cluster: string, rest: string): string => `kubectl --context ${cluster} -n avi-system ${rest}`;

/** The one line of the README's code that begins so, with what is ours in the place of its examples. */
function readme({ repositoryUrl }: NewcomerStage, beginning: string): string {
  const code = [...README.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text = ""]) => text.replaceAll(/ \\\n\s*/g, " "));
  const lines = code.flatMap((text) => text.split("\n")).filter((line) => line.startsWith(beginning));
  expect(lines, `lines of the README that begin with ${beginning}`).toHaveLength(1);
  return (lines[0] ?? "")
    .replace(/\s+# .*$/, "")
    .replace(/^npx /, "")
    .replaceAll(EXAMPLE_URL, repositoryUrl);
}

/** A checkout, and AMKO in each cluster, with its own federator. */
async function prepare({ person }: NewcomerStage): Promise<void> {
  await symlink(join(PROJECT, "deploy"), join(person.folder, "deploy"));
  const crds = ["amkoclusters", "gslbconfigs", "globaldeploymentpolicies"].map(async (plural) => {
    const name = `amko.vmware.com_${plural}.yaml`;
    return [name, await readFile(join(PROJECT, "deploy/crds", name), "utf8")] as const;
  });
  await writeAmkoChart(join(person.folder, "amko"), {
    version: "2.2.1",
    crds: Object.fromEntries(await Promise.all(crds)),
  });
  for (const cluster of NEWCOMERS_CLUSTERS) {
    const values = {
      federation: {
        currentCluster: cluster,
        currentClusterIsLeader: cluster === "cluster1",
        memberClusters: NEWCOMERS_CLUSTERS,
      },
    };
    await writeFile(join(person.folder, `amko-${cluster}.yaml`), JSON.stringify(values));
    await person.ok(amkoWith(cluster, "helm upgrade --install amko …"));
  }
}

/** A command of the README's about AMKO's chart, which leaves chart and values out. */
function amkoWith(cluster: string, command: string): string {
  const rest = `amko --values amko-${cluster}.yaml --namespace avi-system --kube-context ${cluster}`;
  return command.replace("…", rest);
}

type Pods = Map<string, Pod>;

async function install(stage: NewcomerStage): Promise<Pods> {
  const { person, users, repositoryUrl } = stage;
  await person.ok(`${readme(stage, "npx amko-gitops init --from-contexts")} --yes`);
  const pods: Pods = new Map();
  for (const cluster of NEWCOMERS_CLUSTERS) {
    await writeFile(join(person.folder, "token.txt"), users[cluster]?.password ?? "");
    const secret = readme(stage, "kubectl -n avi-system create secret generic amko-gitops-git");
    await person.ok(`${secret.replace("username=cluster1", `username=${cluster}`)} --context ${cluster}`);
    const check = readme(stage, "npx amko-gitops check --context cluster1").replace("cluster1", cluster);
    const { code, stdout } = await person.run(check);
    // As the README says: AMKO's own federator beside the leader, and nothing else.
    expect(code).toBe(cluster === "cluster1" ? 1 : 0);
    expect(failedIn(stdout)).toEqual(cluster === "cluster1" ? ["AG5021"] : []);
  }
  for (const cluster of ["cluster1", "cluster3"]) {
    await writeOverlay(person.folder, cluster, repositoryUrl);
    const apply = readme(stage, "kubectl apply -k").replace("deploy/overlays/cluster1", `overlays/${cluster}`);
    await stage.install(cluster, `${apply} --context ${cluster}`);
  }
  const chart = readme(stage, "helm upgrade --install amko-gitops deploy/helm").replace("=cluster1", "=cluster2");
  await stage.install("cluster2", `${chart} --kube-context cluster2`);
  for (const cluster of NEWCOMERS_CLUSTERS) pods.set(cluster, await stage.startPod(cluster));
  for (const cluster of ["cluster2", "cluster3"]) await inSync(stage, cluster);
  return pods;
}

/** The codes of what `check` calls failed. */
function failedIn(text: string): readonly string[] {
  return [...text.matchAll(/^.*\bfailed\b.*?(AG\d{4})/gm)].map(([, code = ""]) => code);
}

/** A copy of the example's folder, with what is marked there changed. */
async function writeOverlay(folder: string, cluster: string, repositoryUrl: string): Promise<void> {
  const target = join(folder, "overlays", cluster);
  await mkdir(join(folder, "overlays"), { recursive: true });
  await cp(join(PROJECT, "deploy/overlays", cluster), target, { recursive: true });
  const change = async (file: string, from: string, to: string): Promise<void> => {
    const text = await readFile(join(target, file), "utf8");
    expect(text).toContain(from);
    await writeFile(join(target, file), text.replaceAll(from, to));
  };
  await change("kustomization.yaml", "- ../../kustomize", "- ../../deploy/kustomize");
  await change("settings.yaml", EXAMPLE_URL, repositoryUrl);
}

async function inSync({ person }: NewcomerStage, cluster: string): Promise<void> {
  await person.until(kubectl(cluster, "wait --for=condition=Synced amkocluster --all --timeout=5s"), /condition met/);
}

/** The first trouble, before anything is federated: the code leads to the runbook, and that to the post-renderer. */
async function takeFederatorsOut(stage: NewcomerStage): Promise<void> {
  const { person } = stage;
  await findCode(stage, "cluster1", "AG5021");
  expect(sectionOf("AG5021")).toContain("post-renderer");
  await person.ok(readme(stage, "helm plugin install"));
  const command = readme(stage, "helm upgrade --install amko … --post-renderer amko-without-federator");
  for (const cluster of NEWCOMERS_CLUSTERS) await person.ok(amkoWith(cluster, command));
  for (const cluster of NEWCOMERS_CLUSTERS) await inSync(stage, cluster);
  await person.until(`amko-gitops status --check --repo ${stage.repositoryUrl}`, /cluster1 leads/);
}

async function federate({ person, repositoryUrl }: NewcomerStage): Promise<void> {
  await person.ok(kubectl("cluster1", `patch gdp global-gdp --type=merge -p '{"spec":{"ttl":7}}'`));
  for (const cluster of NEWCOMERS_CLUSTERS) {
    await person.until(kubectl(cluster, "get gdp global-gdp -o jsonpath={.spec.ttl}"), /^7$/);
  }
  expect(await person.ok(`amko-gitops history --repo ${repositoryUrl} --limit 1`)).toContain("spec.ttl: 10 -> 7");
}

const isLeader = "get amkocluster -o jsonpath={.items[0].spec.isLeader}";

/** Site 1 is lost, and comes back. */
async function failOver(stage: NewcomerStage, pods: Pods): Promise<void> {
  const { person, repositoryUrl } = stage;
  await pods.get("cluster1")?.kill();
  await stage.crash("cluster1");
  const [, command = ""] = /`(amko-gitops failover --to cluster3 --controller-ip \S+)`/.exec(README) ?? [];
  await person.ok(`${command.replace("cluster3", "cluster2")} --reason 'Site 1 is lost' --yes --repo ${repositoryUrl}`);
  await person.until(kubectl("cluster2", isLeader), /^true$/);
  const controller = "get gslbconfig gc-1 -o jsonpath={.spec.gslbLeader.controllerIP}";
  await person.until(kubectl("cluster3", controller), /^10\.30\.0\.10$/);
  await stage.restart("cluster1");
  pods.set("cluster1", await stage.startPod("cluster1"));
  await person.until(kubectl("cluster1", isLeader), /^false$/);
  await person.until(`amko-gitops status --check --repo ${repositoryUrl}`, /cluster2 leads/);
}

/** The git server does not take the token of cluster3 any more. */
async function mendCredentials(stage: NewcomerStage, pods: Pods): Promise<void> {
  const { person, users } = stage;
  users["cluster3"] = { password: "the next one", mayPush: true };
  const code = await findCode(stage, "cluster3", "AG2002");
  expect(await pods.get("cluster3")?.ask("/metrics")).toContain(`amko_gitops_problem{code="${code}"} 1`);
  // What Prometheus would tell whoever is on call.
  const alert = (await readAlerts()).find(({ expr }) => expr.startsWith(`amko_gitops_problem{code=~"${code}|`));
  const heading = /RUNBOOK\.md#(\w+)$/.exec(alert?.annotations["runbook_url"] ?? "")?.[1] ?? "";
  await writeFile(join(person.folder, "token.txt"), "the next one");
  const remedy = commandIn(heading, "create secret generic amko-gitops-git");
  await person.ok(remedy.replaceAll("<cluster>", "cluster3").replaceAll("<user>", "cluster3"));
  await pods.get("cluster3")?.remount();
  await inSync(stage, "cluster3");
}

/** Somebody tidied the Role. */
async function mendRights(stage: NewcomerStage, pods: Pods): Promise<void> {
  const { person } = stage;
  const patch = `'[{"op":"replace","path":"/rules/2/verbs","value":["list","watch"]}]'`;
  await person.ok(kubectl("cluster2", `patch role amko-gitops --type=json -p ${patch}`));
  await person.ok(kubectl("cluster2", `patch gdp global-gdp --type=merge -p '{"spec":{"ttl":9}}'`));
  const code = await findCode(stage, "cluster2", "AG3003");
  expect(await pods.get("cluster2")?.ask("/metrics")).toContain(`amko_gitops_problem{code="${code}"} 1`);
  const remedy = commandIn(code.toLowerCase(), "apply -f");
  await person.ok(remedy.replaceAll("<cluster>", "cluster2"));
  for (const cluster of NEWCOMERS_CLUSTERS) {
    await person.until(kubectl(cluster, "get gdp global-gdp -o jsonpath={.spec.ttl}"), /^9$/);
    await inSync(stage, cluster);
  }
}

/** What `kubectl describe` shows as the code of the condition Synced. */
async function findCode({ person }: NewcomerStage, cluster: string, wanted: string): Promise<string> {
  const told = await person.until(kubectl(cluster, "describe amkocluster"), new RegExp(`Reason: +${wanted} `));
  const code = /Reason: +(AG\d{4}) .*\n +Status: +(?:False|Unknown)\n +Type: +Synced/.exec(told)?.[1] ?? "";
  expect(code).toBe(wanted);
  return code;
}
