import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startApiServer } from "../../src/sandbox/api-server/server.ts";
import { clusterContract } from "./cluster.ts";
import type { ClusterWorld } from "./cluster-world.ts";

/** The embedded API server, with its objects in a file so that they outlive a crash. */
async function embeddedWorld(): Promise<ClusterWorld> {
  const folder = mkdtempSync(join(tmpdir(), "api-server-"));
  const token = "an-administrator";
  const start = (port: number) =>
    startApiServer({ name: "east", port, definitions: [], storageFile: join(folder, "objects"), token });
  let server = await start(0);
  return {
    upstream: { url: server.url, headers: { authorization: `Bearer ${token}` }, tls: {} },
    restart: async () => {
      const { port } = server;
      await server.stop({ abruptly: true });
      server = await start(port);
    },
    compact: async () => server.compact(),
    stop: async () => {
      await server.stop({ abruptly: true });
      rmSync(folder, { recursive: true });
    },
  };
}

clusterContract("the client on the embedded API server", embeddedWorld);
