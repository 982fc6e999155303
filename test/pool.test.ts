import { once } from "node:events";
import { createServer as createSecureServer, request } from "node:https";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createPool } from "../src/pool.ts";
import { selfSigned } from "./kubernetes/certificate.ts";

const TUNNEL_MAX_MS = 200;
const certificate = selfSigned("git.example.com");

let servers: { close(): unknown }[] = [];
let sockets: Set<Socket>;
afterEach(() => {
  for (const server of servers) server.close();
  for (const socket of sockets) socket.destroy();
  servers = [];
});

async function listen<Some extends Server>(server: Some): Promise<number> {
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** A proxy that does with a CONNECT as it is told. Its open connections are in `sockets`. */
async function startProxy(answer: (client: Socket) => void): Promise<string> {
  sockets = new Set();
  const proxy = createServer((client) => {
    sockets.add(client);
    client.on("error", () => undefined);
    client.on("close", () => sockets.delete(client));
    client.once("data", () => answer(client));
  });
  return `http://127.0.0.1:${await listen(proxy)}`;
}

function poolThrough(proxy: string) {
  const server = new URL("https://git.example.com");
  return createPool({ server, proxy, tunnelMaxMs: TUNNEL_MAX_MS, maxFreeSockets: 4 }, { ca: certificate.cert });
}

/** The status; the error's code where there is none; null where the caller gave it up. */
function ask(agent: ReturnType<typeof createPool>, giveUpAfterMs: number): Promise<number | string | null> {
  return new Promise((resolve) => {
    const outgoing = request("https://git.example.com/", { agent });
    outgoing.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    outgoing.on("response", (answer) => answer.resume().on("end", () => resolve(answer.statusCode ?? 0)));
    outgoing.end();
    setTimeout(() => {
      resolve(null);
      outgoing.destroy();
    }, giveUpAfterMs);
  });
}

describe("connections through a proxy", () => {
  it.each<[string, (client: Socket) => void]>([
    ["does not answer", () => undefined],
    ["refuses, and keeps the connection", (client) => client.write("HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n")],
    ["leads nowhere", (client) => client.write("HTTP/1.1 200 OK\r\n\r\n")],
  ])("are closed where it %s, also after the request was given up", async (_what, answer) => {
    const agent = poolThrough(await startProxy(answer));
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask(agent, 50)));
    for (const one of answers) expect(one).not.toBe(200);
    while (sockets.size > 0) await once([...sockets][0] as Socket, "close");
  });

  it("are kept for the next request once they lead to the server", async () => {
    const server = createSecureServer(certificate, (_request, response) => void response.end("here"));
    const port = await listen(server);
    const agent = poolThrough(
      await startProxy((client) => {
        const behind = connect(port, "127.0.0.1", () => {
          client.write("HTTP/1.1 200 OK\r\n\r\n");
          client.pipe(behind).pipe(client);
        });
        behind.on("error", () => client.destroy());
      }),
    );
    expect(await ask(agent, 10_000)).toBe(200);
    const [first] = sockets;
    await new Promise((resolve) => setTimeout(resolve, 2 * TUNNEL_MAX_MS));
    expect(await ask(agent, 10_000)).toBe(200);
    expect([...sockets]).toEqual([first]);
    agent.destroy();
  });
});
