import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createBareRepository } from "../../src/sandbox/bare-repository.ts";
import { type GitServer, type GitServerOptions, startGitServer } from "../../src/sandbox/git-server.ts";
import { git, temporaryFolder, writeFiles } from "../support/git.ts";

const DISCOVERY = "federation.git/info/refs?service=git-upload-pack";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let root: string;
let servers: GitServer[];
beforeEach(async () => {
  folder = await temporaryFolder();
  root = join(folder.path, "repositories");
  servers = [];
  await writeFiles(join(folder.path, "seed"), {
    "README.md": "read me\n",
    "clusters/a/b.yaml": "a: 1\n",
    ".github/x": "",
  });
  await createBareRepository(root, "federation.git", { seedFrom: join(folder.path, "seed"), message: "Begin" });
});
afterEach(async () => {
  for (const server of servers) await server.stop({ abruptly: true });
  await folder[Symbol.asyncDispose]();
});

async function start(options: Partial<GitServerOptions> = {}): Promise<GitServer> {
  const server = await startGitServer({ root, ...options });
  servers.push(server);
  return server;
}

describe("the git server", () => {
  it("serves clone and push to git itself", async () => {
    const server = await start();
    const clone = join(folder.path, "clone");
    await git(folder.path, ["clone", "--quiet", server.url("federation.git"), clone]);
    expect(await readFile(join(clone, "clusters/a/b.yaml"), "utf8")).toBe("a: 1\n");
    await writeFiles(clone, { "clusters/a/b.yaml": "a: 2\n" });
    await git(clone, ["commit", "--quiet", "--all", "--message", "Two"]);
    await git(clone, ["push", "--quiet", "origin", "HEAD:main"]);
    expect(await git(join(root, "federation.git"), ["show", "main:clusters/a/b.yaml"])).toBe("a: 2");
    expect(server.requests().byService).toMatchObject({ "POST git-receive-pack": 1, "GET git-receive-pack": 1 });
  });

  it("understands a request body that was compressed", async () => {
    const server = await start();
    const answer = await fetch(`${server.url("federation.git")}/git-upload-pack`, {
      method: "POST",
      headers: {
        "content-type": "application/x-git-upload-pack-request",
        "content-encoding": "gzip",
        "git-protocol": "version=2",
      },
      body: gzipSync("0014command=ls-refs\n0001001bref-prefix refs/heads/\n0000"),
    });
    expect(await answer.text()).toContain("refs/heads/main");
  });

  it("answers 404 for what is no repository, also beside its root", async () => {
    const server = await start();
    for (const name of ["nothing.git", "%2e%2e/seed", "..%2f..%2fetc"]) {
      const answer = await fetch(`${server.url(name)}/info/refs?service=git-upload-pack`);
      expect([400, 403, 404, 500]).toContain(answer.status);
      expect(await answer.text()).not.toContain("refs/heads");
    }
  });

  it("lets in who has the password, and push who may", async () => {
    const users = { writer: { password: "w", mayPush: true }, reader: { password: "r", mayPush: false } };
    const server = await start({ users });
    const status = async (service: string, user: string | null): Promise<number> => {
      const headers = user === null ? {} : { authorization: `Basic ${Buffer.from(user).toString("base64")}` };
      return (await fetch(`${server.url("federation.git")}/info/refs?service=${service}`, { headers })).status;
    };
    expect(await status("git-upload-pack", null)).toBe(401);
    expect(await status("git-upload-pack", "reader:wrong")).toBe(401);
    expect(await status("git-upload-pack", "constructor:")).toBe(401);
    expect(await status("git-upload-pack", "reader:r")).toBe(200);
    expect(await status("git-receive-pack", "reader:r")).toBe(403);
    expect(await status("git-receive-pack", "writer:w")).toBe(200);
    Object.assign(users, { "": { password: "", mayPush: false } });
    expect(await status("git-upload-pack", null)).toBe(200);
    expect(await status("git-receive-pack", null)).toBe(401);
    expect(await status("git-upload-pack", "reader:wrong")).toBe(401);
  });

  it("tells hooks who pushes", async () => {
    const server = await start({ users: { cluster1: { password: "x", mayPush: true } } });
    const repository = join(root, "federation.git");
    await writeFiles(repository, { "hooks/pre-receive": '#!/bin/sh\necho "pusher=$REMOTE_USER" >&2\nexit 1\n' });
    await git(repository, ["config", "core.hooksPath", join(repository, "hooks")]);
    await spawnAndWait("chmod", ["+x", join(repository, "hooks/pre-receive")]);
    const url = new URL(server.url("federation.git"));
    url.username = "cluster1";
    url.password = "x";
    const push = git(repository, ["push", url.href, "main:refs/heads/other"]);
    await expect(push).rejects.toThrow("pusher=cluster1");
  });

  it("hides protocol version 2 when it is told to", async () => {
    const server = await start({ version0Only: true });
    const answer = await fetch(server.url(DISCOVERY), { headers: { "git-protocol": "version=2" } });
    expect(await answer.text()).not.toContain("version 2");
  });

  it("ends with its processes, also those in the middle of an answer", async () => {
    const server = await start();
    const hanging = request(`${server.url("federation.git")}/git-upload-pack`, {
      method: "POST",
      headers: { "content-type": "application/x-git-upload-pack-request", "git-protocol": "version=2" },
    });
    hanging.on("error", () => undefined);
    const ended = once(hanging, "close");
    hanging.write("0014command=ls-refs\n");
    await expect.poll(gitChildren, { timeout: 20_000 }).not.toEqual([]);
    await server.stop({ abruptly: true });
    await ended;
    expect(await gitChildren()).toEqual([]);
    await expect(fetch(server.url(DISCOVERY))).rejects.toThrow();
  });

  it("runs as a process of its own that says where it serves", async () => {
    const main = new URL("../../src/sandbox/git-server-main.ts", import.meta.url).pathname;
    const child = spawn(process.execPath, [main, root], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(createInterface(child.stdout), "line")) as [string];
    const { url } = JSON.parse(line) as { url: string };
    expect((await fetch(`${url}/${DISCOVERY}`)).status).toBe(200);
    const closed = once(child, "close");
    child.kill("SIGTERM");
    expect((await closed)[0]).toBe(0);
  });
});

/** The git processes that this very process started and that still run. */
async function gitChildren(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    const [, name, parent] = /^\d+ \((.*)\) \S (\d+)/.exec(stat) ?? [];
    if (Number(parent) === process.pid && name?.startsWith("git")) found.push(name);
  }
  return found;
}

async function spawnAndWait(command: string, args: readonly string[]): Promise<void> {
  await once(spawn(command, args), "close");
}
