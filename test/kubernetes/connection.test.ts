import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Connection } from "../../src/kubernetes/kubeconfig.ts";
import type { Material } from "../../src/kubernetes/kubeconfig-entry.ts";
import { selfSigned } from "./certificate.ts";
import { answerJson, list, never, open, plainConnection, startScriptedServer } from "./support.ts";

const inline = (text: string): Material => ({ kind: "inline", bytes: Buffer.from(text) });
const server = selfSigned("kube-apiserver");

function connection(url: string, tls: Partial<Connection["tls"]>): Connection {
  const plain = plainConnection(url);
  return { ...plain, tls: { ...plain.tls, ...tls } };
}

async function secureServer(clients: string[] = []) {
  return startScriptedServer(
    (_request, response) => {
      const socket = response.socket as TLSSocket;
      clients.push(String(socket.getPeerCertificate().subject?.CN));
      answerJson(response, 200, list([]));
    },
    { ...server, requestCert: true, rejectUnauthorized: false },
  );
}

describe("a connection with TLS", () => {
  it("trusts the CA of the kubeconfig, and is kept for all requests", async () => {
    const { url, connections } = await secureServer();
    const { cluster } = open(url, { connection: connection(url, { ca: inline(server.cert) }) });
    for (let turn = 0; turn < 5; turn += 1) await cluster.list("GSLBConfig", never);
    expect(connections()).toBe(1);
  });

  it.each([
    ["without that CA", {}],
    ["with another's", { ca: inline(selfSigned("another").cert) }],
    ["under another name", { ca: inline(server.cert), serverName: "another.example" }],
  ])("trusts nobody %s", async (_when, tls) => {
    const { url, received } = await secureServer();
    const { cluster } = open(url, { connection: connection(url, tls) });
    await expect(cluster.list("GSLBConfig", never)).rejects.toMatchObject({ code: "AG3001" });
    expect(received).toHaveLength(0);
  });

  it("trusts everybody where the kubeconfig says so", async () => {
    const { url } = await secureServer();
    const { cluster } = open(url, { connection: connection(url, { insecure: true }) });
    expect(await cluster.list("GSLBConfig", never)).toEqual([]);
  });

  it("shows the client's certificate, and its successor once the files have changed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "certificates-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const place = (commonName: string) => {
      const { cert, key } = selfSigned(commonName);
      writeFileSync(join(folder, "tls.crt"), cert);
      writeFileSync(join(folder, "tls.key"), key);
    };
    const clients: string[] = [];
    const { url, connections } = await secureServer(clients);
    const clientCertificate: Material = { kind: "file", path: join(folder, "tls.crt") };
    const clientKey: Material = { kind: "file", path: join(folder, "tls.key") };
    const { cluster } = open(url, {
      connection: connection(url, { ca: inline(server.cert), clientCertificate, clientKey }),
    });
    place("first");
    await cluster.list("GSLBConfig", never);
    await cluster.list("GSLBConfig", never);
    place("second");
    await cluster.list("GSLBConfig", never);
    expect(clients).toEqual(["first", "first", "second"]);
    expect(connections()).toBe(2);
  });
});

describe("a proxy", () => {
  it("that the kubeconfig names is used", async () => {
    const proxy = await startScriptedServer((_request, response) => answerJson(response, 200, list([])));
    const target = { ...plainConnection("http://api.example.invalid"), proxyUrl: proxy.url };
    await open("", { connection: target }).cluster.list("GSLBConfig", never);
    expect(proxy.received.map(({ headers }) => headers.host)).toEqual(["api.example.invalid"]);
  });

  it("of the environment is used, though never for this machine", async () => {
    const proxy = await startScriptedServer((_request, response) => answerJson(response, 200, list([])));
    const direct = await startScriptedServer((_request, response) => answerJson(response, 200, list([])));
    const env = { http_proxy: proxy.url };
    await open("", { connection: plainConnection("http://api.example.invalid"), env }).cluster.list(
      "GSLBConfig",
      never,
    );
    await open(direct.url, { env }).cluster.list("GSLBConfig", never);
    expect([proxy.received.length, direct.received.length]).toEqual([1, 1]);
  });
});
