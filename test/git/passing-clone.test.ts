import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CommitId } from "../../src/core/model.ts";
import type { LocalRepository } from "../../src/git/local-repository.ts";
import { openPassingClone, type PassingCloneSettings } from "../../src/git/passing-clone.ts";
import { encodePacket, FLUSH } from "../../src/git/pkt-line.ts";
import { selfSigned } from "../kubernetes/certificate.ts";
import { git, temporaryFolder, writeFiles } from "../support/git.ts";
import { type GitWorld, makeGitWorld } from "../support/git-world.ts";
import { LOCAL_DEFAULTS, NOBODYS_ENVIRONMENT } from "../support/local-world.ts";

const signal = new AbortController().signal;
const PASSWORD = "s3cret-passw0rd";
const BASIC = Buffer.from(`anna:${PASSWORD}`).toString("base64");

let world: GitWorld;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let opened: LocalRepository[];
let temporary: string | undefined;

beforeEach(async () => {
  world = await makeGitWorld({ users: { anna: { password: PASSWORD, mayPush: true } } });
  folder = await temporaryFolder();
  await writeFiles(folder.path, { "secret/username": "anna", "secret/password": PASSWORD, "tmp/README": "" });
  opened = [];
  // Where the clones are made, so that nobody else's are looked at.
  temporary = process.env["TMPDIR"];
  process.env["TMPDIR"] = join(folder.path, "tmp");
});
afterEach(async () => {
  for (const repository of opened) await repository.close();
  if (temporary === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = temporary;
  await folder[Symbol.asyncDispose]();
  await world.stop();
});

async function open(options: Partial<PassingCloneSettings> = {}): Promise<LocalRepository> {
  const credentialsDirectory = join(folder.path, "secret");
  const settings = { ...LOCAL_DEFAULTS, url: world.url, credentialsDirectory, ...options };
  const repository = await openPassingClone(settings, signal);
  opened.push(repository);
  return repository;
}

async function clones(): Promise<readonly string[]> {
  const names = await readdir(join(folder.path, "tmp"));
  return names.filter((name) => name !== "README").map((name) => join(folder.path, "tmp", name));
}

/** A git that writes down how it is called, and goes on as the real one, or says that it is of another version. */
async function gitThatTells({ version = "" } = {}): Promise<Readonly<Record<string, string>>> {
  const answer = version === "" ? "" : `[ "$1" = version ] && echo "git version ${version}" && exit 0\n`;
  const script = `#!/bin/sh\necho "$@" >> ${folder.path}/calls\n${answer}PATH=${process.env["PATH"]} exec git "$@"\n`;
  await writeFiles(folder.path, { "bin/git": script });
  await chmod(join(folder.path, "bin/git"), 0o755);
  return { ...NOBODYS_ENVIRONMENT, PATH: `${join(folder.path, "bin")}:/bin:/usr/bin` };
}

describe("a clone that passes", () => {
  it("is gone when it is closed, and when it could not be opened", async () => {
    await world.chain("main", { count: 3 });
    const repository = await open();
    expect((await repository.list("all", signal)).head).not.toBeNull();
    expect(await clones()).toHaveLength(1);
    await repository.close();
    expect(await clones()).toEqual([]);
    await expect(open({ branch: "a..b" })).rejects.toMatchObject({ code: "AG4002" });
    await writeFile(join(folder.path, "secret/password"), "");
    await expect(open()).rejects.toMatchObject({ code: "AG4004" });
    const interrupted = AbortSignal.abort(new DOMException("interrupted", "AbortError"));
    const settings = { ...LOCAL_DEFAULTS, url: world.url, credentialsDirectory: null };
    await expect(openPassingClone(settings, interrupted)).rejects.toThrow("interrupted");
    expect(await clones()).toEqual([]);
  });

  it("keeps the credentials out of arguments and files, and reads them again for each conversation", async () => {
    const [head] = (await world.chain("main", { count: 3 })).slice(-1) as [CommitId];
    const repository = await open({ environment: await gitThatTells() });
    await repository.read(head, signal);
    const [clone = ""] = await clones();
    const kept = await readdir(clone, { recursive: true, withFileTypes: true });
    const files = kept.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const texts = await Promise.all([...files, join(folder.path, "calls")].map((file) => readFile(file, "latin1")));
    expect(texts.join("\n")).toContain(world.url);
    for (const secret of [PASSWORD, BASIC]) expect(texts.join("\n")).not.toContain(secret);
    await writeFile(join(folder.path, "secret/password"), "another");
    await expect(repository.list("branch", signal)).rejects.toMatchObject({ code: "AG2002" });
  });

  it("asks nobody where the credentials of the folder are refused", async () => {
    const environment = await gitThatTells();
    const helper = `!echo >> ${join(folder.path, "helped")}`;
    await writeFiles(folder.path, { gitconfig: `[credential]\n\thelper = "${helper}"\n`, "secret/password": "wrong" });
    const settings = { environment: { ...environment, GIT_CONFIG_GLOBAL: join(folder.path, "gitconfig") } };
    const refused = await (await open(settings)).list("branch", signal).catch((error: Error) => error);
    expect(refused).toMatchObject({ code: "AG2002" });
    expect(String(refused)).not.toMatch(/wrong/);
    await expect(readFile(join(folder.path, "helped"))).rejects.toMatchObject({ code: "ENOENT" });
    const unmounted = await open({ ...settings, credentialsDirectory: null });
    await expect(unmounted.list("branch", signal)).rejects.toMatchObject({ code: "AG2002" });
    await expect(readFile(join(folder.path, "helped"))).resolves.toBeDefined();
  });

  /** A clone whose git asks a helper that gives this password, and what the helper was told. */
  async function openAsking(password: string) {
    const log = join(folder.path, "asked");
    const helper = `!f() { echo $1 >> ${log}; echo username=anna; echo password=${password}; }; f`;
    await writeFiles(folder.path, { gitconfig: `[credential]\n\thelper = "${helper}"\n` });
    const environment = { ...NOBODYS_ENVIRONMENT, GIT_CONFIG_GLOBAL: join(folder.path, "gitconfig") };
    const repository = await open({ credentialsDirectory: null, environment });
    return { repository, told: async () => (await readFile(log, "utf8")).trim().split("\n") };
  }

  it.each([
    [PASSWORD, ["get", "store"], null],
    ["wrong", ["get", "erase"], "AG2002"],
  ])("asks whoever git would ask once, and tells what the server made of %j", async (password, verbs, code) => {
    const [head] = (await world.chain("main", { count: 3 })).slice(-1) as [CommitId];
    const { repository, told } = await openAsking(password);
    for (const work of [() => repository.list("all", signal), () => repository.read(head, signal)]) {
      const failure = await work().then(
        () => null,
        (error: { readonly code: string }) => error.code,
      );
      expect(failure).toBe(code);
    }
    expect(await told()).toEqual(verbs);
  });

  it("lets a helper keep credentials that were right, where they may not do this", async () => {
    const [head] = (await world.chain("main", { count: 3 })).slice(-1) as [CommitId];
    const { repository, told } = await openAsking(PASSWORD);
    world.proxy.setRules([{ match: { from: 2 }, fault: { kind: "status", status: 403 } }]);
    await expect(repository.read(head, signal)).rejects.toMatchObject({ code: "AG2002" });
    expect(await told()).toEqual(["get"]);
    world.proxy.clear();
    await repository.list("all", signal);
    expect(await told()).toEqual(["get", "store"]);
  });

  it("takes credentials to no other address", async () => {
    const asked: (string | undefined)[] = [];
    const certificate = selfSigned("elsewhere");
    const server = createServer(certificate, (request, response) => {
      asked.push(request.headers.authorization);
      response.writeHead(302, { location: `${world.url}${request.url}` }).end();
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    await writeFiles(folder.path, { "secret/ca.crt": certificate.cert });
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/federation.git`;
    await expect((await open({ url })).list("branch", signal)).rejects.toMatchObject({ code: "AG2001" });
    expect(asked).toEqual([`Basic ${BASIC}`]);
    server.close();
  });

  it("trusts the ca.crt of the folder", async () => {
    const HEAD = "a".repeat(40);
    const certificate = selfSigned("git");
    const server = createServer(certificate, (request, response) => {
      const kind = request.method === "GET" ? "advertisement" : "result";
      response.setHeader("content-type", `application/x-git-upload-pack-${kind}`);
      if (request.method === "GET") response.end(`${encodePacket("version 2\n")}${encodePacket("ls-refs\n")}${FLUSH}`);
      else response.end(`${encodePacket(`${HEAD} refs/heads/main\n`)}${FLUSH}`);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/federation.git`;
    await expect((await open({ url })).list("branch", signal)).rejects.toMatchObject({ code: "AG2001" });
    await writeFiles(folder.path, { "secret/ca.crt": certificate.cert });
    expect((await (await open({ url })).list("branch", signal)).head).toBe(HEAD);
    server.close();
  });

  it("builds on what it has when it fetches again", async () => {
    const first = await world.chain("main", { count: 200 });
    const repository = await open();
    await repository.list("all", signal);
    await repository.read(first.at(-1) as CommitId, signal);
    const before = await objectCount();
    const [next] = (await world.chain("main", { count: 1, from: first.at(-1) as CommitId })) as [CommitId];
    await repository.list("all", signal);
    await repository.read(next, signal);
    expect((await objectCount()) - before).toBeLessThan(10);
  });

  it.each([
    ["there is no git", async () => ({ ...NOBODYS_ENVIRONMENT, PATH: join(folder.path, "tmp") })],
    ["git is too old", () => gitThatTells({ version: "2.25.1" })],
  ])("is none where %s", async (_, environment) => {
    await expect(open({ environment: await environment() })).rejects.toMatchObject({ code: "AG4006" });
    expect(await clones()).toEqual([]);
  });
});

/** Objects in the only clone, those that came twice counted twice. */
async function objectCount(): Promise<number> {
  const [clone = ""] = await clones();
  const counts = await git(clone, ["count-objects", "-v"]);
  const of = (what: string): number => Number(new RegExp(`^${what}: (\\d+)$`, "m").exec(counts)?.[1] ?? 0);
  return of("count") + of("in-pack");
}
