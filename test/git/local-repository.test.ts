import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CommitId } from "../../src/core/model.ts";
import {
  type LocalRepository,
  type LocalRepositorySettings,
  openLocalRepository,
} from "../../src/git/local-repository.ts";
import { git, temporaryFolder, writeFiles } from "../support/git.ts";
import { type GitWorld, makeGitWorld } from "../support/git-world.ts";
import { LOCAL_DEFAULTS, NOBODYS_ENVIRONMENT } from "../support/local-world.ts";

const signal = new AbortController().signal;
const author = { name: "amko-gitops", email: "amko-gitops@cluster1", atSeconds: 1_700_000_123 };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const change = { path: "federation/gslbconfig/gc.yaml", bytes: bytes("a: 2\n") };

let world: GitWorld;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let opened: LocalRepository[];
let chain: readonly CommitId[];

beforeEach(async () => {
  world = await makeGitWorld();
  folder = await temporaryFolder();
  opened = [];
  chain = await world.chain("main", { count: 12 });
});
afterEach(async () => {
  for (const repository of opened) await repository.close();
  await folder[Symbol.asyncDispose]();
  await world.verify();
  await world.stop();
});

const head = (): CommitId => chain[chain.length - 1] as CommitId;

async function open(directory: string, options: Partial<LocalRepositorySettings> = {}): Promise<LocalRepository> {
  const repository = await openLocalRepository({ ...LOCAL_DEFAULTS, directory, ...options }, signal);
  opened.push(repository);
  return repository;
}

async function clone(options: readonly string[] = [], from: string = world.url): Promise<string> {
  const path = join(folder.path, "clone");
  await git(folder.path, ["clone", "--quiet", ...options, from, path]);
  return path;
}

/** Everything of a clone that a person would notice. */
async function stateOf(path: string): Promise<unknown> {
  return {
    refs: await git(path, ["for-each-ref"]),
    head: await readFile(join(path, ".git/HEAD"), "utf8"),
    index: await readFile(join(path, ".git/index")),
    fetchHead: await readFile(join(path, ".git/FETCH_HEAD"), "utf8").catch(() => null),
    reflog: await git(path, ["reflog", "--all"]),
    status: await git(path, ["status", "--porcelain"]),
    config: await readFile(join(path, ".git/config"), "utf8"),
  };
}

const publish = (repository: LocalRepository, parent: CommitId, message = "A change\n") =>
  repository.publish({ parent, changes: [change], message, author }, signal);

