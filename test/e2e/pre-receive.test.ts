import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CommitId } from "../../src/core/model.ts";
import { createBareRepository } from "../../src/sandbox/bare-repository.ts";
import { type GitServer, startGitServer } from "../../src/sandbox/git-server.ts";
import { manifest } from "../support/builders.ts";
import { git, temporaryFolder } from "../support/git.ts";
import { installHook } from "../support/hook.ts";
import { federationFiles, REPOSITORY } from "../support/world.ts";

const USERS = Object.fromEntries(
  ["agent-1", "agent-2", "jo", "stranger"].map((name) => [name, { password: name, mayPush: true }]),
);
const GDP = "federation/globaldeploymentpolicy/global-gdp.yaml";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let bare: string;
let work: string;
let server: GitServer;

beforeAll(async () => {
  folder = await temporaryFolder();
  bare = await createBareRepository(join(folder.path, "git"), REPOSITORY);
  await installHook(bare, { "agent-1": "cluster1", "agent-2": "cluster2", jo: "people" });
  server = await startGitServer({ root: join(folder.path, "git"), users: USERS });
  work = join(folder.path, "work");
  await mkdir(work);
  await git(work, ["init", "--quiet", "--initial-branch=main", "."]);
  await commit(federationFiles(), "Start");
  expect(await push("jo", "HEAD:refs/heads/main")).toBe("taken");
});

afterAll(async () => {
  await server.stop();
  await folder[Symbol.asyncDispose]();
});

/** `taken`, or the code that the server's words name. */
async function push(user: string, ...refspecs: readonly string[]): Promise<string> {
  const url = Object.assign(new URL(server.url(REPOSITORY)), { username: user, password: user }).href;
  try {
    await git(work, ["push", "--quiet", url, ...refspecs]);
    return "taken";
  } catch (error) {
    return /AG\d{4}/.exec(String((error as { stderr?: unknown }).stderr))?.[0] ?? String(error);
  }
}

/** One commit on top of what the server has; null removes a file. */
async function commit(changes: Readonly<Record<string, string | null>>, message = "A change"): Promise<CommitId> {
  for (const [path, text] of Object.entries(changes)) {
    if (text === null) {
      await git(work, ["rm", "--quiet", path]);
      continue;
    }
    await mkdir(join(work, path, ".."), { recursive: true });
    await writeFile(join(work, path), text);
  }
  await git(work, ["add", "--all"]);
  await git(work, ["commit", "--quiet", "--message", message]);
  return (await git(work, ["rev-parse", "HEAD"])) as CommitId;
}

/** Tries a commit and goes back to what the server has, whatever it said. */
async function attempt(user: string, changes: Readonly<Record<string, string | null>>): Promise<string> {
  await commit(changes);
  const answer = await push(user, "HEAD:refs/heads/main");
  const at = await git(bare, ["rev-parse", "main"]);
  await git(work, ["reset", "--quiet", "--hard", at]);
  return answer;
}

function flip(leaders: readonly string[]): Readonly<Record<string, string>> {
  const files = ["cluster1", "cluster2"].map((name) => manifest(name, { isLeader: leaders.includes(name) }));
  return Object.fromEntries(files.map(({ path, bytes }) => [path, new TextDecoder().decode(bytes ?? undefined)]));
}

function policy(ttl: number): Readonly<Record<string, string>> {
  return { [GDP]: (federationFiles()[GDP] ?? "").replace("ttl: 10", `ttl: ${ttl}`) };
}

describe("the pre-receive hook on a real server", () => {
  it("takes the leader's export and refuses a follower's", async () => {
    expect(await attempt("agent-1", policy(20))).toBe("taken");
    expect(await attempt("agent-2", policy(30))).toBe("AG5034");
  });

  it("refuses two leaders, whoever makes them", async () => {
    expect(await attempt("jo", flip(["cluster1", "cluster2"]))).toBe("AG5002");
  });

  it("refuses a follower that elects itself, and a leader that touches more than snapshots", async () => {
    expect(await attempt("agent-2", flip(["cluster2"]))).toBe("AG5034");
    expect(await attempt("agent-1", { ".github/workflows/validate.yaml": "on: push\n" })).toBe("AG5035");
  });

  it("refuses a snapshot's loss by an agent", async () => {
    expect(await attempt("agent-1", { [GDP]: null })).toBe("AG1024");
  });

  it("keeps every agent to its own refs", async () => {
    expect(await push("agent-2", "HEAD:refs/heads/amko/applied/cluster2")).toBe("taken");
    expect(await push("agent-2", "HEAD:refs/heads/amko/applied/cluster1")).toBe("AG5033");
    expect(await push("agent-2", "HEAD:refs/heads/amko/leading/cluster2")).toBe("taken");
    expect(await push("agent-2", ":refs/heads/amko/leading/cluster2")).toBe("taken");
    expect(await push("jo", "HEAD:refs/heads/amko/applied/cluster1")).toBe("AG5033");
  });

  it("refuses a pusher that nobody maps", async () => {
    expect(await push("stranger", "HEAD:refs/heads/feature")).toBe("AG5032");
  });

  it("takes one ref of a push only if it takes all", async () => {
    expect(await push("agent-2", "HEAD:refs/heads/amko/failed/cluster2", "HEAD:refs/heads/feature")).toBe("AG5033");
    expect(await git(bare, ["for-each-ref", "refs/heads/amko/failed"])).toBe("");
  });

  it("refuses that the branch is rewritten or deleted, by people too", async () => {
    expect(await push("jo", ":refs/heads/main")).toBe("AG5036");
    expect(await push("jo", "+HEAD~1:refs/heads/main")).toBe("AG5036");
  });

  it("takes a person's flip, and then refuses an export by the deposed leader", async () => {
    expect(await attempt("jo", flip(["cluster2"]))).toBe("taken");
    expect(await attempt("agent-1", policy(40))).toBe("AG5034");
    expect(await attempt("agent-2", policy(50))).toBe("taken");
  });
});
