import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type KubernetesObject, NAMESPACE } from "../../src/core/model.ts";
import { createBareRepository } from "../../src/sandbox/bare-repository.ts";
import { type GitServerUser, startGitServer } from "../../src/sandbox/git-server.ts";
import { installHook } from "./hook.ts";
import { NEWCOMERS_CLUSTERS, type NewcomerStage } from "./newcomer-story.ts";
import { type Pod, startPod } from "./pod.ts";
import { openTerminal, type Terminal } from "./terminal.ts";

/** The clusters that a newcomer is given. */
export interface NewcomerClusters {
  /** An administrator's, with a context for each. */
  readonly kubeconfig: string;
  readonly hasRights: boolean;
  install(person: Terminal, cluster: string, command: string): Promise<void>;
  /** The Deployment that was installed there. */
  readDeployment(person: Terminal, cluster: string): Promise<KubernetesObject>;
  /** Writes the kubeconfig of the pod's ServiceAccount. */
  writeAgentKubeconfig(cluster: string, file: string): Promise<void>;
  crash(cluster: string): Promise<void>;
  restart(cluster: string): Promise<void>;
}

export interface NewcomerSite {
  readonly stage: NewcomerStage;
  /** What stood on the screen, and the ends of the agents' logs. */
  told(): Promise<string>;
  stop(): Promise<void>;
}

const LOG_MAX_CHARACTERS = 4_000;

/** Sets up the rest: a guarded git server, a shell, and pods as each cluster's controllers would start them. */
export async function openNewcomerSite(folder: string, clusters: NewcomerClusters): Promise<NewcomerSite> {
  const users: Record<string, GitServerUser> = Object.fromEntries(
    [...NEWCOMERS_CLUSTERS, "anna"].map((name) => [name, { password: `${name}'s`, mayPush: true }]),
  );
  const repository = await createBareRepository(join(folder, "git"), "federation.git");
  const agents = Object.fromEntries(NEWCOMERS_CLUSTERS.map((name) => [name, name]));
  await installHook(repository, { ...agents, anna: "people" });
  const gitServer = await startGitServer({ root: join(folder, "git"), users });
  const person = await openPerson(folder, clusters.kubeconfig);
  const pods = new Map<string, Pod>();
  const stage: NewcomerStage = {
    person,
    repositoryUrl: gitServer.url("federation.git"),
    users,
    hasRights: clusters.hasRights,
    install: (cluster, command) => clusters.install(person, cluster, command),
    crash: clusters.crash,
    restart: clusters.restart,
    async startPod(cluster) {
      const kubeconfig = join(folder, `${cluster}.kubeconfig`);
      await clusters.writeAgentKubeconfig(cluster, kubeconfig);
      const pod = await startPod({
        deployment: await clusters.readDeployment(person, cluster),
        readSecret: (name) => readSecret(person, cluster, name),
        kubeconfig,
        folder: join(folder, `pod-${cluster}`),
        environment: {
          AMKO_GITOPS_POLL: "* * * * * *",
          AMKO_GITOPS_ACK_INTERVAL: "500ms",
          AMKO_GITOPS_LISTEN: "127.0.0.1:0",
        },
      });
      pods.set(cluster, pod);
      return pod;
    },
  };
  return {
    stage,
    async told() {
      const logs = [...pods].map(async ([name, pod]) => `--- ${name}\n${(await pod.log()).slice(-LOG_MAX_CHARACTERS)}`);
      return [person.transcript(), ...(await Promise.all(logs))].join("\n");
    },
    async stop() {
      for (const pod of pods.values()) await pod.kill();
      await gitServer.stop({ abruptly: true });
    },
  };
}

async function openPerson(folder: string, kubeconfig: string): Promise<Terminal> {
  const [place, credentials] = [join(folder, "anna"), join(folder, "anna-git")];
  await mkdir(place);
  await mkdir(credentials);
  await writeFile(join(credentials, "username"), "anna");
  await writeFile(join(credentials, "password"), "anna's");
  return openTerminal(place, {
    KUBECONFIG: kubeconfig,
    AMKO_GITOPS_GIT_CREDENTIALS: credentials,
    GIT_AUTHOR_NAME: "anna",
    GIT_AUTHOR_EMAIL: "anna@example.com",
    GIT_COMMITTER_NAME: "anna",
    GIT_COMMITTER_EMAIL: "anna@example.com",
  });
}

async function readSecret(person: Terminal, cluster: string, name: string): Promise<Readonly<Record<string, string>>> {
  const text = await person.ok(`kubectl --context ${cluster} -n ${NAMESPACE} get secret ${name} -o json`);
  const { data = {} } = JSON.parse(text) as { readonly data?: Readonly<Record<string, string>> };
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]));
}
