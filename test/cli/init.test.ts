import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Json } from "../../src/core/model.ts";
import { evaluate } from "../../src/core/view.ts";
import { readFolder } from "../../src/git/folder.ts";
import { writeFolder } from "../../src/git/write-folder.ts";
import { globalDeploymentPolicy, gslbConfig, live, liveOf, schemas } from "../support/builders.ts";
import { type CommandOptions, runCommand } from "../support/command-line.ts";
import { createFakeCluster, type FakeCluster } from "../support/fakes/cluster.ts";
import { createFakeRemote } from "../support/fakes/repository.ts";

const FLAGS = ["--clusters", "cluster1,cluster2,cluster3", "--leader", "cluster1", "--amko-version", "1.4.2"];
const CONTEXTS = ["cluster1", "cluster2", "cluster3"];
const WIDE: CommandOptions["terminal"] = { columns: 120, colour: false };

function liveClusters(spec: Readonly<Record<string, Readonly<Record<string, Json>>>> = {}) {
  const clusters = new Map<string, FakeCluster>();
  for (const name of CONTEXTS) {
    const cluster = createFakeCluster({ name, schemas: schemas() });
    const fields = { clusterContext: name, isLeader: name === "cluster1", version: "1.4.2", clusters: CONTEXTS };
    cluster.put(live("AMKOCluster", { name: "amko-here", spec: { ...fields, ...spec[name] } }));
    clusters.set(name, cluster);
  }
  clusters.get("cluster1")?.put(liveOf(gslbConfig()));
  clusters.get("cluster1")?.put(liveOf(globalDeploymentPolicy()));
  const openCluster = async ({ context }: { readonly context: string | null }) => {
    const found = clusters.get(context ?? "");
    if (found === undefined) throw new TypeError(`no context ${context}`);
    return found;
  };
  return { clusters, house: { openCluster, writeFolder } satisfies CommandOptions["house"] };
}

