import { describe, expect, it } from "vitest";
import type { CommitId } from "../../src/core/model.ts";
import { type CommandOptions, runCommand } from "../support/command-line.ts";
import { createFakeRemote, type FakeRemote } from "../support/fakes/repository.ts";
import { fixtureFiles, fixtureRemote } from "../support/fixture-remote.ts";

const WIDE: CommandOptions["terminal"] = { columns: 120, colour: false };
const NARROW: CommandOptions["terminal"] = { columns: 60, colour: false };
const REASON = ["--reason", "CHG-4211 maintenance of site 1"];

function headOf(remote: FakeRemote): CommitId {
  const head = remote.branch("main");
  if (head === null) throw new TypeError("the branch is gone");
  return head;
}

/** What a branch's commit changed, line by line. */
function changedLines(remote: FakeRemote, from: CommitId, to: CommitId): readonly string[] {
  const paths = [...remote.stored(to).tree.keys()].filter((path) => remote.text(from, path) !== remote.text(to, path));
  return paths.flatMap((path) => {
    const [before, after] = [from, to].map((commit) => new Set((remote.text(commit, path) ?? "").split("\n")));
    const removed = [...(before ?? [])].filter((line) => after?.has(line) !== true).map((line) => `-${line.trim()}`);
    const added = [...(after ?? [])].filter((line) => before?.has(line) !== true).map((line) => `+${line.trim()}`);
    return [path, ...removed, ...added];
  });
}

