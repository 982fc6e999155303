import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { VERBS } from "../../src/cli/verbs.ts";
import { inSync } from "../support/federation.ts";
import { startProcess } from "../support/process.ts";
import { openTerminal, type Terminal, wordsOf } from "../support/terminal.ts";
import { startWorld, type World, writeCredentials } from "../support/world.ts";

/** What `--help` shows as an example works as it stands there, in a clone of the federation repository. */

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** Run until they are told to stop. */
const DAEMONS: ReadonlySet<string> = new Set(["agent", "sandbox --keep", "status --watch"]);
/** Compare two things that differ in this federation. */
const DIFFERENT: ReadonlySet<string> = new Set(["diff"]);
const DOCUMENTED_URL = "https://git.example.com/platform/federation.git";
const DOCUMENTED_CREDENTIALS = "/etc/amko-gitops/git";

const examples = await Promise.all(
  VERBS.map(async ({ name, load }) => (await load()).examples.map((example) => ({ name, example }))),
);

let world: World;
let terminal: Terminal;
let credentials: string;

beforeAll(async () => {
  world = await startWorld({ hook: true });
  terminal = await openTerminal(join(world.folder, "person"), {
    KUBECONFIG: world.kubeconfig,
    GIT_AUTHOR_NAME: "Somebody",
    GIT_AUTHOR_EMAIL: "somebody@example.com",
    GIT_COMMITTER_NAME: "Somebody",
    GIT_COMMITTER_EMAIL: "somebody@example.com",
    ...world.personEnvironment,
  });
  credentials = await writeCredentials(join(world.folder, "credentials"), "cluster1", "a secret");
  // A second revision, so that there is something to look back at.
  await world.person.push({ "federation/README.md": "Snapshots.\n" }, "Say what stands here");
  await terminal.ok("git fetch -q");
  await terminal.ok("git branch -q -u origin/main");
  await inSync(world);
});

afterAll(() => world?.stop());

function isDaemon(example: string): boolean {
  return [...DAEMONS].some((start) => example.startsWith(start));
}

describe("an example in the help", () => {
  test.each(examples.flat().filter(({ example }) => !isDaemon(example)))(
    "works: amko-gitops $example",
    async ({ name, example }) => {
      const { code, stdout, stderr } = await terminal.run(
        `amko-gitops ${example.replaceAll(DOCUMENTED_URL, world.repositoryUrl)}`,
      );
      const expected = DIFFERENT.has(name) ? [0, 1] : [0];
      expect(expected, `${stdout}${stderr}`).toContain(code);
      expect(stderr).not.toMatch(/^\s+at /m);
    },
  );

  test.each(examples.flat().filter(({ example }) => isDaemon(example)))(
    "runs until it is stopped: amko-gitops $example",
    async ({ example }) => {
      const args = wordsOf(
        example.replaceAll(DOCUMENTED_URL, world.repositoryUrl).replaceAll(DOCUMENTED_CREDENTIALS, credentials),
      );
      const running = startProcess(["src/launch.js", ...args], {
        environment: {
          KUBECONFIG: world.kubeconfig,
          AMKO_GITOPS_LISTEN: "127.0.0.1:0",
          AMKO_GITOPS_REPO: world.repositoryUrl,
        },
      });
      expect(await running.line(), running.stderr()).not.toBeNull();
      const { code } = await running.stop();
      expect([0, "SIGTERM"]).toContain(code);
    },
  );
});
