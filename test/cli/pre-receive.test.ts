import { describe, expect, it } from "vitest";
import type { PushedRepository } from "../../src/cli/house.ts";
import type { CommitId } from "../../src/core/model.ts";
import { resolveName } from "../../src/git/resolve.ts";
import { runCommand } from "../support/command-line.ts";
import { fixtureFiles, fixtureRemote } from "../support/fixture-remote.ts";

const NONE = "0".repeat(40);
const GDP = "federation/globaldeploymentpolicy/global-gdp.yaml";

interface Push {
  readonly user?: string;
  readonly mapping?: string;
  readonly changed?: readonly string[];
  stdin(head: CommitId, next: CommitId): string;
}

/** What the hook says about a push of one more commit, which changes the ttl. */
async function judge({ user = "jo", mapping = "jo: people\nagent-2: cluster2\n", changed = [GDP], stdin }: Push) {
  const { remote, head } = fixtureRemote();
  remote.setBranch("pushed", head);
  const next = remote.push("pushed", { [GDP]: (fixtureFiles()[GDP] ?? "").replace("ttl: 10", "ttl: 20") });
  const repository = remote.open();
  const pushed: PushedRepository = {
    ...repository,
    resolve: (name, signal) => resolveName(repository, { branch: "main", refPrefix: "amko" }, name, signal),
    changedPaths: async () => changed,
    bringsRoot: async () => false,
    uncommitted: async () => [],
    prefix: "",
    close: async () => undefined,
  };
  return await runCommand(["pre-receive", "--pushers", "pushers.yaml"], {
    environment: { REMOTE_USER: user },
    house: {
      openPushed: async () => pushed,
      readStdin: async () => stdin(head, next),
      readFile: async () => new TextEncoder().encode(mapping),
    },
  });
}

describe("pre-receive", () => {
  it("takes a person's change and says nothing", async () => {
    const found = await judge({ stdin: (head, next) => `${head} ${next} refs/heads/main\n` });
    expect([found.exitCode, found.stdout, found.stderr]).toEqual([0, "", ""]);
  });

  it("says in one line for each ref why an agent's push is refused", async () => {
    const { exitCode, stderr } = await judge({
      user: "agent-2",
      stdin: (head, next) =>
        `${head} ${next} refs/heads/main\n${NONE} ${head} refs/heads/amko/applied/cluster2\n${head} ${NONE} refs/heads/amko/applied/cluster1\n`,
    });
    expect(exitCode).toBe(1);
    await expect(stderr).toMatchFileSnapshot("golden/pre-receive-refused.txt");
  });

  it("refuses whom nobody maps", async () => {
    const { exitCode, stderr } = await judge({ user: "eve", stdin: (head) => `${NONE} ${head} refs/heads/x\n` });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("AG5032 refs/heads/x: nobody maps the pusher eve")]);
  });

  it.each([
    ["a mapping that makes no sense", { mapping: "jo: 7\n", stdin: (head: CommitId) => `${NONE} ${head} refs/x\n` }],
    ["lines that move no ref", { stdin: () => "hello\n" }],
  ])("takes nothing, with exit code 2, on %s", async (_, push) => {
    const { exitCode, stderr } = await judge(push);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("AG4002")]);
  });
});
