import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFailed, test, vi } from "vitest";
import { clusterOf } from "../support/federation.ts";
import { openTerminal, type Terminal } from "../support/terminal.ts";
import { startWorld, type World, type WorldCluster } from "../support/world.ts";

/** A federation's life as its people see it: with amko-gitops, git and kubectl, and nothing else. */

vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });

const CONTROLLER_IP = "10.9.8.7";
const SNAPSHOT = "federation/globaldeploymentpolicy/global-gdp.yaml";

let world: World;
let anna: Terminal;
let ben: Terminal;

const kubectl = (cluster: string, rest: string): string => `kubectl --context ${cluster} -n avi-system ${rest}`;
const leads = (cluster: string): string => kubectl(cluster, "get amkocluster -o jsonpath={.items[0].spec.isLeader}");
const ttl = (cluster: string): string => kubectl(cluster, "get gdp global-gdp -o jsonpath={.spec.ttl}");

beforeAll(async () => {
  world = await startWorld({ files: null, running: false, hook: true });
  await Promise.all(world.clusters.map((cluster) => cluster.install()));
  const people = await Promise.all(
    ["anna", "ben"].map(async (name) => {
      const folder = join(world.folder, name);
      await mkdir(folder);
      return openTerminal(folder, {
        KUBECONFIG: world.kubeconfig,
        EDITOR: "false",
        GIT_AUTHOR_NAME: name,
        GIT_AUTHOR_EMAIL: `${name}@example.com`,
        GIT_COMMITTER_NAME: name,
        GIT_COMMITTER_EMAIL: `${name}@example.com`,
        AMKO_GITOPS_REPO: world.repositoryUrl,
        ...world.personEnvironment,
      });
    }),
  );
  [anna, ben] = people as [Terminal, Terminal];
});

afterAll(() => world?.stop());

async function lose(cluster: WorldCluster): Promise<void> {
  await cluster.agent()?.kill();
  await cluster.crash();
}

test("from the first commit to the audit: a review, a switchover, a disaster, a return and a rollback", async () => {
  onTestFailed(async () => {
    process.stderr.write(`${anna.transcript()}\n--- ben\n${ben.transcript()}\n${await world.logs()}\n`);
  });

  // The clusters run AMKO already; the repository is empty.
  await anna.ok("amko-gitops init --from-contexts cluster1,cluster2,cluster3 --leader cluster1 --yes");
  for (const cluster of world.clusters) cluster.startAgent();
  await world.settled();
  await anna.until("amko-gitops status --check", /cluster1 leads/);
  await anna.ok(`git clone -q ${world.repositoryUrl} .clone`);

  // A change by pull request: Anna proposes, the check judges, Ben merges.
  await anna.ok("git -C .clone switch -q -c shorter-ttl");
  await anna.ok(`git -C .clone config core.editor true`);
  const before = await anna.ok(ttl("cluster1"));
  await editFile(join(anna.folder, ".clone", SNAPSHOT), (text) => text.replace(/ttl: \d+/, "ttl: 7"));
  await anna.ok("git -C .clone commit -q -a -m 'Shorter TTL before the move'");
  expect(await anna.ok("amko-gitops validate .clone --base origin/main")).toMatch(/spec\.ttl: \d+ -> 7/);
  await anna.ok("git -C .clone push -q origin shorter-ttl");
  await ben.ok(`git clone -q ${world.repositoryUrl} .clone`);
  await ben.ok("git -C .clone merge -q --no-ff -m 'Merge shorter-ttl' origin/shorter-ttl");
  await ben.ok("git -C .clone push -q origin main");
  for (const { name } of world.clusters) await ben.until(ttl(name), /^7$/);

  // A planned switchover.
  await ben.ok("amko-gitops switchover --to cluster2 --reason 'CHG-1: maintenance of site 1' --yes");
  await ben.until(leads("cluster2"), /^true$/);
  await ben.until(leads("cluster1"), /^(false)?$/);
  await world.settled();

  // Site 2 is lost, with its Avi controller.
  await lose(clusterOf(world, "cluster2"));
  expect((await ben.run("amko-gitops switchover --to cluster2 --reason 'no' --yes")).code).toBe(1);
  const failover = await ben.ok(
    `amko-gitops failover --to cluster3 --controller-ip ${CONTROLLER_IP} --reason 'INC-7: site 2 is down' --yes`,
  );
  expect(failover).toContain(CONTROLLER_IP);
  await ben.until(leads("cluster3"), /^true$/);
  for (const name of ["cluster1", "cluster3"]) {
    await ben.until(
      kubectl(name, "get gslbconfig gc-1 -o jsonpath={.spec.gslbLeader.controllerIP}"),
      new RegExp(`^${CONTROLLER_IP}$`),
    );
  }

  // The old leader is back: it steps down by itself.
  const back = clusterOf(world, "cluster2");
  await back.restart();
  back.startAgent();
  await ben.until(leads("cluster2"), /^(false)?$/);
  await world.settled();
  await ben.until("amko-gitops status --check", /cluster3 leads/);

  // Anna takes her change back, and keeps the new controller.
  await anna.ok("git -C .clone fetch -q");
  const first = (await anna.ok("git -C .clone rev-list --max-parents=0 origin/main")).trim();
  const undone = await anna.ok(`amko-gitops rollback ${first} --kind gdp --reason 'The TTL was too short' --yes`);
  expect(undone).toMatch(/spec\.ttl: 7 -> /);
  for (const { name } of world.clusters) await anna.until(ttl(name), new RegExp(`^${before.trim()}$`));
  await world.settled();
  expect(await anna.ok(kubectl("cluster3", "get gslbconfig gc-1 -o jsonpath={.spec.gslbLeader.controllerIP}"))).toBe(
    CONTROLLER_IP,
  );

  // The audit.
  const story = await anna.ok("amko-gitops history");
  for (const words of [
    "CHG-1: maintenance of site 1",
    "INC-7: site 2 is down",
    "The TTL was too short",
    "ben",
    "anna",
  ]) {
    expect(story).toContain(words);
  }
  const leaders = JSON.parse(await anna.ok("amko-gitops history --leaders -o json")) as unknown;
  expect(JSON.stringify(leaders)).toMatch(/cluster3.*cluster2.*cluster1/);
  expect(await anna.ok("amko-gitops status")).toMatch(/cluster3 leads/);
  await world.verify();
});

async function editFile(path: string, change: (text: string) => string): Promise<void> {
  await writeFile(path, change(await readFile(path, "utf8")));
}
