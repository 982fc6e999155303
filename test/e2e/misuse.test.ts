import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeKubeconfig } from "../../src/sandbox/api-server/kubeconfig.ts";
import { createBareRepository } from "../../src/sandbox/bare-repository.ts";
import { type GitServer, startGitServer } from "../../src/sandbox/git-server.ts";
import { FILES } from "../support/federation.ts";
import { git, temporaryFolder, writeFiles } from "../support/git.ts";
import { PROJECT } from "../support/process.ts";
import { openTerminal, type Terminal } from "../support/terminal.ts";
import { federationFiles } from "../support/world.ts";

/**
 * What goes wrong between a person's keyboard and the servers ends in one sentence with the cause and what to do, and
 * with the exit code that a script can tell them apart by.
 */

const USERS = { jo: { password: "hunter2", mayPush: true }, reader: { password: "hunter2", mayPush: false } };
const { GlobalDeploymentPolicy: GDP_FILE } = FILES;
const CLOSED = "http://127.0.0.1:1";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: GitServer;
/** Answers everything with a page, as a wrong address or a portal does. */
let page: Server;
let terminal: Terminal;

beforeAll(async () => {
  folder = await temporaryFolder();
  const root = join(folder.path, "git");
  const bare = await createBareRepository(root, "federation.git");
  await createBareRepository(root, "empty.git");
  server = await startGitServer({ root, users: USERS });
  page = createServer((_, response) => void response.setHeader("content-type", "text/html").end("<h1>Sign in</h1>"));
  await new Promise<void>((resolve) => page.listen(0, "127.0.0.1", resolve));
  await seed(bare);
  await writeKubeconfig(join(folder.path, "kubeconfig"), [{ context: "closed", url: CLOSED }]);
  for (const [user, { password }] of Object.entries({ ...USERS, wrong: { password: "wrong" } })) {
    const files = { username: user === "wrong" ? "jo" : user, password };
    await writeFiles(join(folder.path, "credentials", user), files);
  }
  terminal = await openTerminal(join(folder.path, "person"), {
    KUBECONFIG: join(folder.path, "kubeconfig"),
    GIT_TERMINAL_PROMPT: "0",
    GIT_AUTHOR_NAME: "Somebody",
    GIT_AUTHOR_EMAIL: "somebody@example.com",
    GIT_COMMITTER_NAME: "Somebody",
    GIT_COMMITTER_EMAIL: "somebody@example.com",
  });
  await mkdir(join(terminal.folder, "nothing"));
  await terminal.ok(`git clone -q ${bare} clone`);
});

afterAll(async () => {
  await server?.stop();
  page?.closeAllConnections();
  page?.close();
  await folder?.[Symbol.asyncDispose]();
});

/** The federation with two revisions, the second one an edit. */
async function seed(bare: string): Promise<void> {
  const work = join(folder.path, "seed");
  await mkdir(work);
  await git(work, ["init", "--quiet", "--initial-branch=main", "."]);
  for (const message of ["Begin the federation", "Edit"]) {
    const text = (federationFiles()[GDP_FILE] ?? "").replace("ttl: 10", message === "Edit" ? "ttl: 20" : "ttl: 10");
    await writeFiles(work, { ...federationFiles(), [GDP_FILE]: text });
    await git(work, ["add", "--all"]);
    await git(work, ["commit", "--quiet", "--message", message]);
  }
  await git(work, ["push", "--quiet", bare, "main"]);
}

/** With the cause and what to do about it; what is wrong with a federation has that on a line of its own. */
const SENTENCE = /^(error: AG\d{4} .+[.?]|error AG\d{4}: .+\n {2}.+\.)\n$/;

interface Misuse {
  readonly what: string;
  /** After `amko-gitops`. In it stand URL, EMPTY, PAGE and CREDENTIALS for what has been started. */
  readonly line: string;
  readonly exit: 1 | 2 | 3;
  /** What the sentence begins with. */
  readonly code: string;
  readonly says: string;
}

