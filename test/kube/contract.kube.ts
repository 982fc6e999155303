import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clusterContract } from "../contract/cluster.ts";
import type { ClusterWorld } from "../contract/cluster-world.ts";
import { startKubeApiServer } from "./api-server.ts";
import { compactEtcd, startEtcd } from "./etcd.ts";

async function realWorld(): Promise<ClusterWorld> {
  const folder = mkdtempSync(join(tmpdir(), "kube-contract-"));
  // An etcd of its own, since it is made to forget.
  const etcd = await startEtcd(folder);
  const server = await startKubeApiServer({ folder: join(folder, "kube"), etcdUrl: etcd.url });
  const restart = async (): Promise<void> => {
    await server.crash();
    await server.restart();
  };
  return {
    upstream: server.upstream,
    restart,
    compact: async () => {
      await compactEtcd(etcd.url);
      // The API server remembers what etcd has forgotten, until it is started again.
      await restart();
    },
    stop: async () => {
      await server.crash();
      await etcd.crash();
      rmSync(folder, { recursive: true });
    },
  };
}

clusterContract("the client on a kube-apiserver", realWorld);
