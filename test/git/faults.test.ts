import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ErrorCode } from "../../src/core/catalogue.ts";
import type { CommitId } from "../../src/core/model.ts";
import { encodePacket } from "../../src/git/pkt-line.ts";
import type { Repository } from "../../src/ports.ts";
import type { Fault, FaultMatch } from "../support/fault-proxy.ts";
import { type GitWorld, makeGitWorld } from "../support/git-world.ts";

const signal = new AbortController().signal;
const author = { name: "amko-gitops", email: "amko-gitops@cluster1", atSeconds: 1_700_000_123 };
const UNKNOWN = "00000000000000000000000000000000000000aa" as CommitId;
const SEED = { "clusters/cluster1/amkocluster.yaml": "isLeader: true\n", "federation/gslbconfig/gc.yaml": "a: 1\n" };

/** Every request that reading and publishing makes, in order. */
const STEPS = {
  "greeting for reading": { method: "GET", pathPattern: "service=git-upload-pack" },
  "list of refs": { method: "POST", pathPattern: "git-upload-pack$" },
  fetch: { method: "POST", pathPattern: "git-upload-pack$", from: 2 },
  "greeting for pushing": { method: "GET", pathPattern: "service=git-receive-pack" },
  push: { method: "POST", pathPattern: "git-receive-pack$" },
} as const satisfies Record<string, FaultMatch>;
type Step = keyof typeof STEPS;

let world: GitWorld;
let head: CommitId;
beforeEach(async () => {
  world = await makeGitWorld();
  head = await world.commit({ files: SEED });
  await world.setBranch("main", head);
});
afterEach(async () => {
  await world.verify();
  await world.stop();
});

function publish(repository: Repository, parent: CommitId, text = "a: 2\n"): Promise<CommitId> {
  const changes = [{ path: "federation/gslbconfig/gc.yaml", bytes: new TextEncoder().encode(text) }];
  return repository.publish({ parent, changes, message: "A change\n", author }, signal);
}

async function readAndPublish(repository: Repository): Promise<CommitId> {
  const listing = await repository.list("all", signal);
  await repository.read(listing.head ?? head, signal);
  return await publish(repository, listing.head ?? head);
}

interface Case {
  readonly fault: Fault;
  readonly code: ErrorCode;
  readonly on?: readonly Step[];
  readonly timeoutMs?: number;
}

const EVERYWHERE = Object.keys(STEPS) as Step[];
const READING = EVERYWHERE.slice(0, 3);
const PUSHING = EVERYWHERE.slice(3);
/** What a push that reached the server survives is told elsewhere. */
const BEFORE_THE_PUSH = EVERYWHERE.slice(0, 4);

const CASES: readonly Case[] = [
  { fault: { kind: "refuse" }, code: "AG2001" },
  { fault: { kind: "hang" }, code: "AG2010", timeoutMs: 2_500 },
  { fault: { kind: "cut", afterBytes: 0 }, code: "AG2001", on: BEFORE_THE_PUSH },
  { fault: { kind: "cut", afterBytes: 40 }, code: "AG2001", on: BEFORE_THE_PUSH },
  { fault: { kind: "truncate", afterBytes: 0 }, code: "AG2008", on: BEFORE_THE_PUSH },
  { fault: { kind: "truncate", afterBytes: 40 }, code: "AG2008", on: BEFORE_THE_PUSH },
  { fault: { kind: "html-instead" }, code: "AG2008" },
  { fault: { kind: "status", status: 401 }, code: "AG2002", on: READING },
  // Nobody's credentials are sent here, and reading worked.
  { fault: { kind: "status", status: 401 }, code: "AG2013", on: PUSHING },
  { fault: { kind: "status", status: 403 }, code: "AG2002", on: READING },
  { fault: { kind: "status", status: 403 }, code: "AG2013", on: PUSHING },
  { fault: { kind: "status", status: 404 }, code: "AG2006" },
  { fault: { kind: "status", status: 302, headers: { location: "http://127.0.0.1:1/" } }, code: "AG2008" },
  { fault: { kind: "status", status: 500 }, code: "AG2001" },
  { fault: { kind: "status", status: 504 }, code: "AG2010" },
];

