import { connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Health, type HealthServerSettings, type Route, startHealthServer } from "../../src/observe/server.ts";

interface Line {
  readonly level: string;
  readonly message: string;
}

async function serving(health: Health, settings: Partial<HealthServerSettings> = {}) {
  const lines: Line[] = [];
  const log = (level: string, message: string) => void lines.push({ level, message });
  const server = await startHealthServer({ listen: "127.0.0.1:0", health: () => health, log, ...settings });
  onTestFinished(() => server.close());
  const { host, port } = server.address;
  const ask = (path: string, init: RequestInit = {}) => fetch(`http://${host}:${port}${path}`, init);
  return { ask, server, lines };
}

const well: Health = { live: true, ready: true, detail: {} };
const behind: Health = {
  live: true,
  ready: false,
  detail: { code: "AG2001", message: "git server cannot be reached" },
};

describe("the probes", () => {
  it.each([
    ["/healthz", well, 200],
    ["/readyz", well, 200],
    ["/healthz", behind, 200],
    ["/readyz", behind, 503],
    ["/healthz", { ...behind, live: false }, 503],
  ])("answer %s", async (path, health, status) => {
    const { ask } = await serving(health);
    const response = await ask(path);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ ok: status === 200, ...health.detail });
  });

  it("answer HEAD without a body, and ignore a query", async () => {
    const { ask } = await serving(behind);
    const response = await ask("/readyz?verbose", { method: "HEAD" });
    expect([response.status, await response.text()]).toEqual([503, ""]);
  });

  it.each([
    ["GET", "/", 404],
    ["GET", "/healthz/x", 404],
    ["POST", "/healthz", 405],
    ["DELETE", "/readyz", 405],
  ])("answer nothing else: %s %s", async (method, path, status) => {
    const { ask } = await serving(well);
    expect((await ask(path, { method })).status).toBe(status);
  });
});

describe("other routes", () => {
  const echo: Route = {
    method: "POST",
    path: "/hook",
    bodyMaxBytes: 10,
    respond: ({ body, headers }) => ({ status: 202, contentType: "text/plain", body: `${headers["x-event"]}:${body}` }),
  };
  const broken: Route = {
    method: "GET",
    path: "/metrics",
    bodyMaxBytes: 0,
    respond: () => {
      throw new Error("hunter2");
    },
  };

  it("get the request's headers and body", async () => {
    const { ask } = await serving(well, { routes: [echo] });
    const response = await ask("/hook", { method: "POST", body: "0123456789", headers: { "X-Event": "push" } });
    expect([response.status, await response.text()]).toEqual([202, "push:0123456789"]);
  });

  it("get no body that is too long", async () => {
    const { ask } = await serving(well, { routes: [echo] });
    const response = await ask("/hook", { method: "POST", body: "0123456789x" });
    expect(response.status).toBe(413);
  });

  it("answer 500 when they fail, and the log says why", async () => {
    const { ask, lines } = await serving(well, { routes: [broken] });
    const response = await ask("/metrics");
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("hunter2");
    expect(lines).toEqual([{ level: "error", message: "a route failed" }]);
  });
});

describe("the address", () => {
  it("may be every interface", async () => {
    const { server } = await serving(well, { listen: ":0" });
    const response = await fetch(`http://127.0.0.1:${server.address.port}/healthz`);
    expect(response.status).toBe(200);
  });

  it.each(["8080", "localhost:http", ":99999", "a:b:1", ""])("is refused when it is %j", async (listen) => {
    await expect(startHealthServer({ listen, health: () => well, log: () => undefined })).rejects.toMatchObject({
      code: "AG4002",
    });
  });

  it("is refused when it is taken, with the reason", async () => {
    const { server } = await serving(well);
    const listen = `127.0.0.1:${server.address.port}`;
    await expect(startHealthServer({ listen, health: () => well, log: () => undefined })).rejects.toMatchObject({
      code: "AG4002",
      message: `--listen ${listen}: the address cannot be used (EADDRINUSE).`,
    });
  });
});

it("lets no client take all the time that it likes over a request", async () => {
  const { server } = await serving(well);
  const socket = connect(server.address.port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  let answer = "";
  socket.on("data", (chunk) => {
    answer += chunk.toString();
  });
  socket.write("GET /healthz HTTP/1.1\r\nHost: a\r\n");
  await new Promise((resolve) => socket.once("close", resolve));
  expect(answer).toMatch(/^HTTP\/1.1 408 /);
  // Node itself looks only each half minute.
}, 20_000);

it("closes although a client keeps its connection open without asking anything", async () => {
  const server = await startHealthServer({ listen: "127.0.0.1:0", health: () => well, log: () => undefined });
  const socket = connect(server.address.port, "127.0.0.1");
  await new Promise((resolve) => socket.once("connect", resolve));
  const gone = new Promise((resolve) => socket.once("close", resolve));
  await server.close();
  await gone;
});
