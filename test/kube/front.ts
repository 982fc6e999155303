import { type AddressInfo, createServer, type Socket } from "node:net";
import { connect } from "node:tls";

/** Plain HTTP before a server that speaks TLS only: for clients and proxies of the tests that know no TLS. */
export interface Front {
  readonly url: string;
  stop(): Promise<void>;
}

/** Puts every connection into TLS, byte for byte. While the server is away it cuts them. */
export async function openFront(port: number, ca: string): Promise<Front> {
  const open = new Set<Socket>();
  const server = createServer((plain) => {
    const secure = connect({ host: "127.0.0.1", port, ca, ALPNProtocols: ["http/1.1"] });
    open.add(plain);
    plain.once("close", () => open.delete(plain));
    join(plain, secure);
    join(secure, plain);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/** Passes on what comes, and that no more comes: what was received before the end arrives, an abrupt end is one. */
function join(from: Socket, to: Socket): void {
  from.setNoDelay(true);
  from.on("error", () => to.destroy());
  from.on("close", () => to.destroySoon());
  from.pipe(to);
}
