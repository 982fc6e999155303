import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StatusReport } from "../../src/cli/verbs/status.ts";
import { createBareRepository } from "../../src/sandbox/bare-repository.ts";
import { type GitServer, startGitServer } from "../../src/sandbox/git-server.ts";
import { waitUntil } from "../../src/sandbox/wait.ts";
import { NOW_MS, runCommand } from "../support/command-line.ts";
import { fixtureRemote } from "../support/fixture-remote.ts";
import { git, temporaryFolder, writeFiles } from "../support/git.ts";
import { startProcess, type TestProcess } from "../support/process.ts";

const FIXTURE = new URL("../../fixtures/repo", import.meta.url).pathname;
const ANNA = { anna: { password: "s3cret", mayPush: true } } as const;

describe("status --watch, on a real git server,", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let bare: string;
  let server: GitServer;
  let watching: TestProcess | null;

  beforeEach(async () => {
    folder = await temporaryFolder();
    bare = await createBareRepository(folder.path, "federation.git", { seedFrom: FIXTURE });
    server = await startGitServer({ root: folder.path, users: ANNA });
    await writeFiles(folder.path, { "secret/username": "anna", "secret/password": "s3cret", "tmp/README": "" });
    watching = null;
  });
  afterEach(async () => {
    await watching?.kill();
    await server.stop({ abruptly: true });
    await folder[Symbol.asyncDispose]();
  });

  function start(...flags: readonly string[]): TestProcess {
    const args = ["src/launch.js", "status", "--watch", "--interval", "100ms", "--repo", server.url("federation.git")];
    const secret = ["--git-credentials", join(folder.path, "secret")];
    watching = startProcess([...args, ...secret, ...flags], { environment: { TMPDIR: join(folder.path, "tmp") } });
    return watching;
  }

  async function nextReport(process: TestProcess): Promise<StatusReport> {
    const line = await process.line();
    if (line === null) throw new Error(`it ended: ${JSON.stringify(await process.ended)}`);
    return JSON.parse(line) as StatusReport;
  }

  async function acknowledge(cluster: string): Promise<void> {
    await git(bare, ["update-ref", `refs/heads/amko/applied/${cluster}`, "main"]);
  }

  async function complaint(process: TestProcess, words: RegExp): Promise<void> {
    await waitUntil(`it says ${words}`, async () => words.test(process.stderr()) || process.stderr());
  }

  const holding = ({ clusters }: StatusReport): readonly string[] =>
    clusters.filter(({ applied }) => applied !== null).map(({ cluster }) => cluster);

  it("prints one line for each change, outlives the server and its refusals, and ends with Ctrl-C", async () => {
    const process = start("-o", "json");
    expect(holding(await nextReport(process))).toEqual([]);
    await acknowledge("cluster1");
    expect(holding(await nextReport(process))).toEqual(["cluster1"]);

    const { port } = server;
    await server.stop({ abruptly: true });
    await complaint(process, /No news since .*: AG2001 /);
    await acknowledge("cluster2");
    server = await startGitServer({ root: folder.path, port, users: ANNA });
    expect(holding(await nextReport(process))).toEqual(["cluster1", "cluster2"]);
    await complaint(process, /can be read again/);

    await writeFiles(folder.path, { "secret/password": "another" });
    await complaint(process, /No news since .*: AG2002 /);
    await acknowledge("cluster3");
    await writeFiles(folder.path, { "secret/password": "s3cret" });
    expect(holding(await nextReport(process))).toEqual(["cluster1", "cluster2", "cluster3"]);

    expect(await readdir(join(folder.path, "tmp"))).toHaveLength(2);
    const { code, stdout } = await process.interrupt();
    expect([code, stdout.trimEnd().split("\n").length]).toEqual([0, 4]);
    expect(await readdir(join(folder.path, "tmp"))).toEqual(["README"]);
  });

  it("ends at once where nothing could ever be read", async () => {
    await server.stop({ abruptly: true });
    const { code, stdout, stderr } = await start("-o", "json").ended;
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(/^error: AG2001 /);
    expect(await readdir(join(folder.path, "tmp"))).toEqual(["README"]);
  });
});

describe("status --watch, on a terminal,", () => {
  it("keeps the last table, with why and since when there is no news", async () => {
    const { remote } = fixtureRemote();
    const interrupt = new AbortController();
    let nowMs = NOW_MS;
    const waits: number[] = [];
    const { exitCode, stdout } = await runCommand(["status", "--watch"], {
      repository: remote.open(),
      terminal: { columns: 100, colour: false },
      now: () => nowMs,
      signal: interrupt.signal,
      async sleep(durationMs) {
        waits.push(durationMs);
        nowMs += durationMs;
        if (waits.length === 1) remote.fail({ on: "list", code: "AG2001", times: 4 });
        if (waits.length === 7) interrupt.abort();
      },
    });
    expect(exitCode).toBe(0);
    expect(waits).toEqual([2000, 4000, 8000, 16_000, 30_000, 2000, 2000]);
    const screens = stdout.split("\u001b[H\u001b[2J").slice(1);
    expect(screens.map((screen) => /No news since \S+( \(\w+\))?: AG2001/.exec(screen)?.[0] ?? null)).toEqual([
      null,
      "No news since 2026-01-15T12:00:02Z: AG2001",
      "No news since 2026-01-15T12:00:02Z (4s): AG2001",
      "No news since 2026-01-15T12:00:02Z (12s): AG2001",
      "No news since 2026-01-15T12:00:02Z (28s): AG2001",
      null,
      null,
    ]);
    expect(screens.every((screen) => /^cluster1 +leader/m.test(screen))).toBe(true);
  });
});