describe("a person's clone", () => {
  it("stays as it is, whatever is read from its remote and pushed there", async () => {
    const path = await clone();
    await writeFile(join(path, "notes.txt"), "not committed\n");
    await git(path, ["status"]);
    const before = await stateOf(path);
    const [newest] = (await world.chain("main", { count: 3, from: head() })).slice(-1);
    const repository = await open(path);
    const listing = await repository.list("all", signal);
    expect(listing.head).toBe(newest);
    expect((await repository.read(newest as CommitId, signal)).files).toHaveLength(1);
    const made = await publish(repository, newest as CommitId);
    await repository.moveRef({ ref: "applied/a", expected: null, target: made }, signal);
    await repository.uncommitted(signal);
    expect(await world.branchHead("main")).toBe(made);
    expect(await world.branchHead("amko/applied/a")).toBe(made);
    expect(await stateOf(path)).toEqual(before);
  });

  it("is found from any folder in it, and from its .git", async () => {
    const path = await clone();
    for (const inside of ["federation/gslbconfig", ".git", ".git/refs"]) {
      const repository = await open(join(path, inside));
      expect(repository.url).toBe(world.url);
      if (inside !== ".git/refs") expect(repository.workTree).toBe(path);
      expect((await repository.list("branch", signal)).head).toBe(head());
    }
  });

  it("is found through the .git of a linked work tree", async () => {
    const path = await clone();
    const linked = join(folder.path, "linked");
    await git(path, ["worktree", "add", "--quiet", "-b", "side", linked]);
    const repository = await open(join(linked, ".git"));
    expect(repository.workTree).toBe(linked);
  });

  it("works at a detached HEAD, and tells what of the federation is not committed", async () => {
    const path = await clone();
    const repository = await open(path);
    await git(path, ["checkout", "--quiet", "--detach", "HEAD~2"]);
    expect(await repository.resolve("HEAD", signal)).toBe(chain[9]);
    expect((await repository.list("branch", signal)).head).toBe(head());
    await writeFiles(path, { "new.txt": "1" });
    expect(await repository.uncommitted(signal)).toEqual([]);
    await writeFiles(path, { "clusters/a b/amkocluster.yaml": "1", "federation/gslbconfig/gc.yaml": "other" });
    expect(await repository.uncommitted(signal)).toEqual([
      "federation/gslbconfig/gc.yaml",
      "clusters/a b/amkocluster.yaml",
    ]);
  });

  it("resolves names as git does, and branches that only the remote has", async () => {
    const path = await clone();
    await git(path, ["tag", "-a", "v1", "-m", "first", chain[3] as string]);
    await world.setBranch("amko/propose/a/leader", (await world.chain("other", { count: 1, from: head() }))[0] ?? null);
    const repository = await open(path);
    const proposal = await world.branchHead("amko/propose/a/leader");
    for (const [name, commit] of [
      ["main", head()],
      ["origin/main", head()],
      ["HEAD~2", chain[9]],
      ["v1", chain[3]],
      [head().slice(0, 8), head()],
      [`main@sha1:${chain[2]}`, chain[2]],
      ["amko/propose/a/leader", proposal],
      [proposal ?? "", proposal],
    ] as const) {
      expect([name, await repository.resolve(name, signal)]).toEqual([name, commit]);
    }
    for (const name of ["", "nothing", "--all", "-x", "HEAD~99", "a b", "main\n--all", "f".repeat(40)]) {
      expect([name, await repository.resolve(name, signal)]).toEqual([name, null]);
    }
  });

  it("asks the branch's own remote first, then origin, then the only one", async () => {
    const path = await clone();
    await git(path, ["remote", "add", "fork", "https://fork.example/x.git"]);
    expect((await open(path)).url).toBe(world.url);
    await git(path, ["config", "branch.main.remote", "fork"]);
    expect((await open(path)).url).toBe("https://fork.example/x.git");
    expect((await open(path, { remote: "origin" })).url).toBe(world.url);
    await git(path, ["remote", "remove", "origin"]);
    await git(path, ["config", "--unset", "branch.main.remote"]);
    expect((await open(path)).url).toBe("https://fork.example/x.git");
    await git(path, ["remote", "remove", "fork"]);
    expect((await open(path)).url).toBe(path);
    await expect(open(path, { remote: "nobody" })).rejects.toMatchObject({ code: "AG4002" });
  });

  it("is worked with over a remote that is a folder", async () => {
    const repository = await open(await clone([], world.folder));
    expect(repository.url).toBe(world.folder);
    const made = await publish(repository, head());
    expect(await world.branchHead("main")).toBe(made);
    await expect(publish(repository, head(), "Late\n")).rejects.toMatchObject({ code: "AG2003" });
  });

  it.each(["s3cr3t", "50%s3cr3t"])("keeps the password %s in its remote's address to itself", async (password) => {
    const path = await clone();
    await git(path, ["remote", "set-url", "origin", `http://somebody:${password}@127.0.0.1:1/x.git`]);
    const repository = await open(path);
    expect(repository.url).toBe("http://127.0.0.1:1/x.git");
    const failure = await repository.list("branch", signal).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "AG2001" });
    expect(String(failure)).not.toContain("s3cr3t");
  });

  it("is not moved by a branch that is called like an option", async () => {
    const path = await clone();
    const evil = join(folder.path, "evil");
    await git(world.folder, ["update-ref", `refs/heads/--upload-pack=touch ${evil}`.replaceAll(" ", "$IFS"), head()]);
    const repository = await open(path);
    expect((await repository.list("all", signal)).head).toBe(head());
    await expect(open(path, { branch: "--upload-pack=x" })).rejects.toMatchObject({ code: "AG4002" });
    await expect(repository.moveRef({ ref: "--force", expected: null, target: head() }, signal)).rejects.toMatchObject({
      code: "AG9001",
    });
    expect(await repository.resolve(`--upload-pack=touch ${evil}`, signal)).toBeNull();
  });

  it("pushes past its own pre-push hook, and tells what the server's hook says", async () => {
    const path = await clone();
    const hook = join(path, ".git/hooks/pre-push");
    await writeFile(hook, "#!/bin/sh\nexit 1\n");
    await chmod(hook, 0o755);
    const repository = await open(path);
    const made = await publish(repository, head());
    const refusing = join(world.folder, "hooks/update");
    await writeFile(refusing, '#!/bin/sh\necho "not on a Friday"\nexit 1\n');
    await chmod(refusing, 0o755);
    const failure = await publish(repository, made).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "AG2004", message: expect.stringContaining("not on a Friday") });
    await rm(refusing);
  });
});

