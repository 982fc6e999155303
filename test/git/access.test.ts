import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CommitId } from "../../src/core/model.ts";
import { readCredentials } from "../../src/git/credentials.ts";
import { openRepository } from "../../src/git/repository.ts";
import { serverWords } from "../../src/git/words.ts";
import type { GitServerUser } from "../../src/sandbox/git-server.ts";
import { temporaryFolder, writeFiles } from "../support/git.ts";
import { type GitWorld, makeGitWorld } from "../support/git-world.ts";

const signal = new AbortController().signal;
const author = { name: "amko-gitops", email: "amko-gitops@cluster1", atSeconds: 1_700_000_123 };
const PASSWORD = "s3cret-passw0rd";

describe("the address of a repository", () => {
  const open = (url: string) => () =>
    openRepository({
      url,
      branch: "main",
      path: "",
      refPrefix: "amko",
      credentialsDirectory: null,
      timeoutMs: 1000,
      nowMs: () => 0,
    });

  it.each([
    "ssh://git@host/x.git",
    "git@github.com:org/repo.git",
    "git://host/x.git",
    "file:///srv/x.git",
    "/srv/x.git",
    "./x.git",
    "host/x.git",
    "",
    "ftp://host/x",
    "https://user@host/x.git",
    "https://user:pass@host/x.git",
    "https://host/x.git?private_token=abc",
    "https://host/x.git#main",
  ])("is refused when it is %j", (url) => {
    expect(open(url)).toThrowError(expect.objectContaining({ code: "AG4003" }));
  });

  it("is never repeated when it holds a secret", () => {
    for (const url of [
      `https://bob:${PASSWORD}@host/x`,
      `https://host/x?token=${PASSWORD}`,
      `bob:${PASSWORD}@host:x`,
    ]) {
      expect(open(url)).toThrowError(expect.not.objectContaining({ message: expect.stringContaining(PASSWORD) }));
    }
  });

  it("is told without a slash at its end", () => {
    expect(open("https://git.example.com/org/federation.git/")().url).toBe(
      "https://git.example.com/org/federation.git",
    );
  });

  it.each(["", "a..b", "/a", "a/", "a b", "x.lock", "-x", "a~1", "@", "a//b"])(
    "goes with no branch called %j",
    (branch) => {
      const opening = () =>
        openRepository({
          url: "https://host/x",
          branch,
          path: "",
          refPrefix: "amko",
          credentialsDirectory: null,
          timeoutMs: 1000,
          nowMs: () => 0,
        });
      expect(opening).toThrowError(expect.objectContaining({ code: "AG4002" }));
    },
  );
});

