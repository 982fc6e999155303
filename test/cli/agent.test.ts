import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCommand } from "../support/command-line.ts";
import { PROJECT } from "../support/process.ts";

const WRONG = [
  ...["--repo", "https://jo:hunter2@git.example.com/federation.git"],
  ...["--publish", "maybe"],
  ...["--poll", "* * *"],
  ...["--git-timeout", "0"],
  ...["--listen", "everywhere"],
  ...["--git-credentials", "hunter3"],
  ...["--webhook-secret", "hunter4"],
  ...["--kubeconfig", "/nowhere/kubeconfig"],
] as const;

describe("an agent", () => {
  const RIGHT = ["--repo", "https://git.example.com/federation.git", "--kubeconfig", join(PROJECT, "package.json")];

  it.each(["before it runs", "while it runs"])(
    "is stopped, with exit code 0, by a signal that comes %s",
    async (when) => {
      const interrupted = new AbortController();
      const interrupt = (): void => interrupted.abort(new DOMException("interrupted by SIGTERM", "AbortError"));
      const told: string[] = [];
      const daemon = {
        log: (_level: string, what: string) => void told.push(what),
        stop: async () => void told.push("stopped"),
      };
      const startAgent = async (): Promise<never> => {
        if (when === "before it runs") interrupt();
        else setTimeout(interrupt);
        return daemon as never;
      };
      const house = { startAgent, findFileProblems: async () => [] };
      const { exitCode } = await runCommand(["agent", ...RIGHT], { signal: interrupted.signal, house });
      expect([exitCode, ...told]).toEqual([0, "stopping", "stopped"]);
    },
  );
});

describe("an agent whose settings cannot be used", () => {
  it("tells all of them at once, each with its value, the cause and what to do, and exits with 2", async () => {
    const { exitCode, stdout, stderr } = await runCommand(["agent", ...WRONG]);
    expect([exitCode, stdout]).toEqual([2, ""]);
    const lines = stderr.trimEnd().split("\n");
    for (const line of lines) expect(line).toMatch(/^error: AG4002 --[a-z-]+( ".*")?: .+[^.]\. .+\.$/);
    const flags = lines.map((line) => /--[a-z-]+/.exec(line)?.[0]);
    expect(flags.toSorted()).toEqual(WRONG.filter((one) => one.startsWith("--")).toSorted());
    expect(stderr).toContain('--publish "maybe": no such choice. Use one of: direct, propose.');
    expect(stderr).toContain('--kubeconfig "/nowhere/kubeconfig": ');
  });

  it("repeats nothing that may be a secret", async () => {
    expect((await runCommand(["agent", ...WRONG])).stderr).not.toContain("hunter");
  });

  it("does so as a process too, and shows no stack", () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(PROJECT, "src/launch.js"), "agent", ...WRONG],
      {
        encoding: "utf8",
      },
    );
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stderr.trimEnd().split("\n")).toHaveLength(8);
  });
});