describe("a push that ends without an answer", () => {
  const COMMIT = "export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x";
  const BUILD_ON_IT = `${COMMIT}\ngit update-ref refs/heads/main "$(git commit-tree main^{tree} -p main -m 'on top')"`;
  const FAIL = "kill -9 $PPID";

  async function hook(name: string, script: string): Promise<void> {
    const file = join(world.folder, "hooks", name);
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
  }

  it.each([
    ["a server", () => world.url],
    ["a folder", () => world.folder],
  ])("has succeeded when the commit is there, also when somebody has built on it since, at %s", async (_, from) => {
    await hook("post-receive", `${BUILD_ON_IT}\n${FAIL}`);
    const repository = await open(await clone([], from()));
    const made = await publish(repository, head());
    expect(await world.parentsOf((await world.branchHead("main")) ?? head())).toEqual([made]);
  });

  it.each([
    ["a server", () => world.url],
    ["a folder", () => world.folder],
  ])("has failed when it is not there, and is no refusal, at %s", async (_, from) => {
    await hook("pre-receive", FAIL);
    const repository = await open(await clone([], from()));
    const failure = await publish(repository, head()).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: expect.stringMatching(/^AG200[18]$/) });
    expect(await world.branchHead("main")).toBe(head());
  });

  it("is a refusal where only the hook was killed", async () => {
    await hook("pre-receive", "kill -9 $$");
    const repository = await open(await clone());
    await expect(publish(repository, head())).rejects.toMatchObject({ code: "AG2004" });
    expect(await world.branchHead("main")).toBe(head());
  });
});

describe("a shallow clone", () => {
  it("reads what it has, and says AG2014 where its history is too short", async () => {
    const repository = await open(await clone(["--depth=3"]));
    const ids: CommitId[] = [];
    const reading = (async () => {
      for await (const { commit } of repository.history({ from: head(), until: null }, 100, signal)) ids.push(commit);
    })();
    await expect(reading).rejects.toMatchObject({ code: "AG2014", remedy: "Run git fetch --unshallow." });
    expect(ids).toEqual(chain.slice(9).toReversed());
    expect(await repository.relation(chain[10] as CommitId, head(), signal)).toBe("ancestor");
    await expect(repository.relation(chain[2] as CommitId, head(), signal)).rejects.toMatchObject({ code: "AG2014" });
    const since: CommitId[] = [];
    for await (const { commit } of repository.history({ from: head(), until: chain[10] as CommitId }, 9, signal))
      since.push(commit);
    expect(since).toEqual([head()]);
    const tooFar = repository.history({ from: head(), until: chain[2] as CommitId }, 9, signal)[Symbol.asyncIterator]();
    await expect(tooFar.next()).rejects.toMatchObject({ code: "AG2014" });
  });
});

