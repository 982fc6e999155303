import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { KubernetesObject } from "../../src/core/model.ts";
import { startAgentProcess } from "../../src/sandbox/agent-process.ts";
import { podOf } from "./deployment.ts";
import { waitUntil } from "./world.ts";

/** What a Secret holds, decoded; null where it is not there. */
export type ReadSecret = (name: string) => Promise<Readonly<Record<string, string>> | null>;

export interface PodOptions {
  readonly deployment: KubernetesObject;
  readonly readSecret: ReadSecret;
  /** With the token of the Deployment's ServiceAccount. */
  readonly kubeconfig: string;
  readonly folder: string;
  /** What differs on this machine: ports, and a pace that no test has to wait for. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The agent as the Deployment describes it, started as a cluster's controllers and its kubelet would. */
export interface Pod {
  /** Brings the mounted Secrets up to date, as the kubelet does within a minute or two. */
  remount(): Promise<void>;
  ask(path: string): Promise<string>;
  log(): Promise<string>;
  kill(): Promise<void>;
}

export async function startPod({ deployment, readSecret, kubeconfig, folder, environment }: PodOptions): Promise<Pod> {
  const { containers, volumes } = podOf([deployment]);
  const [{ env, volumeMounts }] = containers;
  await mkdir(folder, { recursive: true });

  /** Where on this machine a path of the container is. */
  const here = (path: string): string => join(folder, "root", path);

  async function remount(): Promise<void> {
    for (const { name, mountPath } of volumeMounts) {
      const secret = volumes.find((volume) => volume.name === name)?.secret?.secretName;
      const files = secret === undefined ? null : await readSecret(secret);
      await rm(here(mountPath), { recursive: true, force: true });
      await mkdir(here(mountPath), { recursive: true });
      for (const [key, value] of Object.entries(files ?? {})) await writeFile(join(here(mountPath), key), value);
    }
  }

  await remount();
  const isMounted = (value: string): boolean => volumeMounts.some(({ mountPath }) => value.startsWith(mountPath));
  const given = env.map(({ name, value }) => [name, isMounted(value) ? here(value) : value] as const);
  const variables = { ...Object.fromEntries(given), AMKO_GITOPS_KUBECONFIG: kubeconfig, ...environment };
  const logFile = join(folder, "log");
  await rm(logFile, { force: true });
  const agent = startAgentProcess({
    flags: {},
    logFile,
    runBy: ["env", ...Object.entries(variables).map(([name, value]) => `${name}=${value}`)],
  });
  const log = (): Promise<string> => readFile(logFile, "utf8").catch(() => "");
  let port = "";
  await waitUntil("the agent has started its server", async () => {
    port = /"port":(\d+)[^\n]*"msg":"started"/.exec(await log())?.[1] ?? "";
    return port !== "" || (await log());
  });
  return {
    remount,
    log,
    ask: async (path) => (await fetch(`http://127.0.0.1:${port}${path}`)).text(),
    kill: () => agent.kill(),
  };
}
