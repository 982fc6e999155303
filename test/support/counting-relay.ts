import { type AddressInfo, createServer, connect as openConnection, type Socket } from "node:net";

/** Passes connections on to another port of this machine and counts what goes through, headers included. */
export interface CountingRelay {
  readonly port: number;
  /** Both ways together, since the start. */
  bytes(): number;
  stop(): Promise<void>;
}

export async function startCountingRelay(targetPort: number): Promise<CountingRelay> {
  let bytes = 0;
  const open = new Set<Socket>();
  const server = createServer((incoming) => {
    const outgoing = openConnection(targetPort, "127.0.0.1");
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      open.add(from);
      from.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      from.on("error", () => to.destroy());
      from.once("close", () => open.delete(from));
      from.pipe(to);
    }
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    port: (server.address() as AddressInfo).port,
    bytes: () => bytes,
    async stop() {
      const closed = new Promise<void>((done) => server.close(() => done()));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