describe("a bare repository", () => {
  it("is worked with directly, and has no work tree", async () => {
    const repository = await open(world.folder);
    expect([repository.url, repository.workTree]).toEqual([world.folder, null]);
    expect(await repository.uncommitted(signal)).toEqual([]);
    const made = await publish(repository, head());
    expect(await world.branchHead("main")).toBe(made);
  });

  it("has no branch moved that somebody has checked out", async () => {
    const linked = join(folder.path, "linked");
    await git(world.folder, ["worktree", "add", "--quiet", linked, "main"]);
    const repository = await open(world.folder);
    await expect(publish(repository, head())).rejects.toMatchObject({ code: "AG2004" });
    expect(await world.branchHead("main")).toBe(head());
    await git(world.folder, ["worktree", "remove", linked]);
  });

  it("shows a hook the commits that wait in quarantine", async () => {
    const seen = join(folder.path, "seen.json");
    const script = join(folder.path, "look.ts");
    const module = new URL("../../src/git/local-repository.ts", import.meta.url).href;
    await writeFile(
      script,
      `import { openLocalRepository } from ${JSON.stringify(module)};
import { readFileSync, writeFileSync } from "node:fs";
const signal = new AbortController().signal;
const [, after] = readFileSync(0, "utf8").split(" ");
const settings = { directory: ".", branch: "main", path: "", refPrefix: "amko", remote: null, interactive: false,
  timeoutMs: 20000, environment: process.env };
const repository = await openLocalRepository(settings, signal);
const { head } = await repository.list("branch", signal);
const { files } = await repository.read(after, signal);
const relation = await repository.relation(head, after, signal);
const quarantine = process.env.GIT_QUARANTINE_PATH !== undefined;
writeFileSync(${JSON.stringify(seen)}, JSON.stringify({ head, paths: files.map(({ path }) => path), relation, quarantine }));
await repository.close();
`,
    );
    const hook = join(world.folder, "hooks/pre-receive");
    await writeFile(hook, `#!/bin/sh\nexec "${process.execPath}" "${script}"\n`);
    await chmod(hook, 0o755);
    const repository = await open(await clone());
    await publish(repository, head());
    expect(JSON.parse(await readFile(seen, "utf8"))).toEqual({
      head: head(),
      paths: ["federation/gslbconfig/gc.yaml"],
      relation: "ancestor",
      quarantine: true,
    });
  });

  it("is not mixed up with the one that a hook belongs to", async () => {
    const path = await clone();
    const environment = { ...NOBODYS_ENVIRONMENT, GIT_DIR: world.folder, GIT_OBJECT_DIRECTORY: "/nonexistent" };
    const repository = await open(path, { environment });
    expect(repository.workTree).toBe(path);
    expect((await repository.read(head(), signal)).files).toHaveLength(1);
  });
});

describe("what goes wrong", () => {
  it("is AG4008 where there is no repository", async () => {
    const plain = join(folder.path, "plain");
    await mkdir(plain);
    for (const directory of [plain, join(folder.path, "nothing")]) {
      await expect(open(directory)).rejects.toMatchObject({ code: "AG4008" });
    }
  });

  it("is AG4006 without git", async () => {
    const environment = { ...NOBODYS_ENVIRONMENT, PATH: folder.path };
    await expect(open(world.folder, { environment })).rejects.toMatchObject({ code: "AG4006" });
  });

  it("is told by what can be done about it", async () => {
    const path = await clone();
    for (const [address, code] of [
      ["ssh://git@127.0.0.1:1/federation.git", "AG2001"],
      ["http://127.0.0.1:1/federation.git", "AG2001"],
      [`${new URL(world.url).origin}/nothing.git`, "AG2006"],
      [join(folder.path, "nothing.git"), "AG2006"],
    ] as const) {
      await git(path, ["remote", "set-url", "origin", address]);
      const repository = await open(path);
      const failure = await repository.list("all", signal).catch((error: unknown) => error);
      expect([address, failure]).toEqual([address, expect.objectContaining({ code })]);
    }
  });

  it("is AG2010 for a git that hangs, and leaves no process behind", async () => {
    const path = await clone();
    const pidFile = join(folder.path, "pid");
    await git(path, ["remote", "set-url", "origin", "ssh://host/x.git"]);
    const environment = { ...NOBODYS_ENVIRONMENT, GIT_SSH_COMMAND: `echo $$ > ${pidFile}; exec sleep 600; :` };
    const repository = await open(path, { environment, timeoutMs: 1_500 });
    await expect(repository.list("all", signal)).rejects.toMatchObject({ code: "AG2010" });
    await repository.close();
    const pid = Number((await readFile(pidFile, "utf8")).trim());
    await expect.poll(() => isRunning(pid)).toBe(false);
  });

  it("ends with the signal's reason when the caller aborts", async () => {
    const path = await clone();
    await git(path, ["remote", "set-url", "origin", "ssh://host/x.git"]);
    const environment = { ...NOBODYS_ENVIRONMENT, GIT_SSH_COMMAND: "sleep 600; :" };
    const repository = await open(path, { environment });
    const controller = new AbortController();
    const listing = repository.list("all", controller.signal);
    controller.abort("enough");
    await expect(listing).rejects.toBe("enough");
  });
});

/** What has ended, but was not waited for by whoever inherited it, runs no more. */
async function isRunning(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "State:\tZ");
  return !/^State:\tZ/m.test(status);
}