describe("switchover", () => {
  it("flips both manifests in one commit, one line changed each, after a reason and a yes", async () => {
    const { remote, head } = fixtureRemote();
    const { exitCode, stdout, questions } = await runCommand(["switchover", "--to", "cluster2"], {
      repository: remote.open(),
      terminal: WIDE,
      answers: ["CHG-4211 maintenance of site 1", "cluster2"],
    });
    expect(exitCode).toBe(0);
    const commit = headOf(remote);
    expect(remote.stored(commit)).toMatchObject({ parents: [head], author: "Jo Doe <jo@example.com>" });
    expect(remote.stored(commit).message).toBe(
      "federation: switch over from cluster1 to cluster2\n\nCHG-4211 maintenance of site 1\n",
    );
    const why = "# one manifest only; a flip changes two files in one commit";
    expect(changedLines(remote, head, commit)).toEqual([
      "clusters/cluster1/amkocluster.yaml",
      `-isLeader: true ${why}`,
      `+isLeader: false ${why}`,
      "clusters/cluster2/amkocluster.yaml",
      "-isLeader: false",
      "+isLeader: true",
    ]);
    expect(questions).toEqual(["Why? (one sentence, for the history): ", "Push it? Type cluster2 or yes: "]);
    await expect(stdout).toMatchFileSnapshot("golden/switchover-wide.txt");
  });

  it.each([
    ["narrow", NARROW],
    ["colour", { columns: 120, colour: true }],
  ] as const)("shows the plan on a terminal that is %s", async (name, terminal) => {
    const { remote } = fixtureRemote();
    remote.setBranch("amko/applied/cluster3", null);
    const args = ["switchover", "--to", "cluster2", "--dry-run"];
    const { stdout } = await runCommand(args, { repository: remote.open(), terminal });
    await expect(stdout).toMatchFileSnapshot(`golden/switchover-${name}.txt`);
  });

  it("prints the plan and the result as data", async () => {
    const { remote } = fixtureRemote();
    const args = ["switchover", "--to", "cluster2", ...REASON, "--yes", "-o", "json"];
    const { exitCode, stdout, stderr } = await runCommand(args, { repository: remote.open() });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ outcome: "committed", commit: headOf(remote), branch: "main" });
    await expect(stdout).toMatchFileSnapshot("golden/switchover-json.txt");
  });

  it("pushes nothing on a dry run, nor when the answer is no", async () => {
    const { remote, head } = fixtureRemote();
    const options = { repository: remote.open() };
    const dry = await runCommand(["switchover", "--to", "cluster2", "--dry-run"], options);
    expect([dry.exitCode, dry.questions]).toEqual([0, []]);
    const no = await runCommand(["switchover", "--to", "cluster2", ...REASON], { ...options, answers: ["cluster3"] });
    expect(no).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("Nothing was pushed.") });
    expect(headOf(remote)).toBe(head);
  });

  it("exits with 2 where nobody is there to answer", async () => {
    const { remote, head } = fixtureRemote();
    const options = { repository: remote.open() };
    const silent = await runCommand(["switchover", "--to", "cluster2"], options);
    expect([silent.exitCode, silent.stderr]).toEqual([2, expect.stringContaining("--reason: missing")]);
    const unsure = await runCommand(["switchover", "--to", "cluster2", ...REASON], options);
    expect([unsure.exitCode, unsure.stderr]).toEqual([2, expect.stringContaining("Add --yes")]);
    const aimless = await runCommand(["switchover", ...REASON], options);
    expect([aimless.exitCode, aimless.stderr]).toEqual([2, expect.stringContaining("--to: missing")]);
    const nobody = await runCommand(["switchover", "--to", "cluster2", "--author", "Jo", ...REASON], options);
    expect([nobody.exitCode, nobody.stderr]).toEqual([2, expect.stringContaining('--author "Jo"')]);
    expect(headOf(remote)).toBe(head);
  });

  it("refuses with code, cause and remedy, and pushes nothing", async () => {
    const { remote, head } = fixtureRemote();
    remote.setBranch("amko/applied/cluster2", null);
    const options = { repository: remote.open(), terminal: WIDE };
    const refused = await runCommand(["switchover", "--to", "cluster2", ...REASON, "--yes"], options);
    expect([refused.exitCode, headOf(remote)]).toEqual([1, head]);
    await expect(refused.stderr).toMatchFileSnapshot("golden/switchover-refused.txt");
    const json = await runCommand(["switchover", "--to", "cluster2", "-o", "json"], options);
    expect(JSON.parse(json.stdout)).toMatchObject({ outcome: "refused", refusals: [{ code: "AG5028" }] });
  });

  it("counts a cluster as up to date while it holds the snapshots of the head, as the agents do", async () => {
    const { remote } = fixtureRemote();
    const options = { repository: remote.open() };
    const args = ["switchover", "--to", "cluster2", "--dry-run", "-o", "json"];
    remote.push("main", { "README.md": "nothing that is applied\n" });
    expect((await runCommand(args, options)).exitCode).toBe(0);
    const path = "federation/globaldeploymentpolicy/global-gdp.yaml";
    remote.push("main", { [path]: (fixtureFiles()[path] ?? "").replace("ttl: 10", "ttl: 60") });
    const behind = await runCommand(args, options);
    expect([behind.exitCode, JSON.parse(behind.stdout).refusals[0].code]).toEqual([1, "AG5026"]);
    expect((await runCommand([...args, "--force"], options)).exitCode).toBe(0);
    // What is no part of the branch any more cannot be the newest either.
    remote.setBranch("amko/applied/cluster2", remote.push("elsewhere", { "README.md": "x" }));
    expect(JSON.parse((await runCommand(args, options)).stdout).refusals[0].code).toBe("AG5026");
  });

  it("says that the repository has no commit yet", async () => {
    const args = ["switchover", "--to", "cluster2", "--dry-run"];
    const { exitCode, stderr } = await runCommand(args, { repository: createFakeRemote().open() });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("AG2005")]);
  });

  it("tells a cluster's own words as plain text", async () => {
    const { remote } = fixtureRemote();
    const status = `reason: "a\\u001b[2Jb"\n`;
    const failed = remote.push("elsewhere", { "status.yaml": status });
    remote.setBranch("amko/failed/cluster2", failed);
    const args = ["switchover", "--to", "cluster2", "--force", "--dry-run"];
    const { stdout } = await runCommand(args, { repository: remote.open(), terminal: WIDE });
    expect(stdout).toContain("cannot apply: a [2Jb");
    expect(stdout).not.toContain("\u001b");
  });

  it("goes on without another question when the branch moved and the plan is the same", async () => {
    const { remote } = fixtureRemote();
    const repository = remote.open();
    let moved: CommitId | null = null;
    const racing = {
      ...repository,
      publish: (...args: Parameters<typeof repository.publish>) => {
        moved ??= remote.push("main", { "README.md": "somebody else's\n" });
        return repository.publish(...args);
      },
    };
    const args = ["switchover", "--to", "cluster2", ...REASON];
    const { exitCode, questions } = await runCommand(args, { repository: racing, answers: ["yes"] });
    expect([exitCode, questions.length]).toEqual([0, 1]);
    expect(remote.stored(headOf(remote)).parents).toEqual([moved]);
  });

  it("asks again when what moved changes the plan, and gives up after some attempts", async () => {
    const { remote } = fixtureRemote();
    const repository = remote.open();
    let count = 0;
    const racing = {
      ...repository,
      publish: (...args: Parameters<typeof repository.publish>) => {
        count += 1;
        const text = fixtureFiles()["clusters/cluster2/amkocluster.yaml"] ?? "";
        remote.push("main", { "clusters/cluster2/amkocluster.yaml": `# ${count}\n${text}` });
        return repository.publish(...args);
      },
    };
    const args = ["switchover", "--to", "cluster2", ...REASON];
    const answers = Array.from({ length: 9 }, () => "yes");
    const { exitCode, stdout, stderr, questions } = await runCommand(args, { repository: racing, answers });
    expect([exitCode, questions.length]).toEqual([1, 5]);
    expect(stdout).toContain("The branch moved: it is planned anew.");
    expect(stderr).toContain("AG2003");
  });

  it("advises a proposal where the branch is protected", async () => {
    const { remote } = fixtureRemote();
    remote.fail({ on: "publish", code: "AG2004" });
    const args = ["switchover", "--to", "cluster2", ...REASON, "--yes"];
    const { exitCode, stderr } = await runCommand(args, { repository: remote.open() });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("Add --propose")]);
  });

  it("lists only those that something happens to where there are many clusters", async () => {
    const { remote } = fixtureRemote();
    const names = Array.from({ length: 40 }, (_, index) => `cluster${index + 1}`);
    const text = fixtureFiles()["clusters/cluster2/amkocluster.yaml"] ?? "";
    const manifests = names.map((name) => [
      `clusters/${name}/amkocluster.yaml`,
      text
        .replaceAll("cluster2", name)
        .replace("isLeader: false", `isLeader: ${name === "cluster1"}`)
        .replace(/clusters: .*/, `clusters: [${names.join(", ")}]`),
    ]);
    const head = remote.push("main", Object.fromEntries(manifests) as Record<string, string>);
    for (const name of names) remote.setBranch(`amko/applied/${name}`, name === "cluster7" ? null : head);
    const args = ["switchover", "--to", "cluster2", "--dry-run"];
    const { stdout } = await runCommand(args, { repository: remote.open(), terminal: WIDE });
    const table = stdout.slice(0, stdout.indexOf("\nclusters/"));
    await expect(table).toMatchFileSnapshot("golden/switchover-many.txt");
  });

  it("proposes it on a branch, says when it stands already, and overwrites nobody's", async () => {
    const { remote, head } = fixtureRemote();
    const options = { repository: remote.open(), terminal: WIDE };
    const args = ["switchover", "--to", "cluster2", ...REASON, "--yes", "--propose"];
    const first = await runCommand(args, options);
    expect(first.exitCode).toBe(0);
    const proposed = remote.branch("amko/propose/cluster2/leader");
    expect([proposed && remote.stored(proposed).parents, headOf(remote)]).toEqual([[head], head]);
    const again = await runCommand(args, options);
    expect([again.exitCode, again.stdout]).toEqual([0, expect.stringContaining("Stands already")]);
    remote.push("amko/propose/cluster2/leader", { "README.md": "mine\n" });
    const other = await runCommand(args, options);
    expect([other.exitCode, other.stderr]).toEqual([1, expect.stringContaining("AG5017")]);
  });
});