describe("credentials", () => {
  let world: GitWorld;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let head: CommitId;
  let users: Record<string, GitServerUser>;
  beforeEach(async () => {
    folder = await temporaryFolder();
    users = { agent: { password: PASSWORD, mayPush: true }, reader: { password: "reads", mayPush: false } };
    world = await makeGitWorld({ users });
    head = await world.commit({ files: { "clusters/a/b.yaml": "1" } });
    await world.setBranch("main", head);
  });
  afterEach(async () => {
    await world.stop();
    await folder[Symbol.asyncDispose]();
  });

  const open = () => world.open({ credentialsDirectory: folder.path });
  const mount = (files: Readonly<Record<string, string>>) => writeFiles(folder.path, files);
  const publish = (repository: ReturnType<typeof open>) =>
    repository.publish({ parent: head, changes: [], message: "A change\n", author }, signal);

  it("are sent with every request, without asking first", async () => {
    await mount({ username: "agent\n", password: `${PASSWORD}\n` });
    await publish(open());
    expect(world.proxy.log().map(({ method, url }) => `${method} ${url}`)).toEqual([
      "GET /federation.git/info/refs?service=git-upload-pack",
      "POST /federation.git/git-upload-pack",
      "GET /federation.git/info/refs?service=git-receive-pack",
      "POST /federation.git/git-receive-pack",
    ]);
  });

  it("are read again for each request, so that a rotation needs no restart", async () => {
    await mount({ username: "agent", password: "old" });
    const repository = open();
    await expect(repository.list("all", signal)).rejects.toMatchObject({ code: "AG2002" });
    await mount({ password: PASSWORD });
    expect((await repository.list("all", signal)).head).toBe(head);
    await mount({ password: "newer" });
    await expect(repository.list("all", signal)).rejects.toMatchObject({ code: "AG2002" });
  });

  it("may be a bearer token", async () => {
    await mount({ bearerToken: "token-1\n" });
    expect(await readCredentials(folder.path)).toMatchObject({ authorization: "Bearer token-1" });
  });

  it("that are missing or wrong are told apart, with the repository's address", async () => {
    await expect(open().list("all", signal)).rejects.toThrow("asks for credentials and none are mounted");
    await mount({ username: "agent", password: "wrong" });
    await expect(open().list("all", signal)).rejects.toThrow(`refused the credentials for ${world.url}`);
  });

  it("that only read are told when the agent pushes, and still read", async () => {
    await mount({ username: "reader", password: "reads" });
    const repository = open();
    expect((await repository.read(head, signal)).files).toHaveLength(1);
    await expect(publish(repository)).rejects.toMatchObject({ code: "AG2013" });
  });

  it("that are missing where everybody may read are told as a right to read only, and wrong ones as wrong", async () => {
    users[""] = { password: "", mayPush: false };
    const repository = open();
    expect((await repository.read(head, signal)).files).toHaveLength(1);
    await expect(publish(repository)).rejects.toMatchObject({ code: "AG2013" });
    await mount({ username: "agent", password: "wrong" });
    await expect(publish(repository)).rejects.toMatchObject({ code: "AG2002" });
  });

  it("never stand in an error, however deep one looks", async () => {
    await mount({ username: "agent", password: PASSWORD });
    const basic = Buffer.from(`agent:${PASSWORD}`).toString("base64");
    const faults = [
      { kind: "status", status: 403, body: `no: ${PASSWORD} ${basic}` },
      { kind: "status", status: 401, body: PASSWORD },
      { kind: "html-instead" },
      { kind: "refuse" },
    ] as const;
    for (const fault of faults) {
      world.proxy.setRules([{ match: {}, fault }]);
      const error = await open()
        .list("all", signal)
        .catch((caught: unknown) => caught);
      const told = inspect(error, { depth: 10, showHidden: true });
      expect(told).toContain("AG20");
      expect(told).not.toContain(PASSWORD);
      expect(told).not.toContain(basic);
    }
  });

  it.each([
    ["only a user name", { username: "agent" }],
    ["only a password", { password: "x" }],
    ["an empty file", { username: "agent", password: "\n" }],
    ["two lines", { username: "agent", password: "a\nb" }],
    ["a token of two lines", { bearerToken: "a\r\nX-Evil: 1" }],
  ])("are refused with AG4004 when the folder holds %s", async (_, files) => {
    await mount(files);
    await expect(open().list("all", signal)).rejects.toMatchObject({ code: "AG4004" });
    expect(world.proxy.log()).toEqual([]);
  });

  it("are refused with AG4004 when a file cannot be read", async () => {
    await mkdir(join(folder.path, "username"));
    await expect(open().list("all", signal)).rejects.toMatchObject({ code: "AG4004" });
    await rm(join(folder.path, "username"), { recursive: true });
    await writeFile(join(folder.path, "ca.crt"), "");
    await expect(open().list("all", signal)).rejects.toMatchObject({ code: "AG4004" });
  });
});

describe("a server's words", () => {
  it("lose control characters, secrets and length", () => {
    expect(serverWords("remote: \u001b[1;31mno\u001b[0m\r\n\u0000 way\u202e  out ", [])).toBe("remote: no way out");
    expect(serverWords("token abc, again abc", ["abc", ""])).toBe("token ***, again ***");
    expect(serverWords("é".repeat(2000), [])).toHaveLength(500);
  });
});
