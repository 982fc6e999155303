import { describe, expect, it } from "vitest";
import { VERBS } from "../../src/cli/verbs.ts";
import { runCommand } from "../support/command-line.ts";

describe("the command line", () => {
  it("lists every verb in its help", async () => {
    const { exitCode, stdout } = await runCommand(["--help"]);
    expect(exitCode).toBe(0);
    for (const { name, summary } of VERBS)
      expect(stdout).toMatch(new RegExp(`^  ${name} .*${summary.slice(0, 20)}`, "m"));
  });

  it.each(VERBS)("tells in the help of $name what it does, with an example", async ({ name, load }) => {
    const { exitCode, stdout } = await runCommand([name, "--help"]);
    const verb = await load();
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`Usage: amko-gitops ${name}`);
    expect(verb.examples.length).toBeGreaterThan(0);
    for (const example of verb.examples) {
      expect(example.split(" ")[0]).toBe(name);
      expect(stdout).toContain(`\n  amko-gitops ${example}`);
    }
  });

  it.each([[[]], [["help", "rolback"]]])(
    "answers %j with its help and 2, and with no error beside it",
    async (args) => {
      const { exitCode, stderr } = await runCommand(args);
      expect(exitCode).toBe(2);
      expect(stderr).toContain("Usage: amko-gitops");
      expect(stderr).not.toContain("error:");
    },
  );

  it("exits with 2 for a verb that does not exist and a flag that does not exist, without a stack trace", async () => {
    for (const args of [["rolback"], ["version", "--frobnicate"]]) {
      const { exitCode, stdout, stderr } = await runCommand(args);
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
      expect(stderr).toMatch(/^error: /);
      expect(stderr).not.toMatch(/^\s+at /m);
    }
  });

  it.each(VERBS)("refuses a format that $name does not know before it does anything", async ({ name, load }) => {
    const { options, arguments: needed } = await load();
    if (!options.some(({ flag }) => flag === "output")) return;
    const given = needed.filter(({ required }) => required).map(() => "main");
    const { exitCode, stderr } = await runCommand([name, ...given, "-o", "yml"]);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: expect.stringContaining('AG4002 --output "yml": no such choice. Use text'),
    });
  });

  it.each([
    ["status --interval 5s", "--interval: no use without --watch"],
    ["reconcile --timeout 5s", "--timeout: no use without --wait"],
    ["sandbox --keep --story switchover", "--story: no use with --keep"],
    ["history --leaders --limit 5", "--limit: no use with --leaders"],
    ["init here --from-contexts a,b --amko-version 1.4.2", "--amko-version: no use with --from-contexts"],
  ])("refuses a flag that would be taken in silence: %s", async (line, cause) => {
    const { exitCode, stderr } = await runCommand(line.split(" "));
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(`AG4002 ${cause}. Give `) });
  });

  it.each([
    ["status", "--git-timeout", "0s", "too short"],
    ["status", "--git-timeout", "600h", "too long"],
    ["status --watch", "--interval", "0", "too short"],
    ["status --watch", "--interval", "600h", "too long"],
    ["reconcile", "--kube-timeout", "0", "too short"],
    ["reconcile --wait", "--timeout", "600h", "too long"],
  ])(
    "refuses a duration that no timer can keep, or that no server would like: %s %s %s",
    async (verb, flag, text, cause) => {
      const { exitCode, stderr } = await runCommand([...verb.split(" "), flag, text]);
      expect(exitCode).toBe(2);
      expect(stderr).toContain(`AG4002 ${flag} "${text}": ${cause}. Use `);
    },
  );
});
