import { describe, expect, it } from "vitest";
import type { ValidationOutput } from "../../src/cli/render/validation.ts";
import { runCommand } from "../support/command-line.ts";
import { fixtureFiles, fixtureRemote } from "../support/fixture-remote.ts";

const GC = "federation/gslbconfig/gc-1.yaml";
const GDP = "federation/globaldeploymentpolicy/global-gdp.yaml";
const [ONE, TWO, THREE] = [1, 2, 3].map((number) => `clusters/cluster${number}/amkocluster.yaml`) as [
  string,
  string,
  string,
];

function changed(path: string, ...pairs: readonly (readonly [string, string])[]): string {
  return pairs.reduce((text, [before, after]) => text.replace(before, after), fixtureFiles()[path] ?? "");
}

/** A failover to another controller that also loses the UUID, leaves a member behind and moves traffic. */
function reviewed() {
  const { remote, head } = fixtureRemote();
  remote.setBranch("change", head);
  const change = remote.push("change", {
    [ONE]: changed(ONE, ["isLeader: true", "isLeader: false"]),
    [TWO]: changed(TWO, ["isLeader: false", "isLeader: true"]),
    [THREE]: changed(THREE, ["version: 1.4.2", "version: 1.5.0"]),
    [GC]: changed(GC, ["10.10.10.10", "10.20.0.1"], ["8ca0b8b6", "00000000"]),
    [GDP]: changed(GDP, ["weight: 8", "weight: 1"]),
  });
  const args = ["validate", "--repo", "x", "--ref", change, "--base", "main"];
  return { remote, args, options: { repository: remote.open() } };
}

describe("validate", () => {
  it.each([
    ["wide", { columns: 120, colour: false }],
    ["narrow", { columns: 60, colour: false }],
    ["colour", { columns: 120, colour: true }],
  ] as const)("tells reviewers what a change does, on a terminal that is %s", async (name, terminal) => {
    const { args, options } = reviewed();
    const { exitCode, stdout } = await runCommand(args, { ...options, terminal });
    expect(exitCode).toBe(1);
    await expect(stdout).toMatchFileSnapshot(`golden/validate-${name}.txt`);
  });

  it("prints data", async () => {
    const { args, options } = reviewed();
    const { stdout } = await runCommand([...args, "-o", "json"], options);
    await expect(stdout).toMatchFileSnapshot("golden/validate-json.txt");
  });

  it("annotates a pull request and writes its summary", async () => {
    const { args, options } = reviewed();
    const written: Record<string, string> = {};
    const { stdout } = await runCommand([...args, "-o", "github"], {
      ...options,
      environment: { GITHUB_STEP_SUMMARY: "/summary" },
      house: {
        appendFile: async (file, text) => {
          written[file] = text;
        },
      },
    });
    await expect(stdout).toMatchFileSnapshot("golden/validate-github.txt");
    await expect(written["/summary"]).toMatchFileSnapshot("golden/validate-summary.md");
  });

  it("lets nothing that others wrote be a command, markup or a terminal's", async () => {
    const { remote, head } = fixtureRemote();
    remote.setBranch("change", head);
    const evil = '"x\\n::set-env name=A::b ##[error] \\e[31m<b>[a](http://b)|%0A"';
    const change = remote.push("change", { [TWO]: changed(TWO, ["version: 1.4.2", `version: ${evil}`]) });
    const args = ["validate", "--repo", "x", "--ref", change, "--base", "main", "-o", "github", "--summary", "s"];
    let summary = "";
    const { stdout } = await runCommand(args, {
      repository: remote.open(),
      house: {
        appendFile: async (_, text) => {
          summary = text;
        },
      },
    });
    expect(stdout.split("\n").filter((line) => /^\s*::/.test(line) && !/^::(?:error|warning) /.test(line))).toEqual([]);
    expect(stdout).not.toContain("##[");
    expect(stdout).not.toContain("\u001b");
    expect(stdout).toContain("%250A");
    expect(summary).not.toMatch(/<b>|[^\\](?:\|%0A|\]\(http)/);
  });

  it("judges a change by what it adds since it parted, whatever happened to the branch meanwhile", async () => {
    const { remote, head } = fixtureRemote();
    remote.setBranch("change", head);
    const change = remote.push("change", { [GDP]: changed(GDP, ["ttl: 10", "ttl: 20"]) });
    remote.push("main", { [GDP]: changed(GDP, ["ttl: 10", "ttl: 99"]) }, "x\n\nFederated-From: cluster1");
    const args = ["validate", "--repo", "x", "--ref", change, "--base", "main", "-o", "json"];
    const { exitCode, stdout } = await runCommand(args, { repository: remote.open() });
    const { base, effects } = JSON.parse(stdout) as ValidationOutput;
    expect([exitCode, base]).toEqual([0, head]);
    expect(effects?.map(({ text }) => text)).toEqual(["GlobalDeploymentPolicy changes\n  spec.ttl: 10 -> 20"]);
  });

  it("names paths from the repository's root", async () => {
    let asked = "";
    const { stdout } = await runCommand(["validate", "checkout", "--path", "site", "-o", "json"], {
      house: {
        readFolder: async (folder) => {
          asked = folder;
          return [{ path: "clusters/a", type: "symlink", id: "" as never, size: 1, bytes: null }];
        },
      },
    });
    expect(asked).toBe("checkout/site");
    const { problems } = JSON.parse(stdout) as ValidationOutput;
    expect(problems.map(({ path }) => path)).toContain("site/clusters/a");
  });

  it.each([
    [["validate", "here", "--repo", "x"], "AG4002"],
    [["validate", "-o", "xml"], "AG4002"],
    [["validate", "/nonexistent/folder"], "AG4008"],
    [["validate", "--repo", "x", "--ref", "nowhere"], "AG4009"],
    [["validate", "--repo", "x", "--base", "nowhere"], "AG4009"],
  ])("exits with 2 for %j", async (args, code) => {
    const { exitCode, stderr } = await runCommand(args, { repository: fixtureRemote().remote.open() });
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(code)]);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });

  it("exits with 3 when the server cannot be reached", async () => {
    const { remote } = fixtureRemote();
    remote.fail({ on: "anything", code: "AG2001", times: 9 });
    const { exitCode } = await runCommand(["validate", "--repo", "x"], { repository: remote.open() });
    expect(exitCode).toBe(3);
  });
});
