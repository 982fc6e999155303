import { describe, expect, it } from "vitest";
import type { CommitId } from "../../src/core/model.ts";
import { runCommand } from "../support/command-line.ts";
import { blob, type FakeRemote } from "../support/fakes/repository.ts";
import { fixtureFiles, fixtureRemote } from "../support/fixture-remote.ts";

const PATH = "federation/globaldeploymentpolicy/global-gdp.yaml";
const NOW_MS = 1_700_003_600_000;

/** cluster2 is behind, cluster3 cannot apply, and something waits to be merged. */
function troubledRemote(): FakeRemote {
  const { remote } = fixtureRemote();
  const head = remote.push("main", { [PATH]: (fixtureFiles()[PATH] ?? "").replace("ttl: 10", "ttl: 60") });
  remote.setBranch("amko/applied/cluster1", head);
  const reason = new TextEncoder().encode('reason: "quota \\e[31mexceeded"\n');
  remote.setBranch("amko/failed/cluster3", remote.commit(new Map([["status.yaml", blob(reason)]])));
  remote.setBranch("amko/propose/cluster1/config", head as CommitId);
  return remote;
}

describe("status", () => {
  it.each([
    ["wide", { columns: 120, colour: false }],
    ["narrow", { columns: 60, colour: false }],
    ["colour", { columns: 120, colour: true }],
    ["plain", null],
  ] as const)("shows where everybody stands, %s", async (name, terminal) => {
    const { exitCode, stdout } = await runCommand(["status"], {
      repository: troubledRemote().open(),
      terminal,
      nowMs: NOW_MS,
    });
    expect(exitCode).toBe(0);
    await expect(stdout).toMatchFileSnapshot(`golden/status-${name}.txt`);
  });

  it("prints data", async () => {
    const { stdout } = await runCommand(["status", "-o", "json"], { repository: troubledRemote().open() });
    await expect(stdout).toMatchFileSnapshot("golden/status-json.txt");
  });

  it("exits with 1 only where --check finds that not all is well", async () => {
    const well = fixtureRemote().remote.open();
    expect((await runCommand(["status", "--check"], { repository: well })).exitCode).toBe(0);
    const { exitCode } = await runCommand(["status", "--check"], { repository: troubledRemote().open() });
    expect(exitCode).toBe(1);
  });
});
