import { execFile } from "node:child_process";
import { chmod, chown, copyFile, mkdir, readdir, readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isObject } from "../../src/core/json.ts";
import { writeKubeconfig } from "../../src/sandbox/api-server/kubeconfig.ts";
import { findConfinementProblem, startConfined } from "../support/confined.ts";
import { environmentOf } from "../support/deployment.ts";
import { temporaryFolder } from "../support/git.ts";
import { renderKustomize } from "../support/kustomize.ts";
import { PROJECT, type RunResult, runProcess, type TestProcess } from "../support/process.ts";
import { startWorld, type World, type WorldCluster, waitUntil, writeCredentials } from "../support/world.ts";

/** What is published, and what runs in the image: the compiled program, away from its sources. */

const BUILD_MAX_MS = 300_000;
/** Longer than what is awaited in between, so that the test says what it was. */
const FEDERATION_MAX_MS = 180_000;
/** The image's user. */
const USER = 65_532;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  folder = await temporaryFolder();
});

afterAll(() => folder[Symbol.asyncDispose]());

/** Both compile into the same folder of the checkout, so they are in one file, one after the other. */
describe("the npm package", () => {
  let packed: { readonly filename: string; readonly files: readonly { readonly path: string }[] };
  let program: string;

  beforeAll(async () => {
    const answer = await npm(PROJECT, ["pack", "--json", "--pack-destination", folder.path]);
    [packed] = JSON.parse(answer.slice(answer.indexOf("["))) as [typeof packed];
    const place = join(folder.path, "installed");
    await mkdir(place);
    await npm(place, ["install", "--omit=dev", "--prefer-offline", join(folder.path, packed.filename)]);
    program = await realpath(join(place, "node_modules/.bin/amko-gitops"));
  }, BUILD_MAX_MS);

  const run = (...args: readonly string[]): Promise<RunResult> =>
    runProcess([program, ...args], { folder: join(folder.path, "installed") });

  it("holds what runs and what is deployed, and nothing that is for developers", () => {
    const top = new Set(packed.files.map(({ path }) => path.split("/")[0]));
    expect([...top].toSorted()).toEqual(
      ["CHANGELOG.md", "LICENSE", "README.md", "deploy", "dist", "fixtures", "package.json", "src"].toSorted(),
    );
    const paths = packed.files.map(({ path }) => path);
    expect(paths.filter((path) => path.startsWith("src/"))).toEqual(["src/launch.js"]);
    expect(paths).toContain("fixtures/repo/.github/workflows/validate.yaml");
    expect(paths).toContain("deploy/crds/amko.vmware.com_gslbconfigs.yaml");
  });

  it("says its version", async () => {
    const { version } = await readPackage();
    expect(await run("version")).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("judges the federation that it ships", async () => {
    const fixture = join(program, "../../fixtures/repo");
    expect(await run("validate", fixture)).toMatchObject({ code: 0, stderr: "" });
  });

  it("creates a federation, with its gates", async () => {
    const flags = ["--clusters", "east,west", "--leader", "east", "--amko-version", "1.4.2"];
    expect(await run("init", "federation", ...flags)).toMatchObject({ code: 0 });
    const files = await readdir(join(folder.path, "installed/federation"), { recursive: true });
    expect(files).toEqual(
      expect.arrayContaining(["clusters/east/amkocluster.yaml", ".github/workflows/validate.yaml"]),
    );
  });

  it(
    "plays the main job",
    async () => {
      expect(await run("sandbox", "--story", "main-job")).toMatchObject({ code: 0, stderr: "" });
    },
    FEDERATION_MAX_MS,
  );
});

describe("the image's tree", () => {
  let world: World;
  let problem: string | null;
  const agents: TestProcess[] = [];
  const node = (): string => join(folder.path, "node");
  const tree = (): string => join(folder.path, "app");

  beforeAll(async () => {
    await promisify(execFile)(join(PROJECT, "deploy/docker/assemble.sh"), [tree()]);
    problem = await findConfinementProblem();
    if (problem !== null) return;
    await copyFile(process.execPath, node());
    await chmod(folder.path, 0o755);
    const users = Object.fromEntries(
      ["cluster1", "cluster2"].map((name) => [name, { password: `${name}'s`, mayPush: true }]),
    );
    world = await startWorld({ clusters: ["cluster1", "cluster2"], running: false, users });
    for (const cluster of world.clusters) await cluster.install();
  }, BUILD_MAX_MS);

  afterAll(async () => {
    for (const agent of agents) await agent.kill();
    await world?.stop();
  });

  it("can write nowhere, and is nobody", async ({ skip }) => {
    skip(problem !== null, problem ?? "");
    const attempt = `
      const { writeFileSync } = require("node:fs");
      const tried = ["/", "/tmp", "/dev/shm", "/var/tmp", ${JSON.stringify(folder.path)}].map((folder) => {
        try { writeFileSync(folder + "/amko-gitops-test", ""); return "written"; } catch ({ code }) { return code; }
      });
      console.log(JSON.stringify({ user: process.getuid(), groups: process.getgroups(), tried }));`;
    const { stdout, stderr } = await startConfined([node(), "--eval", attempt]).ended;
    expect(stderr).toBe("");
    const { user, groups, tried } = JSON.parse(stdout);
    expect({ user, groups }).toEqual({ user: USER, groups: [USER] });
    expect(new Set(tried)).toEqual(new Set(["EROFS"]));
  });

  it("holds no dependency of development, and belongs to somebody else", async () => {
    const installed = await readdir(join(tree(), "node_modules"));
    const { devDependencies } = await readPackage();
    expect(Object.keys(devDependencies).filter((name) => installed.includes(name))).toEqual([]);
    const mine = ["-user", String(USER), "-o", "-perm", "/022", "-not", "-type", "l"];
    expect((await promisify(execFile)("find", [tree(), ...mine])).stdout).toBe("");
  });

  it("is listed whole, with nothing of development", async () => {
    const { stdout } = await promisify(execFile)(join(PROJECT, "deploy/docker/sbom.sh"), [tree()], LARGE);
    const { components } = JSON.parse(stdout) as { readonly components: readonly { readonly purl: string }[] };
    const listed = components.map(({ purl }) => decodeURIComponent(purl).replace(/^pkg:npm\/(.+)@[^@]+$/, "$1"));
    const installed = await readdir(join(tree(), "node_modules"));
    const { dependencies } = await readPackage();
    expect(Object.keys(dependencies).filter((name) => !listed.includes(name))).toEqual([]);
    expect(listed.filter((name) => !installed.includes(name.split("/")[0] ?? ""))).toEqual([]);
  });

  it(
    "federates a change, as the Deployment starts it, and stops when it is told to",
    async ({ skip }) => {
      skip(problem !== null, problem ?? "");
      for (const cluster of world.clusters) agents.push(await startAgent(cluster));
      const [, follower] = world.clusters;
      await waitUntil("both clusters are in sync", async () => {
        const told = await Promise.all(world.clusters.map((cluster) => cluster.condition("Synced")));
        return told.every(({ status }) => status === "True") || JSON.stringify(told);
      });
      await world.leader.objects.merge("GlobalDeploymentPolicy", "global-gdp", { spec: { ttl: 77 } });
      await waitUntil("the follower holds the change", async () => {
        const [object] = (await follower?.objects.list("GlobalDeploymentPolicy")) ?? [];
        return (isObject(object?.spec) && object.spec["ttl"] === 77) || JSON.stringify(object?.spec);
      });
      expect(await world.git("log", "-1", "--format=%s", "main")).toBe(
        "federation: update GlobalDeploymentPolicy global-gdp",
      );
      const stopped = await Promise.all(agents.map((agent) => agent.stop()));
      expect(stopped.map(({ code, stderr }) => ({ code, stderr }))).toEqual([
        { code: 0, stderr: "" },
        { code: 0, stderr: "" },
      ]);
    },
    FEDERATION_MAX_MS,
  );

  /** What the overlay tells it, but where the servers are and where its files lie. */
  async function startAgent({ name, url, token }: WorldCluster): Promise<TestProcess> {
    const place = join(folder.path, name);
    const kubeconfig = join(place, "kubeconfig");
    const credentials = await writeCredentials(join(place, "git"), name, `${name}'s`);
    await writeKubeconfig(kubeconfig, [{ context: name, url, token }]);
    await chown(kubeconfig, USER, USER);
    return startConfined([node(), join(tree(), "src/launch.js"), "agent"], {
      ...environmentOf(await renderKustomize("overlays/cluster1")),
      AMKO_GITOPS_REPO: world.repositoryUrl,
      AMKO_GITOPS_CLUSTER: name,
      AMKO_GITOPS_GIT_CREDENTIALS: credentials,
      AMKO_GITOPS_WEBHOOK_SECRET: "",
      AMKO_GITOPS_KUBECONFIG: kubeconfig,
      AMKO_GITOPS_POLL: "* * * * * *",
      AMKO_GITOPS_LISTEN: "127.0.0.1:0",
    });
  }
});

interface PackageFile {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

async function readPackage(): Promise<PackageFile> {
  return JSON.parse(await readFile(join(PROJECT, "package.json"), "utf8"));
}

const LARGE = { maxBuffer: 16 * 1024 * 1024 };

/** Runs npm, and returns what it printed. @throws Error with what it complained about. */
async function npm(place: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("npm", [...args], { cwd: place, ...LARGE });
  return stdout;
}