describe("init", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "init-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("writes a sound federation into a folder, with its README and its gate", async () => {
    const options = { directory: folder, terminal: WIDE, house: { writeFolder } };
    const { exitCode, stdout } = await runCommand(["init", "federation", ...FLAGS], options);
    expect(exitCode).toBe(0);
    const view = evaluate(await readFolder(join(folder, "federation")), schemas());
    expect([view.leadership, view.problems]).toEqual([{ kind: "leader", cluster: "cluster1" }, []]);
    expect(await readFile(join(folder, "federation/.github/workflows/validate.yaml"), "utf8")).toContain("validate");
    const manifest = await readFile(join(folder, "federation/clusters/cluster2/amkocluster.yaml"), "utf8");
    await expect(manifest).toMatchFileSnapshot("golden/init-manifest.txt");
    await expect(stdout).toMatchFileSnapshot("golden/init-wide.txt");
  });

  it("speaks in the README of the clusters that there are", async () => {
    const flags = ["--cluster", "east@prod", "--cluster", "west", "--leader", "west", "--amko-version", "1.5.1"];
    const options = { directory: folder, house: { writeFolder } };
    expect((await runCommand(["init", ".", ...flags], options)).exitCode).toBe(0);
    const readme = await readFile(join(folder, "README.md"), "utf8");
    expect(readme).toContain("in 2 clusters");
    expect(readme).toContain("amko-gitops switchover --to east@prod");
    expect(readme).toContain("# clusters/east%40prod/amkocluster.yaml");
    expect(readme).not.toMatch(/cluster[12]\b|gc-1/);
  });

  it.each([
    ["narrow", { columns: 60, colour: false }],
    ["colour", { columns: 120, colour: true }],
  ] as const)("shows on a dry run what it would write, on a terminal that is %s", async (name, terminal) => {
    const options = { directory: folder, terminal, house: { writeFolder } };
    const { stdout } = await runCommand(["init", "federation", ...FLAGS, "--dry-run"], options);
    await expect(stdout).toMatchFileSnapshot(`golden/init-${name}.txt`);
    await expect(readFolder(join(folder, "federation"))).rejects.toMatchObject({ code: "AG4008" });
  });

  it("does not touch a folder that holds something, but a fresh clone", async () => {
    const options = { directory: folder, house: { writeFolder } };
    await mkdir(join(folder, ".git"));
    expect((await runCommand(["init", ".", ...FLAGS], options)).exitCode).toBe(0);
    const again = await runCommand(["init", ".", ...FLAGS], options);
    expect([again.exitCode, again.stderr]).toEqual([2, expect.stringContaining("AG4010")]);
    await writeFile(join(folder, "file"), "");
    const below = await runCommand(["init", "file/below", ...FLAGS], options);
    expect([below.exitCode, below.stderr]).toEqual([2, expect.stringContaining("AG4008")]);
  });

  it("pushes the first commit of a remote after a yes, and never over one that is there", async () => {
    const remote = createFakeRemote();
    const args = ["init", "--repo", "https://git.example.com/federation.git", ...FLAGS];
    const options = { repository: remote.open(), answers: ["yes"] };
    const { exitCode, stdout, questions } = await runCommand(args, options);
    const head = remote.branch("main");
    expect([exitCode, questions]).toEqual([0, ["Push it to main? Type yes: "]]);
    expect(head && remote.stored(head).parents).toEqual([]);
    expect(head && remote.stored(head).message).toBe(
      "federation: begin the federation\n\ncluster1, cluster2, cluster3; cluster1 leads.\n",
    );
    expect(stdout).toContain(`Pushed ${head?.slice(0, 8)} to main`);
    const again = await runCommand([...args, "--yes"], options);
    expect([again.exitCode, again.stderr]).toEqual([2, expect.stringContaining("AG4010 main exists already")]);
    expect(remote.branch("main")).toBe(head);
  });

  it("leaves the gates out of a folder below the root, where no host looks", async () => {
    const remote = createFakeRemote();
    const args = ["init", "--repo", "https://x/y.git", "--path", "glb", ...FLAGS, "--yes", "-o", "json"];
    const { stdout } = await runCommand(args, { repository: remote.open({ path: "glb" }) });
    expect(JSON.parse(stdout).warnings).toEqual([
      expect.stringContaining("amko-gitops validate . --base origin/main --path glb"),
    ]);
    expect(JSON.parse(stdout).files).toEqual([
      "glb/README.md",
      ...CONTEXTS.map((name) => `glb/clusters/${name}/amkocluster.yaml`),
    ]);
    expect(
      remote.text(remote.branch("main") ?? ("" as never), "glb/clusters/cluster1/amkocluster.yaml"),
    ).not.toBeNull();
  });

  it("reads live clusters, and takes the leader's objects as the first snapshots", async () => {
    const { house } = liveClusters();
    const remote = createFakeRemote();
    const args = ["init", "--repo", "https://x/y.git", "--from-contexts", CONTEXTS.join(","), "--yes", "-o", "json"];
    const { exitCode, stdout } = await runCommand(args, { repository: remote.open(), house });
    expect(exitCode).toBe(0);
    const head = remote.branch("main");
    const { files } = await remote.open().read(head ?? ("" as never), new AbortController().signal);
    const view = evaluate(files, schemas());
    expect([view.leadership, view.problems]).toEqual([{ kind: "leader", cluster: "cluster1" }, []]);
    expect([view.kinds.GSLBConfig.kind, view.kinds.GlobalDeploymentPolicy.kind]).toEqual(["present", "present"]);
    expect(head && remote.text(head, "clusters/cluster3/amkocluster.yaml")).toContain("name: amko-here");
    await expect(stdout.replace(head ?? "", "<commit>")).toMatchFileSnapshot("golden/init-json.txt");
  });

  it.each<[string, Parameters<typeof liveClusters>[0], readonly string[], number, RegExp]>([
    [
      "two clusters say leader",
      { cluster2: { isLeader: true } },
      [],
      1,
      /AG5002: AMKO in the clusters cluster1 and cluster2 says leader/,
    ],
    [
      "a context leads elsewhere",
      { cluster2: { clusterContext: "other" } },
      [],
      1,
      /AG5031: the context cluster2 leads to the cluster "other"/,
    ],
    ["a version is empty", { cluster2: { version: "" } }, [], 1, /AG1019/],
    ["the leader is none of them", {}, ["--leader", "nobody"], 1, /AG5005/],
    ["nobody leads, and none is named", { cluster1: { isLeader: false } }, [], 2, /--leader: missing/],
    ["both ways are used", {}, ["--cluster", "cluster1"], 2, /--from-contexts/],
  ])("refuses when %s", async (_, spec, rest, code, words) => {
    const { house } = liveClusters(spec);
    const args = ["init", "federation", "--from-contexts", CONTEXTS.join(","), ...rest];
    const { exitCode, stderr } = await runCommand(args, { directory: folder, house });
    expect([exitCode, stderr]).toEqual([code, expect.stringMatching(words)]);
  });

  it("warns of versions that differ, of a leadership that moves, and of a kind that is missing", async () => {
    const { house } = liveClusters({ cluster3: { version: "1.3.1" } });
    const args = ["init", "federation", "--from-contexts", CONTEXTS.join(","), "--leader", "cluster2"];
    const { exitCode, stdout } = await runCommand(args, { directory: folder, house });
    expect(exitCode).toBe(0);
    expect(stdout).toContain("AMKO in cluster1 says leader today");
    expect(stdout).toContain("AMKO in cluster3 runs 1.3.1");
    expect(stdout).toContain("cluster2 has no GSLBConfig");
  });

  it("names the cluster that cannot be reached, and exits with 3", async () => {
    const { house, clusters } = liveClusters();
    clusters.get("cluster3")?.fail({ on: "list", code: "AG3001" });
    const args = ["init", "federation", "--from-contexts", CONTEXTS.join(",")];
    const { exitCode, stderr } = await runCommand(args, { directory: folder, house });
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining("AG3001 cluster cluster3: ")]);
  });

  it.each([
    [["init"], /--repo: missing/],
    [["init", "x", "--clusters", "a", "--leader", "b", "--amko-version", "1"], /--leader "b": none of the clusters/],
    [["init", "x", "--clusters", "a", "--leader", "a"], /--amko-version: missing/],
    [["init", "x", "--leader", "a"], /--cluster: missing/],
  ] as const)("exits with 2 for %j", async (args, words) => {
    const { exitCode, stderr } = await runCommand([...args]);
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(words)]);
  });
});
