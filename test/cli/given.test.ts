import { describe, expect, it } from "vitest";
import { createGiven } from "../../src/cli/given.ts";
import { runCommand } from "../support/command-line.ts";

describe("the place that flags name", () => {
  it.each([
    ["./prod/", "prod"],
    ["/teams//glb/.", "teams/glb"],
    [".", ""],
    ["", ""],
  ])("has the folder %j as an agent reads it: %j", (path, folder) => {
    expect(createGiven([], { path }).place()).toEqual({ branch: "main", path: folder, refPrefix: "amko" });
  });

  it.each([[{ path: "prod/../.." }], [{ branch: "amko" }], [{ branch: "main", "ref-prefix": "main/agents" }]])(
    "cannot be %j",
    (options) => {
      expect(() => createGiven([], options).place()).toThrow(expect.objectContaining({ code: "AG4002" }));
    },
  );
});

it("repeats no password of an address that cannot be used", async () => {
  const args = ["validate", ".", "--repo", "https://jo:s3cr3t@git.example.com/x.git"];
  const { exitCode, stderr } = await runCommand(args, {});
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining("a folder was named too")]);
  expect(stderr).not.toContain("s3cr3t");
});
