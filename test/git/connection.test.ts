import { createServer as createPlainServer, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { encodePacket, FLUSH } from "../../src/git/pkt-line.ts";
import { openRepository } from "../../src/git/repository.ts";
import { selfSigned } from "../kubernetes/certificate.ts";
import { temporaryFolder, writeFiles } from "../support/git.ts";

const signal = new AbortController().signal;
const HEAD = "a".repeat(40);

let servers: Server[] = [];
afterEach(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  servers = [];
});

/** As much of a git server as a listing needs. */
const answerListing: RequestListener = (request, response) => {
  const kind = request.method === "GET" ? "advertisement" : "result";
  response.setHeader("content-type", `application/x-git-upload-pack-${kind}`);
  if (request.method === "GET") response.end(`${encodePacket("version 2\n")}${FLUSH}`);
  else response.end(`${encodePacket(`${HEAD} refs/heads/main\n`)}${FLUSH}`);
};

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((done) => {
    server.listen(0, "127.0.0.1", done);
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function open(url: string, options: { readonly folder?: string; readonly env?: Record<string, string> } = {}) {
  return openRepository({
    url,
    branch: "main",
    path: "",
    refPrefix: "amko",
    credentialsDirectory: options.folder ?? null,
    timeoutMs: 20_000,
    nowMs: () => Date.now(),
    proxyEnv: options.env ?? {},
  });
}

describe("a connection with TLS", () => {
  it("trusts the mounted ca.crt, also after it was replaced", async () => {
    await using folder = await temporaryFolder();
    const [first, second] = [selfSigned("first"), selfSigned("second")];
    const one = await listen(createSecureServer(first, answerListing));
    const two = await listen(createSecureServer(second, answerListing));
    await writeFiles(folder.path, { "ca.crt": first.cert });
    const repository = open(`https://${one}/x.git`, { folder: folder.path });
    expect((await repository.list("branch", signal)).head).toBe(HEAD);
    await writeFiles(folder.path, { "ca.crt": second.cert });
    await expect(repository.list("branch", signal)).rejects.toMatchObject({ code: "AG2001" });
    expect((await open(`https://${two}/x.git`, { folder: folder.path }).list("branch", signal)).head).toBe(HEAD);
  });

  it("trusts nobody else, and says what is wrong", async () => {
    const host = await listen(createSecureServer(selfSigned("stranger"), answerListing));
    await expect(open(`https://${host}/x.git`).list("branch", signal)).rejects.toMatchObject({
      code: "AG2001",
      message: expect.stringContaining("DEPTH_ZERO_SELF_SIGNED_CERT"),
    });
  });
});

describe("a proxy of the environment", () => {
  it("is used, though never for this machine or where NO_PROXY says so", async () => {
    const asked: (string | undefined)[] = [];
    const proxy = await listen(
      createPlainServer((request, response) => {
        asked.push(request.url);
        answerListing(request, response);
      }),
    );
    const env = { http_proxy: `http://${proxy}`, no_proxy: "direct.example.invalid" };
    await open("http://git.example.invalid/x.git", { env }).list("branch", signal);
    expect(asked).toEqual([
      "http://git.example.invalid/x.git/info/refs?service=git-upload-pack",
      "http://git.example.invalid/x.git/git-upload-pack",
    ]);
    const direct = open("http://direct.example.invalid/x.git", { env }).list("branch", signal);
    await expect(direct).rejects.toMatchObject({ code: "AG2001" });
    const here = await listen(createPlainServer(answerListing));
    await open(`http://${here}/x.git`, { env }).list("branch", signal);
    expect(asked).toHaveLength(2);
  });
});
