import { describe, expect, it } from "vitest";
import { runCommand } from "../support/command-line.ts";
import type { FakeRemote } from "../support/fakes/repository.ts";
import { fixtureFiles, fixtureRemote } from "../support/fixture-remote.ts";

const GDP = "federation/globaldeploymentpolicy/global-gdp.yaml";
const files = fixtureFiles();

/** An export, a switchover whose reason tries to forge, and a tombstone. */
function livelyRemote(): FakeRemote {
  const { remote } = fixtureRemote();
  const claim = (cluster: string, leads: boolean) => {
    const path = `clusters/${cluster}/amkocluster.yaml`;
    return { [path]: (files[path] ?? "").replace(/isLeader: (?:true|false)/, `isLeader: ${leads}`) };
  };
  remote.push(
    "main",
    { [GDP]: (files[GDP] ?? "").replace("ttl: 10", "ttl: 20") },
    "federation: update GlobalDeploymentPolicy global-gdp\n\nspec.ttl: 10 -> 20\n\nCHG-4211 move 15 % to the second site\n\nFederated-From: cluster1\nChanged-With: kubectl-edit\nSupersedes: 0123456789012345678901234567890123456789\n",
  );
  const flipped = remote.push(
    "main",
    { ...claim("cluster1", false), ...claim("cluster2", true) },
    "federation: switch over from cluster1 to cluster2\n\nMaintenance of site 1 \u001b[31mred\u202e\n",
  );
  for (const cluster of ["cluster1", "cluster3"]) remote.setBranch(`amko/applied/${cluster}`, flipped);
  return remote;
}

const repository = () => livelyRemote().open();

describe("history", () => {
  it.each([
    ["wide", { columns: 120, colour: false }],
    ["narrow", { columns: 60, colour: false }],
    ["colour", { columns: 120, colour: true }],
    ["plain", null],
  ] as const)("tells who did what and why, %s", async (name, terminal) => {
    const { exitCode, stdout } = await runCommand(["history"], { repository: repository(), terminal });
    expect(exitCode).toBe(0);
    await expect(stdout).toMatchFileSnapshot(`golden/history-${name}.txt`);
  });

  it.each([
    ["wide", { columns: 120, colour: false }],
    ["narrow", { columns: 60, colour: false }],
  ] as const)("tells who led when and why, %s", async (name, terminal) => {
    const { stdout } = await runCommand(["history", "--leaders"], { repository: repository(), terminal });
    await expect(stdout).toMatchFileSnapshot(`golden/history-leaders-${name}.txt`);
  });

  it("prints data in a shape that stays", async () => {
    const revisions = await runCommand(["history", "-o", "json"], { repository: repository() });
    await expect(revisions.stdout).toMatchFileSnapshot("golden/history-json.txt");
    const leaders = await runCommand(["history", "--leaders", "-o", "json"], { repository: repository() });
    await expect(leaders.stdout).toMatchFileSnapshot("golden/history-leaders-json.txt");
  });

  it("stops at a limit, and says that there is more", async () => {
    const { stdout } = await runCommand(["history", "--limit", "1"], { repository: repository() });
    expect(stdout).toMatch(/switch over/);
    expect(stdout).not.toMatch(/CHG-4211/);
    expect(stdout).toMatch(/There is more; --limit 0 shows all/);
    const { stdout: data } = await runCommand(["history", "--limit", "1", "-o", "json"], { repository: repository() });
    expect(JSON.parse(data)).toMatchObject({ complete: false });
  });

  it("says that nothing is like what was asked for", async () => {
    const { exitCode, stdout } = await runCommand(["history", "--field", "spec.nothing"], { repository: repository() });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "Nothing in the history is like that.\n" });
  });

  it.each([
    [["--kind", "pod"], /--kind "pod": no such kind\. Use gslbconfig, gdp or amkocluster\./],
    [["--since", "yesterday"], /--since "yesterday": no time\. Say how long ago/],
    [["--limit", "many"], /--limit "many": no number/],
    [["-o", "xml"], /--output "xml": no such choice\. Use text or json\./],
  ])("exits with 2 for %j", async (flags, says) => {
    const { exitCode, stderr } = await runCommand(["history", ...flags], { repository: repository() });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(says);
  });

  it("exits with 1 and says what to do while the branch has no commit", async () => {
    const { remote } = fixtureRemote();
    remote.setBranch("main", null);
    const { exitCode, stderr } = await runCommand(["history"], { repository: remote.open() });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/AG2005 .* has no commit on main\. Run amko-gitops init/);
  });
});
