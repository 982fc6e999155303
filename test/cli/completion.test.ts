import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import type { CompletedVerb } from "../../src/cli/completed-verb.ts";
import { renderCompletion, SHELLS } from "../../src/cli/render/completion.ts";
import { VERBS } from "../../src/cli/verbs.ts";
import { runCommand } from "../support/command-line.ts";

const run = promisify(execFile);

/** What bash offers for the last of the words. */
async function complete(...words: readonly string[]): Promise<readonly string[]> {
  const { stdout: script } = await runCommand(["completion", "bash"]);
  const body = `${script}
COMP_WORDS=(amko-gitops "$@")
COMP_CWORD=$#
_amko_gitops
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await run("bash", ["-c", body, "bash", ...words]);
  return stdout.split("\n").filter((line) => line !== "");
}

/** A small command line, so that the golden files do not change with each verb. */
const SAMPLE: readonly CompletedVerb[] = [
  {
    name: "suspend",
    summary: "keeps an agent's hands off",
    choices: [],
    flags: [
      { flag: "for", short: null, description: "how long: 30m [or 2h]", value: { kind: "other" } },
      { flag: "kubeconfig", short: null, description: "kubeconfig", value: { kind: "file" } },
      { flag: "git-credentials", short: null, description: "folder", value: { kind: "folder" } },
      { flag: "output", short: "o", description: "format", value: { kind: "choices", choices: ["text", "json"] } },
      { flag: "force", short: null, description: "also when it's long", value: { kind: "none" } },
    ],
  },
  { name: "completion", summary: "prints a script", choices: ["bash", "zsh", "fish"], flags: [] },
];

describe("completion", () => {
  it("offers every verb", async () => {
    expect(await complete("")).toEqual([...VERBS.map(({ name }) => name), "--help", "--version"]);
    expect(await complete("susp")).toEqual(["suspend"]);
    expect(await complete("help", "susp")).toEqual(["suspend"]);
  });

  it("offers every flag of every verb", async () => {
    for (const { name, load } of VERBS) {
      const { options } = await load();
      const offered = await complete(name, "--");
      expect(offered).toEqual([...options.map(({ flag }) => `--${flag}`), "--help"]);
    }
  }, 60_000);

  it("offers the choices of flags and arguments, and nothing where nothing can be known", async () => {
    expect(await complete("suspend", "-o", "")).toEqual(["text", "json"]);
    expect(await complete("suspend", "--output", "j")).toEqual(["json"]);
    expect(await complete("agent", "--publish", "")).toEqual(["direct", "propose"]);
    expect(await complete("agent", "--log-level", "")).toEqual(["debug", "info", "warn", "error"]);
    expect(await complete("completion", "")).toEqual(["bash", "zsh", "fish", "--help"]);
    expect(await complete("suspend", "--for", "")).toEqual([]);
    expect(await complete("accept-identity", "--git-credentials", "/us")).toContain("/usr");
    expect(await complete("nothing", "")).toEqual([]);
  });

  it.each(SHELLS)("writes a script for %s", async (shell) => {
    await expect(renderCompletion(shell, SAMPLE)).toMatchFileSnapshot(`golden/completion-${shell}.txt`);
    const { exitCode, stdout } = await runCommand(["completion", shell]);
    expect(exitCode).toBe(0);
    for (const { name } of VERBS) expect(stdout).toContain(name);
  });

  it("exits with 2 for another shell, and for none", async () => {
    expect(await runCommand(["completion", "tcsh"])).toMatchObject({ exitCode: 2, stdout: "" });
    expect((await runCommand(["completion"])).exitCode).toBe(2);
  });
});