describe("failover", () => {
  it("flips, names the former leader, and readdresses the GSLBConfig, with only git at hand", async () => {
    const { remote, head } = fixtureRemote();
    remote.setBranch("amko/propose/cluster1/config", remote.push("elsewhere", { "README.md": "open\n" }));
    const args = ["failover", "--to", "cluster2", "--controller-ip", "10.20.20.20", "--reason", "site 1 is down"];
    const { exitCode, stdout } = await runCommand([...args, "--yes"], { repository: remote.open(), terminal: WIDE });
    expect(exitCode).toBe(0);
    const commit = headOf(remote);
    expect(remote.stored(commit).parents).toEqual([head]);
    expect(changedLines(remote, head, commit)).toEqual([
      "clusters/cluster1/amkocluster.yaml",
      expect.stringMatching(/^-isLeader: true/),
      expect.stringMatching(/^\+isLeader: false/),
      "clusters/cluster2/amkocluster.yaml",
      "-isLeader: false",
      "+annotations:",
      "+amko-gitops.io/handover-without: cluster1",
      "+isLeader: true",
      "federation/gslbconfig/gc-1.yaml",
      "-controllerIP: 10.10.10.10",
      "+controllerIP: 10.20.20.20",
    ]);
    await expect(remote.stored(commit).message).toMatchFileSnapshot("golden/failover-message.txt");
    await expect(stdout).toMatchFileSnapshot("golden/failover-wide.txt");
  });

  it.each([
    ["narrow", NARROW],
    ["colour", { columns: 120, colour: true }],
  ] as const)("shows what may be lost on a terminal that is %s", async (name, terminal) => {
    const { remote } = fixtureRemote();
    remote.setBranch("amko/applied/cluster2", null);
    const args = ["failover", "--to", "cluster2", "--controller-ip", "10.20.20.20", "--dry-run"];
    const { stdout } = await runCommand(args, { repository: remote.open(), terminal });
    await expect(stdout).toMatchFileSnapshot(`golden/failover-${name}.txt`);
  });

  it("mends a branch with two leaders", async () => {
    const { remote } = fixtureRemote();
    const path = "clusters/cluster3/amkocluster.yaml";
    remote.push("main", { [path]: (fixtureFiles()[path] ?? "").replace("isLeader: false", "isLeader: true") });
    const args = ["failover", "--to", "cluster2", "--reason", "two led", "--yes", "-o", "json"];
    const { exitCode, stdout } = await runCommand(args, { repository: remote.open() });
    expect([exitCode, JSON.parse(stdout)]).toEqual([
      0,
      expect.objectContaining({ from: ["cluster1", "cluster3"], to: "cluster2" }),
    ]);
    expect(remote.text(headOf(remote), "clusters/cluster2/amkocluster.yaml")).toContain(
      "handover-without: cluster1,cluster3",
    );
  });

  it("does not write what is no address", async () => {
    const { remote } = fixtureRemote();
    const args = ["failover", "--to", "cluster2", "--controller-ip", "10.0.0.1; rm", "--dry-run"];
    const { exitCode, stderr } = await runCommand(args, { repository: remote.open() });
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("--controller-ip")]);
  });
});
