import { join } from "node:path";
import { KUBE_ETCD, told } from "./environment.ts";
import { findPort } from "./port.ts";
import { type Program, startProgram, tailOf } from "./program.ts";
import { becomes } from "./wait.ts";

/** An etcd of one node, on loopback. */
export interface Etcd {
  readonly url: string;
  /** Ends it as a loss of power would. What it acknowledged is kept. */
  crash(): Promise<void>;
  /** Starts it again, at the same address. */
  restart(): Promise<void>;
}

const STARTS_MAX = 3;

export async function startEtcd(folder: string): Promise<Etcd> {
  for (let starts = 1; ; starts += 1) {
    const [client, peer] = [await findPort(), await findPort()];
    const url = `http://127.0.0.1:${client}`;
    let program: Program | null = null;
    const crash = async (): Promise<void> => {
      const running = program;
      program = null;
      await running?.kill();
    };
    const restart = async (): Promise<void> => {
      program ??= await run(url, `http://127.0.0.1:${peer}`, folder);
    };
    try {
      await restart();
      return { url, crash, restart };
    } catch (error) {
      if (starts === STARTS_MAX) throw error;
    }
  }
}

async function run(url: string, peerUrl: string, folder: string): Promise<Program> {
  const logFile = join(folder, "etcd.log");
  const program = startProgram(
    told(KUBE_ETCD),
    [
      `--data-dir=${join(folder, "etcd")}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
      // A process is killed here, never the machine: what was written is there without it, and all is faster.
      "--unsafe-no-fsync",
      "--log-level=warn",
    ],
    logFile,
  );
  const ready = await becomes(async () => (await fetch(`${url}/health`)).ok, program.running);
  if (ready) return program;
  await program.kill();
  throw new Error(`etcd did not start: ${await tailOf(logFile)}`);
}

/** Makes etcd forget every revision but the newest. */
export async function compactEtcd(url: string): Promise<void> {
  const status = await ask<{ readonly header: { readonly revision: string } }>(url, "/v3/maintenance/status", {});
  await ask(url, "/v3/kv/compaction", { revision: status.header.revision, physical: true });
}

async function ask<T>(url: string, path: string, body: object): Promise<T> {
  const answer = await fetch(`${url}${path}`, { method: "POST", body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`etcd answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}
