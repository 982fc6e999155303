import { subscribe } from "node:diagnostics_channel";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Loaded before the product into every Node process of a soak run (`node --import`). Writes {@link ProbeReport} as JSON
 * to `<folder>/<pid>.json`: at the start, and at each SIGUSR2 after it has collected garbage.
 */
export interface ProbeReport {
  readonly pid: number;
  readonly args: readonly string[];
  /** 0 at the start, then one more with each signal. */
  readonly turn: number;
  /** What the last collection left. */
  readonly heapBytes: number;
  /** Memory of buffers and of what native code keeps for objects. */
  readonly externalBytes: number;
  /** What keeps the process alive: timers, sockets, requests under way. */
  readonly handles: number;
  /** Requests that were sent so far, by origin: `127.0.0.1:1234`. */
  readonly requests: Readonly<Record<string, number>>;
}

/** Names the folder to the processes. */
export const PROBE_FOLDER = "AMKO_GITOPS_SOAK_FOLDER";

const folder = process.env[PROBE_FOLDER];
if (folder !== undefined) startProbe(folder);

function startProbe(place: string): void {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  const requests: Record<string, number> = {};
  const count = (host: string): void => {
    requests[host] = (requests[host] ?? 0) + 1;
  };
  subscribe("http.client.request.start", (message) => {
    const { request } = message as { readonly request: { getHeader(name: string): unknown } };
    count(String(request.getHeader("host")));
  });
  subscribe("undici:request:create", (message) => {
    const { request } = message as { readonly request: { readonly origin: string } };
    count(new URL(request.origin).host);
  });
  let turn = 0;
  const write = (): void => {
    const { heapUsed, external } = process.memoryUsage();
    const report: ProbeReport = {
      pid: process.pid,
      args: process.argv.slice(1),
      turn,
      heapBytes: heapUsed,
      externalBytes: external,
      handles: process.getActiveResourcesInfo().length,
      requests,
    };
    const file = join(place, `${process.pid}.json`);
    writeFileSync(`${file}.new`, JSON.stringify(report));
    renameSync(`${file}.new`, file);
  };
  process.on("SIGUSR2", () => {
    turn += 1;
    collectGarbage();
    write();
  });
  write();
}
