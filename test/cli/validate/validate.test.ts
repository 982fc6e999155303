import { describe, expect, it } from "vitest";
import type { ValidationOutput } from "../../../src/cli/render/validation.ts";
import { CATALOGUE } from "../../../src/core/catalogue.ts";
import type { RevisionFile } from "../../../src/core/model.ts";
import { runCommand } from "../../support/command-line.ts";
import { fixtureRemote } from "../../support/fixture-remote.ts";
import { BROKEN, BROKEN_CHANGES } from "./broken.ts";
import { VALID } from "./valid.ts";

async function judge(files: readonly RevisionFile[]) {
  const { exitCode, stdout } = await runCommand(["validate", "-o", "json"], {
    house: { readFolder: async () => files },
  });
  return { exitCode, ...(JSON.parse(stdout) as ValidationOutput) };
}

describe("validate refuses", () => {
  it.each(BROKEN)("$name with $code at $path:$line", async ({ files, code, path, line }) => {
    const { exitCode, valid, problems } = await judge(files);
    expect([exitCode, valid]).toEqual([1, false]);
    const places = problems.filter((one) => one.code === code && one.severity === "error");
    expect(places, JSON.stringify(problems, null, 1)).toContainEqual(
      expect.objectContaining({ path, line, remedy: CATALOGUE[code].remedy }),
    );
  });

  it.each(BROKEN_CHANGES)("the change where $name with $code", async ({ changes, message, code, path, line }) => {
    const { remote, head } = fixtureRemote();
    remote.setBranch("change", head);
    const change = remote.push("change", changes, message);
    const args = ["validate", "--repo", "x", "--ref", change, "--base", "main", "-o", "json"];
    const { exitCode, stdout } = await runCommand(args, { repository: remote.open() });
    const { problems, base } = JSON.parse(stdout) as ValidationOutput;
    expect([exitCode, base]).toEqual([1, head]);
    expect(problems).toContainEqual(expect.objectContaining({ code, path, line, remedy: CATALOGUE[code].remedy }));
  });
});

describe("validate accepts", () => {
  it.each(Object.keys(VALID))("%s", async (name) => {
    const { exitCode, valid, problems } = await judge(VALID[name] ?? []);
    expect([exitCode, valid], JSON.stringify(problems, null, 1)).toEqual([0, true]);
    expect(problems.length > 0).toBe(name.endsWith("a warning"));
  });
});
