import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createCredentialHelper } from "../../src/git/credential-helper.ts";
import type { AskCredentials } from "../../src/git/credential-source.ts";
import { temporaryFolder } from "../support/git.ts";
import { type GitWorld, makeGitWorld } from "../support/git-world.ts";
import { NOBODYS_ENVIRONMENT } from "../support/local-world.ts";

const signal = new AbortController().signal;
const author = { name: "amko-gitops", email: "amko-gitops@cluster1", atSeconds: 1_700_000_123 };

describe("credentials that git is asked for", () => {
  let world: GitWorld;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => {
    world = await makeGitWorld({ users: { anna: { password: "p=ss wörd", mayPush: true } } });
    folder = await temporaryFolder();
  });
  afterEach(async () => {
    await folder[Symbol.asyncDispose]();
    await world.stop();
  });

  /** A person's git, with a helper that knows one password and writes down what it is told. */
  async function helperThatKnows(password: string): Promise<AskCredentials> {
    const helper = join(folder.path, "helper");
    const log = join(folder.path, "log");
    await writeFile(
      helper,
      `#!/bin/sh\n{ echo "$1"; cat; } >> ${log}\n[ "$1" = get ] && printf 'username=anna\\npassword=%s\\n' '${password}'\nexit 0\n`,
    );
    await chmod(helper, 0o755);
    const config = join(folder.path, "gitconfig");
    await writeFile(config, `[credential]\n\thelper = ${helper}\n`);
    const environment = { ...NOBODYS_ENVIRONMENT, GIT_CONFIG_GLOBAL: config };
    return createCredentialHelper({ directory: folder.path, environment, interactive: false, timeoutMs: 10_000 });
  }

  async function verbs(): Promise<readonly string[]> {
    const log = await readFile(join(folder.path, "log"), "utf8").catch(() => "");
    return log.split("\n").filter((line) => /^(get|store|erase)$/.test(line));
  }

  it("are asked for once, used from then on, and approved", async () => {
    const repository = world.open({ askCredentials: await helperThatKnows("p=ss wörd") });
    expect((await repository.list("all", signal)).head).toBeNull();
    await repository.start({ changes: [], message: "Begin\n", author }, signal);
    expect((await repository.list("all", signal)).head).not.toBeNull();
    expect(await verbs()).toEqual(["get", "store"]);
  });

  it("are asked for once where several requests need them at the same time", async () => {
    const repository = world.open({ askCredentials: await helperThatKnows("p=ss wörd") });
    await Promise.all([1, 2, 3].map(() => repository.list("all", signal)));
    expect(await verbs()).toEqual(["get", "store"]);
  });

  it("are AG2002 when the server refuses them, rejected, asked for no more, and in no error", async () => {
    const repository = world.open({ askCredentials: await helperThatKnows("wrong-secret") });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const failure = await repository.list("all", signal).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "AG2002" });
      expect(JSON.stringify(failure) + String(failure)).not.toContain("wrong-secret");
    }
    expect(await verbs()).toEqual(["get", "erase"]);
  });

  it("are AG2002 where nobody knows them, and where git is not installed", async () => {
    for (const PATH of [NOBODYS_ENVIRONMENT.PATH, folder.path]) {
      const environment = { ...NOBODYS_ENVIRONMENT, PATH };
      const settings = { directory: folder.path, environment, interactive: false, timeoutMs: 10_000 };
      const repository = world.open({ askCredentials: createCredentialHelper(settings) });
      await expect(repository.list("all", signal)).rejects.toMatchObject({ code: "AG2002" });
    }
  });

  it("are not asked for where a Secret is mounted", async () => {
    await writeFile(join(folder.path, "username"), "anna");
    await writeFile(join(folder.path, "password"), "mistaken");
    const askCredentials = await helperThatKnows("p=ss wörd");
    const repository = world.open({ askCredentials, credentialsDirectory: folder.path });
    await expect(repository.list("all", signal)).rejects.toMatchObject({ code: "AG2002" });
    expect(await verbs()).toEqual([]);
  });
});
