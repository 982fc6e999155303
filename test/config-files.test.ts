import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { findFileProblems } from "../src/config-files.ts";
import { temporaryFolder } from "./support/git.ts";

const KUBECONFIG = {
  "current-context": "prod",
  clusters: [{ name: "prod", cluster: { server: "https://127.0.0.1:6443" } }],
  contexts: [{ name: "prod", context: { cluster: "prod" } }],
};

/** A folder with what the settings name, all of it usable. */
async function files(): Promise<{ readonly folder: string; readonly flags: Readonly<Record<string, string>> }> {
  const folder = await temporaryFolder();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  const at = (name: string): string => join(folder.path, name);
  await mkdir(at("git"));
  await writeFile(at("kubeconfig"), JSON.stringify(KUBECONFIG));
  await writeFile(at("members"), "");
  await writeFile(at("secret"), "hunter2\n");
  await writeFile(at("nothing"), "\n");
  await writeFile(at("lines"), "one\ntwo\n");
  await writeFile(at("long"), "x".repeat(5_000));
  const flags = {
    kubeconfig: at("kubeconfig"),
    "git-credentials": at("git"),
    "members-kubeconfig": at("members"),
    "webhook-secret": at("secret"),
  };
  return { folder: folder.path, flags };
}

describe("the files that settings name", () => {
  it("may all be usable", async () => {
    const { flags } = await files();
    expect(await findFileProblems(flags, {})).toEqual([]);
  });

  it("may be named in the environment", async () => {
    const { flags } = await files();
    const { "webhook-secret": _left, ...others } = flags;
    const found = await findFileProblems(others, { AMKO_GITOPS_WEBHOOK_SECRET: "/nowhere" });
    expect(found.map(({ flag }) => flag)).toEqual(["--webhook-secret"]);
  });

  it.each([
    ["kubeconfig", "missing", "ENOENT"],
    ["kubeconfig", "git", "EISDIR"],
    ["kubeconfig", "lines", "no kubeconfig"],
    ["members-kubeconfig", "missing", "ENOENT"],
    ["members-kubeconfig", "git", "no file"],
    ["git-credentials", "missing", "ENOENT"],
    ["git-credentials", "secret", "ENOTDIR"],
    ["webhook-secret", "missing", "ENOENT"],
    ["webhook-secret", "git", "EISDIR"],
    ["webhook-secret", "nothing", "is empty"],
    ["webhook-secret", "lines", "more than one line"],
    ["webhook-secret", "long", "more than 4096 bytes"],
  ])("are told with the cause where they cannot be used: --%s %s", async (flag, name, cause) => {
    const { flags, folder } = await files();
    const [problem, ...others] = await findFileProblems({ ...flags, [flag]: join(folder, name) }, {});
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ flag: `--${flag}`, cause: expect.stringContaining(cause) });
    expect(problem?.remedy).toMatch(/\.$/);
  });

  it("are looked into for the context", async () => {
    const { flags } = await files();
    const [problem] = await findFileProblems({ ...flags, context: "test" }, {});
    expect(problem).toMatchObject({ cause: expect.stringContaining("no context test") });
  });

  it("are told all at once", async () => {
    const { flags } = await files();
    const missing = Object.fromEntries(Object.keys(flags).map((flag) => [flag, "/nowhere"]));
    const found = await findFileProblems(missing, {});
    expect(found.map(({ flag }) => flag).toSorted()).toEqual(
      Object.keys(flags)
        .map((flag) => `--${flag}`)
        .toSorted(),
    );
  });

  it.each(["git-credentials", "webhook-secret"])(
    "are never repeated where they may be a secret: --%s",
    async (flag) => {
      const { flags } = await files();
      const found = await findFileProblems({ ...flags, [flag]: "hunter2" }, {});
      expect(found).toHaveLength(1);
      expect(JSON.stringify(found)).not.toContain("hunter2");
    },
  );
});
