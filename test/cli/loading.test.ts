import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, expect, it } from "vitest";
import { createBareRepository } from "../../src/sandbox/bare-repository.ts";
import { git, temporaryFolder, writeFiles } from "../support/git.ts";
import { installHook } from "../support/hook.ts";
import { PROJECT, runProcess } from "../support/process.ts";
import { federationFiles } from "../support/world.ts";

// Loading the Kubernetes client takes longer than all else that these do, and a server runs its hook for each push.

/** Loaded before the program: tells at its end which packages it has loaded. */
const TELL = `
import { writeFileSync } from "node:fs";
import { registerHooks } from "node:module";
const packages = new Set();
registerHooks({
  load(url, context, next) {
    const name = /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1];
    if (name !== undefined) packages.add(name);
    return next(url, context);
  },
});
process.once("exit", () => writeFileSync(process.env.LOADED, JSON.stringify([...packages])));
`;

let folder: string;
let environment: { readonly NODE_OPTIONS: string; readonly LOADED: string };

beforeAll(async () => {
  const temporary = await temporaryFolder();
  folder = temporary.path;
  await writeFiles(folder, { "tell.mjs": TELL });
  const tell = pathToFileURL(join(folder, "tell.mjs")).href;
  environment = { NODE_OPTIONS: `--import ${tell}`, LOADED: join(folder, "loaded.json") };
  return () => temporary[Symbol.asyncDispose]();
});

async function loaded(): Promise<readonly string[]> {
  return JSON.parse(await readFile(environment.LOADED, "utf8")) as readonly string[];
}

it("validate loads no Kubernetes client", async () => {
  const { code } = await runProcess([join(PROJECT, "src/launch.js"), "validate", "fixtures/repo"], { environment });
  expect(code).toBe(0);
  expect(await loaded()).toContain("yaml");
  expect(await loaded()).not.toContain("@kubernetes/client-node");
});

it("pre-receive loads no Kubernetes client, and no git but the program", async () => {
  const bare = await createBareRepository(folder, "bare.git");
  await installHook(bare, { jo: "people" });
  const work = join(folder, "work");
  await writeFiles(work, federationFiles());
  await git(work, ["init", "--quiet", "."]);
  await git(work, ["add", "--all"]);
  await git(work, ["commit", "--quiet", "--message", "Start"]);
  await git(work, ["push", "--quiet", bare, "HEAD:refs/heads/main"], { env: { ...environment, REMOTE_USER: "jo" } });
  expect(await loaded()).toContain("yaml");
  expect(await loaded()).not.toContain("@kubernetes/client-node");
  expect(await loaded()).not.toContain("isomorphic-git");
});
