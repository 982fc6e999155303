import { spawnSync } from "node:child_process";
import { getEventListeners } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { FederationError } from "../../src/errors.ts";
import type { CredentialPlugin } from "../../src/kubernetes/kubeconfig-user.ts";
import { answerJson, list, never, open, plainConnection, startScriptedServer, status, until } from "./support.ts";

const SHORT_MS = 50;

function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => error,
  );
}

describe("a request", () => {
  it("keeps its connection for the next one", async () => {
    const server = await startScriptedServer((_request, response) => answerJson(response, 200, list([])));
    const { cluster } = open(server.url);
    for (let turn = 0; turn < 5; turn += 1) await cluster.list("GSLBConfig", never);
    expect(server.connections()).toBe(1);
  });

  it("is told to the observer with verb, kind, status and why it failed", async () => {
    const server = await startScriptedServer((request, response) =>
      request.path.endsWith("gslbconfigs")
        ? answerJson(response, 200, list([]))
        : answerJson(response, 401, status(401, "Unauthorized")),
    );
    const { cluster, observed } = open(server.url);
    await cluster.list("GSLBConfig", never);
    await errorOf(cluster.readNamespace(never));
    await errorOf(cluster.readNamespace(AbortSignal.abort()));
    expect(observed).toMatchObject([
      { verb: "list", kind: "GSLBConfig", status: 200, error: null },
      { verb: "get", kind: "Namespace", status: 401, error: "AG3002" },
      { verb: "get", kind: "Namespace", status: null, error: null },
    ]);
  });

  it("goes to a server below a path, and only ever to avi-system", async () => {
    const server = await startScriptedServer((_request, response) => answerJson(response, 200, list([])));
    await open(`${server.url}/k8s/clusters/c-1`).cluster.list("GlobalDeploymentPolicy", never);
    expect(server.received.map(({ path }) => path)).toEqual([
      "/k8s/clusters/c-1/apis/amko.vmware.com/v1alpha2/namespaces/avi-system/globaldeploymentpolicies",
    ]);
  });

  it.each([
    ["before the headers", () => undefined],
    ["in the middle of the body", (response: { write(text: string): void }) => response.write('{"items":[')],
  ])("is given up at the deadline when the server hangs %s", async (_when, begin) => {
    const server = await startScriptedServer((_request, response) => void begin(response));
    const error = await errorOf(open(server.url, { timeoutMs: SHORT_MS }).cluster.list("GSLBConfig", never));
    expect(error).toMatchObject({ code: "AG3006", message: expect.stringContaining(server.url) });
  });

  it("ends with the caller's reason when the caller aborts, and leaves no listener behind", async () => {
    const server = await startScriptedServer(() => undefined);
    const stop = new AbortController();
    const request = errorOf(open(server.url).cluster.list("GSLBConfig", stop.signal));
    await until(() => server.received.length === 1);
    stop.abort(new Error("enough"));
    expect(await request).toEqual(new Error("enough"));
    expect(await errorOf(open(server.url).cluster.list("GSLBConfig", stop.signal))).toEqual(new Error("enough"));
    expect(server.received).toHaveLength(1);
  });

  it("leaves nothing on a signal that lives for months", async () => {
    const server = await startScriptedServer((_request, response) => answerJson(response, 200, list([])));
    const stop = new AbortController();
    const { cluster } = open(server.url);
    for (let turn = 0; turn < 20; turn += 1) await cluster.list("GSLBConfig", stop.signal);
    expect(getEventListeners(stop.signal, "abort")).toHaveLength(0);
  });

  it("is sent again when a kept connection turns out to be dead", async () => {
    const server = await startScriptedServer((_request, response) => {
      // The second request finds a connection that is closed under it.
      if (server.received.length === 2) response.socket?.destroy();
      else answerJson(response, 200, list([]));
    });
    const { cluster } = open(server.url);
    await cluster.list("GSLBConfig", never);
    expect(await cluster.list("GSLBConfig", never)).toEqual([]);
    expect(server.received).toHaveLength(3);
  });

  it("is not sent again when a fresh connection is cut", async () => {
    const server = await startScriptedServer((_request, response) => response.socket?.destroy());
    expect(await errorOf(open(server.url).cluster.list("GSLBConfig", never))).toMatchObject({ code: "AG3001" });
    expect(server.received).toHaveLength(1);
  });

  it("says which server cannot be reached, and why", async () => {
    const server = await startScriptedServer(() => undefined);
    const gone = server.url.replace(/\d+$/, "1");
    const error = await errorOf(open(gone).cluster.list("GSLBConfig", never));
    expect(error).toMatchObject({
      code: "AG3001",
      message: `${gone} cannot be reached to list GSLBConfig (ECONNREFUSED).`,
    });
  });

  it.each([
    ["HTML", "<html>Please log in</html>"],
    ["half of the JSON", '{"items":['],
    ["an array", "[]"],
    ["an object that is no list", "{}"],
    ["a list without a version", '{"metadata":{},"items":[]}'],
    ["items without metadata", '{"metadata":{"resourceVersion":"1"},"items":[{}]}'],
    ["nothing", ""],
  ])("never takes %s for an empty list", async (_what, body) => {
    const server = await startScriptedServer((_request, response) => response.end(body));
    expect(await errorOf(open(server.url).cluster.list("GSLBConfig", never))).toMatchObject({ code: "AG3014" });
  });

  it("never takes a cut body for an answer", async () => {
    const server = await startScriptedServer((_request, response) => {
      response.writeHead(200, { "Content-Length": "1000" });
      response.write(JSON.stringify(list([])), () => response.socket?.destroy());
    });
    expect(await errorOf(open(server.url).cluster.list("GSLBConfig", never))).toMatchObject({ code: "AG3001" });
  });

  it("follows no redirect, with its token", async () => {
    const server = await startScriptedServer((_request, response) =>
      response.writeHead(307, { Location: "/elsewhere" }).end(),
    );
    expect(await errorOf(open(server.url).cluster.list("GSLBConfig", never))).toMatchObject({ code: "AG3014" });
    expect(server.received).toHaveLength(1);
  });

  it("says so when what answers speaks no HTTP", async () => {
    const server = createServer((socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    expect(await errorOf(open(`http://127.0.0.1:${port}`).cluster.list("GSLBConfig", never))).toMatchObject({
      code: "AG3014",
    });
  });

  it("refuses an integer that JavaScript would round, and names the field", async () => {
    const body =
      '{"metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"g","uid":"u","resourceVersion":"1"},"spec":{"ttl":9007199254740993}}]}';
    const server = await startScriptedServer((_request, response) => response.end(body));
    const error = await errorOf(open(server.url).cluster.list("GlobalDeploymentPolicy", never));
    expect(error).toMatchObject({
      code: "AG1014",
      message: expect.stringContaining("items[0].spec.ttl is 9007199254740993"),
    });
  });
});

describe("credentials", () => {
  function folder(): string {
    const path = mkdtempSync(join(tmpdir(), "credentials-"));
    onTestFinished(() => rmSync(path, { recursive: true }));
    return path;
  }

  async function authorizations(user: Parameters<typeof plainConnection>[1], between: () => void = () => undefined) {
    const server = await startScriptedServer((_request, response) => answerJson(response, 200, list([])));
    const { cluster } = open(server.url, { connection: plainConnection(server.url, user) });
    await cluster.list("GSLBConfig", never);
    between();
    await cluster.list("GSLBConfig", never);
    return server.received.map(({ headers }) => headers.authorization);
  }

  it("are read from the token's file for each request, so that a rotated token counts at once", async () => {
    const path = join(folder(), "token");
    writeFileSync(path, "old\n");
    const sent = await authorizations({ token: { kind: "file", path } }, () => writeFileSync(path, "new\n"));
    expect(sent).toEqual(["Bearer old", "Bearer new"]);
  });

  it("may be a user and a password", async () => {
    const sent = await authorizations({ basic: { username: "u", password: "p:ä" } });
    expect(sent[0]).toBe(`Basic ${Buffer.from("u:p:ä").toString("base64")}`);
  });

  it("come from an exec plugin where the kubeconfig names one", async () => {
    const script = `console.log(JSON.stringify({ status: { token: "from-plugin" } }))`;
    const entry = { apiVersion: "client.authentication.k8s.io/v1", command: process.execPath, args: ["-e", script] };
    const plugin: CredentialPlugin = { kind: "exec", userName: "u", entry };
    expect(await authorizations({ plugin })).toEqual(["Bearer from-plugin", "Bearer from-plugin"]);
  });

  it("come from one run of an exec plugin, whoever asks meanwhile, and from another once they are refused", async () => {
    const runs = join(folder(), "runs");
    const script = `require("fs").appendFileSync(${JSON.stringify(runs)}, "x"); setTimeout(() =>
      console.log(JSON.stringify({ status: { token: require("fs").readFileSync(${JSON.stringify(runs)}, "utf8") } })), 100)`;
    const plugin: CredentialPlugin = {
      kind: "exec",
      userName: "u",
      entry: { command: process.execPath, args: ["-e", script] },
    };
    const server = await startScriptedServer(({ headers }, response) =>
      headers.authorization === "Bearer x" && readFileSync(runs, "utf8") === "x" && server.received.length > 3
        ? answerJson(response, 401, status(401, "Unauthorized"))
        : answerJson(response, 200, list([])),
    );
    const { cluster } = open(server.url, { connection: plainConnection(server.url, { plugin }) });
    await Promise.all([1, 2, 3].map(() => cluster.list("GSLBConfig", never)));
    expect(await errorOf(cluster.list("GSLBConfig", never))).toMatchObject({ code: "AG3002" });
    await cluster.list("GSLBConfig", never);
    const sent = server.received.map(({ headers }) => headers.authorization);
    expect(sent).toEqual(["Bearer x", "Bearer x", "Bearer x", "Bearer x", "Bearer xx"]);
  });

  it("are AG4005, and not the API server's fault, where an exec plugin hangs", async () => {
    const entry = { command: process.execPath, args: ["-e", "setTimeout(() => undefined, 60_000)"] };
    const plugin: CredentialPlugin = { kind: "exec", userName: "u", entry };
    const connection = plainConnection("http://127.0.0.1:1", { plugin });
    const error = await errorOf(
      open("http://127.0.0.1:1", { connection, timeoutMs: 300 }).cluster.list("GSLBConfig", never),
    );
    expect(error).toMatchObject({ code: "AG4005", message: expect.stringContaining("took longer than 300 ms") });
  });

  it("keep no program running for an exec plugin that is not there, or hangs", async () => {
    const credentials = new URL("../../src/kubernetes/credential-plugin.ts", import.meta.url).href;
    for (const entry of [{ command: "/nowhere/plugin" }, { command: "/bin/sh", args: ["-c", "sleep 100; echo"] }]) {
      const plugin = { kind: "exec", userName: "u", entry };
      const script = `const { createPluginSource } = await import("${credentials}");
        const asked = createPluginSource(${JSON.stringify(plugin)}).read().catch(() => undefined);
        await Promise.race([asked, new Promise((resolve) => setTimeout(resolve, 100))]);`;
      const args = ["--input-type=module", "--eval", script];
      const { status: code } = spawnSync(process.execPath, args, { timeout: 50_000 });
      expect(code).toBe(0);
    }
  });

  it.each([
    [
      "an exec plugin that fails",
      {
        kind: "exec",
        userName: "u",
        entry: { command: process.execPath, args: ["-e", "console.error('hunter2'); process.exit(1)"] },
      },
    ],
    ["an exec plugin that is not there", { kind: "exec", userName: "u", entry: { command: "/nowhere/plugin" } }],
    ["an auth-provider of the past", { kind: "auth-provider", userName: "u", entry: { name: "gcp" } }],
  ] as const)("fail with AG4005 and no secret: %s", async (_what, plugin) => {
    const error = await errorOf(
      open("http://127.0.0.1:1", { connection: plainConnection("http://127.0.0.1:1", { plugin }) }).cluster.list(
        "GSLBConfig",
        never,
      ),
    );
    expect(error).toMatchObject({ code: "AG4005" });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("hunter2");
  });

  it("fail with the file's name where it is missing", async () => {
    const path = join(folder(), "token");
    const connection = plainConnection("http://127.0.0.1:1", { token: { kind: "file", path } });
    const error = await errorOf(open("http://127.0.0.1:1", { connection }).cluster.list("GSLBConfig", never));
    expect(error).toMatchObject({ code: "AG4004", message: `The file ${path} cannot be read (ENOENT).` });
  });

  it("never appear in an error", async () => {
    const server = await startScriptedServer((_request, response) =>
      answerJson(response, 500, status(500, "InternalError")),
    );
    const token = { kind: "inline", bytes: Buffer.from("hunter2") } as const;
    const error = await errorOf(
      open(server.url, { connection: plainConnection(server.url, { token }) }).cluster.list("GSLBConfig", never),
    );
    expect(error).toBeInstanceOf(FederationError);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("hunter2");
  });
});