const USAGE: readonly Misuse[] = [
  { what: "an unknown verb", line: "statu", exit: 2, code: "AG4002", says: "Did you mean status?" },
  { what: "an unknown flag", line: "status --wach", exit: 2, code: "AG4002", says: "Did you mean --watch?" },
  { what: "a flag without its value", line: "status --repo", exit: 2, code: "AG4002", says: "--repo" },
  { what: "an argument too many", line: "status now", exit: 2, code: "AG4002", says: "too many arguments" },
  { what: "an argument too few", line: "rollback", exit: 2, code: "AG4002", says: "'rev'" },
  { what: "a flag that is needed", line: "switchover --repo clone", exit: 2, code: "AG4002", says: "--to" },
  { what: "no duration", line: "status --repo clone --git-timeout 5", exit: 2, code: "AG4002", says: "--git-timeout" },
  { what: "an unknown format", line: "status --repo clone -o yml", exit: 2, code: "AG4002", says: "json" },
  {
    what: "two places to begin",
    line: "init here --repo URL --clusters a,b --leader a",
    exit: 2,
    code: "AG4002",
    says: "--repo",
  },
  {
    what: "a filter that has no use",
    line: "history --leaders --kind gdp --repo clone",
    exit: 2,
    code: "AG4002",
    says: "--kind",
  },
  { what: "an unknown cluster", line: "switchover --repo clone --to cluster9", exit: 1, code: "AG5", says: "cluster9" },
  { what: "an unknown revision", line: "diff --repo clone nowhere", exit: 2, code: "AG4009", says: "nowhere" },
  {
    what: "no reason, and nobody to ask",
    line: "rollback main~1 --repo clone",
    exit: 2,
    code: "AG4002",
    says: "--reason",
  },
];

const PLACES: readonly Misuse[] = [
  { what: "a folder that is no clone", line: "status --repo nothing", exit: 2, code: "AG4008", says: "nothing" },
  { what: "a folder that is missing", line: "status --repo missing", exit: 2, code: "AG4008", says: "missing" },
  { what: "a checkout that is missing", line: "validate missing", exit: 2, code: "AG4008", says: "missing" },
  {
    what: "credentials that are missing",
    line: "status --repo URL --git-credentials missing",
    exit: 2,
    code: "AG4004",
    says: "missing",
  },
  { what: "a kubeconfig that is missing", line: "resume --kubeconfig missing", exit: 2, code: "AG4", says: "missing" },
  { what: "an unknown context", line: "resume --context elsewhere", exit: 2, code: "AG4", says: "elsewhere" },
  {
    what: "a change in a part of a clone",
    line: "validate clone/clusters --base main",
    exit: 2,
    code: "AG4002",
    says: "--path clusters",
  },
  {
    what: "a folder in the way",
    line: "init clone --clusters a,b --leader a --amko-version 1.4.2",
    exit: 2,
    code: "AG4010",
    says: "clone",
  },
];

const SERVERS: readonly Misuse[] = [
  { what: "a git server that is away", line: `status --repo ${CLOSED}/x`, exit: 3, code: "AG2001", says: CLOSED },
  {
    what: "a name that nobody has",
    line: "status --repo https://git.invalid/x",
    exit: 3,
    code: "AG2001",
    says: "git.invalid",
  },
  { what: "a page in the place of git", line: "status --repo PAGE/x", exit: 3, code: "AG2", says: "PAGE/x" },
  {
    what: "a repository that is missing",
    line: "status --repo URLx --git-credentials CREDENTIALS/jo",
    exit: 3,
    code: "AG2006",
    says: "URLx",
  },
  { what: "no credentials", line: "status --repo URL", exit: 3, code: "AG2002", says: "URL" },
  {
    what: "refused credentials",
    line: "status --repo URL --git-credentials CREDENTIALS/wrong",
    exit: 3,
    code: "AG2002",
    says: "URL",
  },
  {
    what: "credentials that may only read",
    line: "rollback main~1 --repo URL --git-credentials CREDENTIALS/reader --reason test --yes",
    exit: 3,
    code: "AG2013",
    says: "URL",
  },
  {
    what: "an empty repository",
    line: "status --repo EMPTY --git-credentials CREDENTIALS/jo",
    exit: 1,
    code: "AG2005",
    says: "init",
  },
  { what: "an API server that is away", line: "suspend --for 1h --reason test", exit: 3, code: "AG3001", says: CLOSED },
];

describe.each([
  ["wrong usage", USAGE],
  ["files", PLACES],
  ["servers", SERVERS],
])("what goes wrong with %s", (_, cases) => {
  test.each(cases)("$what: exit code $exit and one sentence", async ({ line, exit, code, says }) => {
    const { code: exitCode, stderr } = await terminal.run(`amko-gitops ${placed(line)}`);
    expect(exitCode, stderr).toBe(exit);
    expect(stderr).toMatch(SENTENCE);
    expect(stderr).toMatch(new RegExp(`^error:? ${code}`));
    expect(stderr).toContain(placed(says));
    expect(stderr).not.toContain("hunter2");
  });
});

