import { createServer } from "node:net";

/** Below what the kernel gives to outgoing connections, so that nobody takes a port while its server restarts. */
const PORT_MIN = 20_000;
const PORTS = 12_000;
const TRIES_MAX = 100;

/** A port of loopback that nobody listens on. Another process may be faster: whoever starts a server tries again. */
export async function findPort(): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const port = PORT_MIN + Math.floor(Math.random() * PORTS);
    if (await isFree(port)) return port;
  }
  throw new Error("no free port was found");
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