describe("a fault in the middle is told as what it is, and leaves nothing behind", () => {
  const rows = CASES.flatMap(({ on = EVERYWHERE, ...rest }) => on.map((step) => ({ step, ...rest })));
  it.each(rows)("$code when the $step meets $fault", async ({ step, fault, code, timeoutMs = 20_000 }) => {
    world.proxy.setRules([{ match: STEPS[step], fault }]);
    const repository = world.open({ timeoutMs });
    await expect(readAndPublish(repository)).rejects.toMatchObject({ code });
    expect(await world.branchHead("main")).toBe(head);
    world.proxy.clear();
    expect(await readAndPublish(repository)).toBe(await world.branchHead("main"));
  });

  it.each(["429", "503"])("waits as long as the server says with %s, a minute at most", async (status) => {
    const rule = (header: string) => [
      { match: {}, fault: { kind: "status", status: Number(status), headers: { "retry-after": header } } } as const,
    ];
    const repository = world.open({ nowMs: () => Date.UTC(2026, 0, 1) });
    world.proxy.setRules(rule("7"));
    await expect(repository.list("all", signal)).rejects.toMatchObject({ code: "AG2001", retryAfterMs: 7_000 });
    world.proxy.setRules(rule("Thu, 01 Jan 2026 00:00:50 GMT"));
    await expect(repository.list("all", signal)).rejects.toMatchObject({ retryAfterMs: 50_000 });
    world.proxy.setRules(rule("999999999"));
    await expect(repository.list("all", signal)).rejects.toMatchObject({ retryAfterMs: 60_000 });
    world.proxy.setRules(rule("soon"));
    await expect(repository.list("all", signal)).rejects.toMatchObject({ retryAfterMs: null });
  });

  it("refuses an answer that is larger than the limit", async () => {
    const repository = world.open({ fetchMaxBytes: 100 });
    await expect(repository.read(head, signal)).rejects.toMatchObject({ code: "AG2009" });
  });

  it("sends a request once more when the idle connection that it used turns out to be closed", async () => {
    const repository = world.open();
    await repository.list("all", signal);
    world.proxy.setRules([{ match: { nth: 1 }, fault: { kind: "refuse" } }]);
    expect((await repository.list("all", signal)).head).toBe(head);
    world.proxy.setRules([{ match: STEPS.push, fault: { kind: "refuse" } }]);
    await expect(publish(repository, head)).rejects.toMatchObject({ code: "AG2001" });
  });

  it("does not take a commit for gone that a branch points to, whatever the server says", async () => {
    const body = encodePacket("ERR upload-pack: out of sorts");
    const headers = { "content-type": "application/x-git-upload-pack-result" };
    const fault = { kind: "status", status: 200, headers, body } as const;
    const repository = world.open();
    for (const ask of [() => repository.read(head, signal), () => repository.relation(UNKNOWN, head, signal)]) {
      await repository.list("branch", signal);
      world.proxy.setRules([{ match: { ...STEPS.fetch, from: 1, count: 1 }, fault }]);
      await expect(ask()).rejects.toMatchObject({ code: "AG2008", message: expect.stringContaining("out of sorts") });
    }
  });

  it("says which server cannot be reached, and why", async () => {
    await world.proxy.stop();
    const listing = world.open().list("all", signal);
    await expect(listing).rejects.toThrow(`the git server of ${world.url} cannot be reached (ECONNREFUSED)`);
  });

  it("ends at once with the caller's reason when the caller aborts", async () => {
    world.proxy.setRules([{ match: {}, fault: { kind: "hang" } }]);
    const controller = new AbortController();
    const listing = world.open().list("all", controller.signal);
    const reason = new Error("the pod is stopping");
    controller.abort(reason);
    await expect(listing).rejects.toBe(reason);
    await expect(world.open().read(head, controller.signal)).rejects.toBe(reason);
  });
});

describe("a push whose answer is lost", () => {
  const lost: readonly Fault[] = [
    { kind: "lost-answer" },
    { kind: "cut", afterBytes: 0 },
    { kind: "cut", afterBytes: 30 },
    { kind: "truncate", afterBytes: 0 },
    { kind: "truncate", afterBytes: 30 },
  ];
  it.each(lost)("has succeeded when the commit is there: $kind", async (fault) => {
    world.proxy.setRules([{ match: STEPS.push, fault }]);
    const commit = await publish(world.open(), head);
    expect(await world.branchHead("main")).toBe(commit);
  });

  it("has succeeded also when somebody has built on it since", async () => {
    const onTop = 'git update-ref refs/heads/main "$(git commit-tree main^{tree} -p main -m "on top")"';
    await hook(
      "post-receive",
      `export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x\n${onTop}`,
    );
    world.proxy.setRules([{ match: STEPS.push, fault: { kind: "lost-answer" } }]);
    const commit = await publish(world.open(), head);
    expect(await world.parentsOf((await world.branchHead("main")) ?? head)).toEqual([commit]);
  });

  it("has moved a ref, or deleted it", async () => {
    world.proxy.setRules([{ match: STEPS.push, fault: { kind: "lost-answer" } }]);
    const repository = world.open();
    await repository.moveRef({ ref: "applied/a", expected: null, target: head }, signal);
    expect(await world.branchHead("amko/applied/a")).toBe(head);
    await repository.moveRef({ ref: "applied/a", expected: head, target: null }, signal);
    expect(await world.branchHead("amko/applied/a")).toBeNull();
  });

  it("fails with the push's own error when nobody can be asked", async () => {
    const repository = world.open();
    await repository.read(head, signal);
    world.proxy.setRules([
      { match: STEPS.push, fault: { kind: "lost-answer" } },
      { match: { pathPattern: "git-upload-pack" }, fault: { kind: "status", status: 404 } },
    ]);
    await expect(publish(repository, head)).rejects.toMatchObject({ code: "AG2001" });
  });
});

describe("a push that the server refuses", () => {
  it("is told with the server's own words, cleaned and shortened", async () => {
    const words = `printf 'ask \\033[31mBob\\033[0m\\007 first\\n${"x".repeat(600)}\\n' >&2; exit 1`;
    await hook("pre-receive", words);
    const error = await publish(world.open(), head).catch((caught: unknown) => caught as Error & { code: string });
    expect(error).toMatchObject({ code: "AG2004" });
    const message = error instanceof Error ? error.message : "";
    expect(message).toContain("pre-receive hook declined: ask Bob first xxx");
    expect(message.length).toBeLessThan(700);
    expect(await world.branchHead("main")).toBe(head);
  });

  it("is refused for a single protected ref too", async () => {
    await hook("update", 'case "$1" in refs/heads/amko/*) exit 0;; esac; echo "main is protected" >&2; exit 1');
    const repository = world.open();
    await expect(publish(repository, head)).rejects.toThrow("main is protected");
    await repository.moveRef({ ref: "applied/a", expected: null, target: head }, signal);
  });

  it("fails with AG2004 when it would point a ref to a commit that the server lacks", async () => {
    const moving = world.open().moveRef({ ref: "applied/a", expected: null, target: UNKNOWN }, signal);
    await expect(moving).rejects.toMatchObject({ code: "AG2004" });
  });
});

async function hook(name: string, script: string): Promise<void> {
  const path = join(world.folder, "hooks", name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}