/** With what has been started in the place of the names in capitals. */
function placed(text: string): string {
  return text
    .replaceAll("PAGE", `http://127.0.0.1:${(page.address() as AddressInfo).port}`)
    .replaceAll("EMPTY", server.url("empty.git"))
    .replaceAll("CREDENTIALS", join(folder.path, "credentials"))
    .replaceAll("URL", server.url("federation.git"));
}

describe("a machine that is set up otherwise", () => {
  const credentials = "--git-credentials CREDENTIALS/jo";

  test.each([
    ["has no folder that can be written, as an agent's pod", { TMPDIR: "/nowhere" }],
    [
      "looks for no bare repository by itself",
      { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "safe.bareRepository", GIT_CONFIG_VALUE_0: "explicit" },
    ],
  ])("%s: a repository is read by its address all the same", async (_, environment) => {
    const other = await openTerminal(join(folder.path, "other"), environment);
    expect(await other.ok(placed(`amko-gitops history --repo URL ${credentials}`))).toContain("Edit");
  });

  test("has a clone whose git knows no password: the one that is given is used, and never for ssh", async () => {
    await terminal.ok("git clone -q clone other");
    await terminal.ok(placed("git -C other remote set-url origin URL"));
    expect((await terminal.run("amko-gitops history --repo other")).stderr).toContain("AG2002");
    expect(await terminal.ok(placed(`amko-gitops history --repo other ${credentials}`))).toContain("Edit");
    const rollback = `amko-gitops rollback main~1 --repo other --reason test --yes --propose ${credentials}`;
    expect(await terminal.ok(placed(rollback))).toContain("amko/propose");
    await terminal.ok("git -C other remote set-url origin git@git.invalid:federation.git");
    const { code, stderr } = await terminal.run(placed(`amko-gitops history --repo other ${credentials}`));
    expect([code, stderr]).toEqual([2, expect.stringContaining("--git-credentials")]);
    expect(stderr).toMatch(SENTENCE);
  });
});

describe("a reader who goes away", () => {
  test("is told to no script as success", async () => {
    const line = ["history", "--repo", join(terminal.folder, "clone")];
    const child = spawn(process.execPath, [join(PROJECT, "src/launch.js"), ...line], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    child.stdout.destroy();
    const [code] = await once(child, "exit");
    expect(code).toBe(141);
  });
});

describe("a checkout that is not as it was cloned", () => {
  const rollback = "amko-gitops rollback main~1 --repo clone --dry-run";

  test("detached, is as good as any other", async () => {
    const attached = await terminal.ok(rollback);
    await terminal.ok("git -C clone checkout -q --detach HEAD~1");
    expect(await terminal.ok(rollback)).toBe(attached);
    expect(await terminal.ok("amko-gitops validate clone")).toContain("valid: clone");
  });

  test("with changes that are not committed, is judged with them; a commit tells that they are no part of it", async () => {
    const manifest = "clusters/cluster2/amkocluster.yaml";
    await writeFile(join(terminal.folder, "clone", manifest), "kind: [\n");
    const { code, stdout } = await terminal.run("amko-gitops validate clone");
    expect([code, stdout]).toEqual([1, expect.stringContaining("AG5003")]);
    expect(await terminal.ok(rollback)).toContain(`Not committed here, and no part of it:\n  * ${manifest}\n`);
    expect(await terminal.ok("git -C clone status --porcelain")).toBe(` M ${manifest}\n`);
  });

  test("with what agents read otherwise, is judged as they read it: a submodule is no empty folder", async () => {
    await terminal.ok("git clone -q clone gate");
    const commit = (await terminal.ok("git -C gate rev-parse HEAD")).trim();
    await terminal.ok(`git -C gate update-index --add --cacheinfo 160000,${commit},clusters/docs`);
    await terminal.ok("git -C gate commit -q -m submodule");
    await mkdir(join(terminal.folder, "gate/clusters/docs"));
    const { code, stdout } = await terminal.run("amko-gitops validate gate --base HEAD~1");
    expect([code, stdout]).toEqual([1, expect.stringContaining("AG1001")]);
  });
});
