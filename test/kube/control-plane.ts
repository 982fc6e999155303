import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { findKubectl } from "../support/kubectl.ts";
import { type Binaries, findBinaries } from "./binaries.ts";
import { KUBE_API_SERVER, KUBE_ETCD, KUBE_ETCD_URL, KUBE_RUN_FOLDER, TEST_CLUSTERS } from "./environment.ts";
import { startEtcd } from "./etcd.ts";
import { endLeftovers } from "./program.ts";

/** What a run on real API servers is told. */
export interface ControlPlane {
  /** Lasts as long as the run. */
  readonly folder: string;
  readonly binaries: Binaries;
  /** Of kube-apiserver, etcd and kubectl, in one line. */
  readonly versions: string;
}

/**
 * Makes every test cluster that is started meanwhile a real one, over one etcd, and ends afterwards whatever is left.
 * @throws MissingBinaries
 */
export async function withControlPlane<T>(
  say: (line: string) => void,
  work: (plane: ControlPlane) => Promise<T>,
): Promise<T> {
  const binaries = await findBinaries(say);
  const folder = await mkdtemp(join(tmpdir(), "amko-gitops-kube-"));
  Object.assign(process.env, {
    [TEST_CLUSTERS]: "kube",
    [KUBE_API_SERVER]: binaries.apiServer,
    [KUBE_ETCD]: binaries.etcd,
    [KUBE_RUN_FOLDER]: folder,
    ...(binaries.kubectlFolder === null ? {} : { PATH: `${binaries.kubectlFolder}:${process.env["PATH"]}` }),
  });
  try {
    const versions = await versionsOf(binaries);
    say(`on ${versions}`);
    const etcd = await startEtcd(folder);
    process.env[KUBE_ETCD_URL] = etcd.url;
    return await work({ folder, binaries, versions });
  } finally {
    const left = await endLeftovers(folder);
    if (left > 1) say(`ended ${left - 1} processes that were left behind`);
    await rm(folder, { recursive: true, force: true });
  }
}

async function versionsOf({ apiServer, etcd }: Binaries): Promise<string> {
  const print = async (program: string, ...args: readonly string[]): Promise<string> =>
    (await promisify(execFile)(program, [...args])).stdout;
  const server = /v\S+/.exec(await print(apiServer, "--version"))?.[0];
  const store = /etcd Version: (\S+)/.exec(await print(etcd, "--version"))?.[1];
  const client = /"gitVersion": "([^"]+)"/.exec(
    await print(await findKubectl(), "version", "--client", "-o", "json"),
  )?.[1];
  return `kube-apiserver ${server}, etcd v${store}, kubectl ${client}`;
}
