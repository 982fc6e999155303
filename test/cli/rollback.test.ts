import { describe, expect, it } from "vitest";
import type { CommitId } from "../../src/core/model.ts";
import type { Repository } from "../../src/ports.ts";
import { runCommand } from "../support/command-line.ts";
import { fixtureFiles, fixtureRemote } from "../support/fixture-remote.ts";

const PATH = "federation/globaldeploymentpolicy/global-gdp.yaml";

function changedRemote() {
  const { remote, head: first } = fixtureRemote();
  const text = (fixtureFiles()[PATH] ?? "").replace("ttl: 10", "ttl: 60").replace("weight: 8", "weight: 1");
  return { remote, first, second: remote.push("main", { [PATH]: text }) };
}

describe("rollback", () => {
  it.each([
    ["wide", { columns: 120, colour: false }],
    ["narrow", { columns: 60, colour: false }],
    ["colour", { columns: 120, colour: true }],
  ] as const)(
    "restores an older revision's snapshots as a new commit, on a terminal that is %s",
    async (name, terminal) => {
      const { remote, first, second } = changedRemote();
      const options = { repository: remote.open(), terminal, answers: ["too much for site 2", "yes"] };
      const { exitCode, stdout } = await runCommand(["rollback", "main~1"], options);
      expect(exitCode).toBe(0);
      const head = remote.branch("main");
      expect(head && remote.stored(head).parents).toEqual([second]);
      expect(head && remote.text(head, PATH)).toBe(remote.text(first, PATH));
      expect(head && remote.stored(head).message).toContain("spec.ttl: 60 -> 10\n");
      await expect(stdout).toMatchFileSnapshot(`golden/rollback-${name}.txt`);
    },
  );

  it("prints data", async () => {
    const { remote } = changedRemote();
    const args = ["rollback", "HEAD~1", "--reason", "too much", "--yes", "-o", "json"];
    const { stdout } = await runCommand(args, { repository: remote.open() });
    await expect(stdout).toMatchFileSnapshot("golden/rollback-json.txt");
  });

  it("proposes it under the leader's name", async () => {
    const { remote, second } = changedRemote();
    const args = ["rollback", "HEAD~1", "--reason", "too much", "--yes", "--propose"];
    const { exitCode, stdout } = await runCommand(args, { repository: remote.open() });
    expect([exitCode, remote.branch("main")]).toEqual([0, second]);
    expect(stdout).toContain("amko/propose/cluster1/rollback");
    expect(remote.branch("amko/propose/cluster1/rollback")).not.toBeNull();
  });

  it("takes a proposal that says more for another one", async () => {
    const { remote } = changedRemote();
    const args = ["rollback", "HEAD~1", "--reason", "too much", "--yes", "--propose"];
    const ref = "amko/propose/cluster1/rollback";
    await runCommand(args, { repository: remote.open() });
    expect((await runCommand(args, { repository: remote.open() })).exitCode).toBe(0);
    const proposed = remote.text(remote.branch(ref) as CommitId, PATH) ?? "";
    const config = Object.keys(fixtureFiles()).find((path) => path.includes("gslbconfig/")) ?? "";
    remote.setBranch(ref, remote.branch("main"));
    const theirs = remote.push(ref, { [PATH]: proposed, [config]: `${fixtureFiles()[config]}\n` }, "Amended");
    const { exitCode, stderr } = await runCommand(args, { repository: remote.open() });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("AG5017")]);
    expect(remote.branch(ref)).toBe(theirs);
  });

  it("says that what was being pushed may have landed, when it is interrupted", async () => {
    const { remote } = changedRemote();
    const interrupted = new AbortController();
    const repository: Repository = {
      ...remote.open(),
      async publish() {
        interrupted.abort(new DOMException("interrupted by SIGINT", "AbortError"));
        throw interrupted.signal.reason;
      },
    };
    const args = ["rollback", "HEAD~1", "--reason", "too much", "--yes"];
    const { exitCode, stderr } = await runCommand(args, { repository, signal: interrupted.signal });
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/^Interrupted while pushing: .*status.*\n$/)]);
  });

  it("says what of the clone is not committed, and so no part of it", async () => {
    const { remote } = changedRemote();
    const options = { repository: remote.open(), uncommitted: ["clusters/cluster2/amkocluster.yaml"] };
    const { stdout } = await runCommand(["rollback", "HEAD~1", "--dry-run"], options);
    expect(stdout).toContain("Not committed here, and no part of it:\n  * clusters/cluster2/amkocluster.yaml\n");
  });

  it("says when there is nothing to roll back, and asks nothing", async () => {
    const { remote, head } = fixtureRemote();
    const { exitCode, stdout, questions } = await runCommand(["rollback", head], { repository: remote.open() });
    expect([exitCode, questions]).toEqual([0, []]);
    expect(stdout).toContain("there is nothing to roll back");
  });

  it.each(["main~1", "main^", "main~0~1", "origin/main~"])(
    "counts %s from the branch as it is, whatever a clone has",
    async (name) => {
      const { remote, first } = changedRemote();
      const asked: string[] = [];
      const args = ["rollback", name, "--dry-run", "-o", "json"];
      const house = {
        openRepository: async () => ({
          ...remote.open(),
          resolve: async (wanted: string) => {
            asked.push(wanted);
            return null;
          },
          uncommitted: async () => [],
          prefix: "",
          close: async () => undefined,
        }),
      };
      const { stdout } = await runCommand(args, { house });
      expect([JSON.parse(stdout).to, asked]).toEqual([first, []]);
      const none = await runCommand(["rollback", "main~9"], { house });
      expect([none.exitCode, asked]).toEqual([2, ["main~9"]]);
    },
  );

  it("rolls one kind back, by the name that people use", async () => {
    const { remote } = changedRemote();
    const args = ["rollback", "HEAD~1", "--kind", "gdp", "--dry-run"];
    expect((await runCommand(args, { repository: remote.open() })).stdout).toContain("spec.ttl: 60 -> 10");
    const other = await runCommand(["rollback", "HEAD~1", "--kind", "gslbconfig"], { repository: remote.open() });
    expect([other.exitCode, other.stdout]).toEqual([0, expect.stringContaining("nothing to roll back")]);
    const none = await runCommand(["rollback", "HEAD~1", "--kind", "pod"], { repository: remote.open() });
    expect([none.exitCode, none.stderr]).toEqual([2, expect.stringContaining('--kind "pod": no such kind')]);
  });

  it("exits with 2 for a revision that does not exist", async () => {
    const { remote } = fixtureRemote();
    const { exitCode, stderr } = await runCommand(["rollback", "main~7"], { repository: remote.open() });
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("AG4009")]);
  });
});
