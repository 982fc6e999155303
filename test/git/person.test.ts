import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { readPerson } from "../../src/git/person.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "person-"));
});
beforeEach(() => {
  vi.stubEnv("GIT_AUTHOR_NAME", undefined);
  vi.stubEnv("GIT_AUTHOR_EMAIL", undefined);
});
afterEach(() => vi.unstubAllEnvs());
afterEach(() => rm(folder, { recursive: true, force: true }));

it("takes the author that git has for the folder", async () => {
  const git = (...args: readonly string[]) => execFileSync("git", ["-C", folder, ...args]);
  git("init", "--quiet");
  git("config", "user.name", "Ann Other");
  git("config", "user.email", "ann@example.com");
  expect(await readPerson(folder)).toEqual({ name: "Ann Other", email: "ann@example.com" });
});

it("takes the author that git's environment names before the configuration's", async () => {
  vi.stubEnv("GIT_AUTHOR_NAME", "Ben");
  vi.stubEnv("GIT_AUTHOR_EMAIL", "ben@example.com");
  execFileSync("git", ["-C", folder, "init", "--quiet"]);
  expect(await readPerson(folder)).toEqual({ name: "Ben", email: "ben@example.com" });
});

it("names the user of the machine where git says nothing", async () => {
  const { name, email } = await readPerson(join(folder, "nowhere"));
  expect(name).not.toBe("");
  expect(email).toMatch(/^.+@.+$/);
});
