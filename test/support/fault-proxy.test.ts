import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Fault, type FaultProxy, startFaultProxy } from "./fault-proxy.ts";

let server: Server;
let proxy: FaultProxy;
let arrived: string[];
let leftEarly: Promise<void>;
beforeEach(async () => {
  arrived = [];
  const left = Promise.withResolvers<void>();
  leftEarly = left.promise;
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    arrived.push(`${request.method} ${request.url} ${body}`);
    if (request.url === "/watch") {
      response.once("close", () => left.resolve());
      response.write("first event\n");
      return;
    }
    response.setHeader("x-answer", "yes").end("0123456789");
  });
  await new Promise<void>((done) => {
    server.listen(0, "127.0.0.1", done);
  });
  proxy = await startFaultProxy({ target: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
afterEach(async () => {
  await proxy.stop();
  server.closeAllConnections();
  server.close();
});

const setFault = (fault: Fault): void => proxy.setRules([{ match: {}, fault }]);
const get = async (path = "/x"): Promise<string> => (await fetch(`${proxy.url}${path}`)).text();

describe("the fault proxy", () => {
  it("passes everything on while it has no rule", async () => {
    const answer = await fetch(`${proxy.url}/a?b=c`, { method: "PATCH", body: "change" });
    expect(answer.headers.get("x-answer")).toBe("yes");
    expect(await answer.text()).toBe("0123456789");
    expect(arrived).toEqual(["PATCH /a?b=c change"]);
    expect(proxy.log()).toEqual([{ method: "PATCH", url: "/a?b=c", fault: null }]);
  });

  it("passes a long watch on as it comes, and ends it at the server when the client leaves", async () => {
    const controller = new AbortController();
    const answer = await fetch(`${proxy.url}/watch`, { signal: controller.signal });
    const reader = answer.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("first event\n");
    controller.abort();
    await leftEarly;
  });

  it("refuses before the server hears of it", async () => {
    setFault({ kind: "refuse" });
    await expect(get()).rejects.toThrow();
    expect(arrived).toEqual([]);
    proxy.clear();
    expect(await get()).toBe("0123456789");
  });

  it("hangs without an answer", async () => {
    setFault({ kind: "hang" });
    await expect(fetch(proxy.url, { signal: AbortSignal.timeout(200) })).rejects.toThrow();
    expect(arrived).toEqual([]);
  });

  it("cuts the answer so that the client notices, and truncates it so that it does not", async () => {
    setFault({ kind: "cut", afterBytes: 4 });
    await expect(get()).rejects.toThrow();
    setFault({ kind: "truncate", afterBytes: 4 });
    expect(await get()).toBe("0123");
  });

  it("loses the answer to what the server did", async () => {
    setFault({ kind: "lost-answer" });
    await expect(get()).rejects.toThrow();
    expect(arrived).toEqual(["GET /x "]);
  });

  it("answers by itself with a status or a sign-in page", async () => {
    setFault({ kind: "status", status: 429, headers: { "retry-after": "3" }, body: "slowly" });
    const answer = await fetch(proxy.url);
    expect([answer.status, answer.headers.get("retry-after"), await answer.text()]).toEqual([429, "3", "slowly"]);
    setFault({ kind: "html-instead" });
    expect((await fetch(proxy.url)).headers.get("content-type")).toBe("text/html");
    expect(arrived).toEqual([]);
  });

  it("delays, then passes on", async () => {
    setFault({ kind: "delay", ms: 20 });
    expect(await get()).toBe("0123456789");
  });

  it("delays both ways when it stands for a distance", async () => {
    const far = await startFaultProxy({ target: proxy.url, delayMs: 10 });
    expect(await (await fetch(far.url)).text()).toBe("0123456789");
    await far.stop();
  });

  it("lets the first rule that matches decide, and counts per rule", async () => {
    const fault = { kind: "status", status: 503 } as const;
    proxy.setRules([
      { match: { method: "POST" }, fault: { kind: "status", status: 418 } },
      { match: { pathPattern: "^/one", nth: 2 }, fault },
      { match: { pathPattern: "^/two", from: 2, count: 2 }, fault },
    ]);
    const status = async (path: string, method = "GET") => (await fetch(`${proxy.url}${path}`, { method })).status;
    expect(await status("/one", "POST")).toBe(418);
    expect([await status("/one"), await status("/one"), await status("/one")]).toEqual([200, 503, 200]);
    expect([await status("/two"), await status("/two"), await status("/two"), await status("/two")]).toEqual([
      200, 503, 503, 200,
    ]);
    expect(proxy.log().map(({ fault: met }) => met)).toEqual([
      "status",
      null,
      "status",
      null,
      null,
      "status",
      "status",
      null,
    ]);
  });

  it("breaks the connection when the server behind is down", async () => {
    server.close();
    server.closeAllConnections();
    await expect(get()).rejects.toThrow();
  });
});
