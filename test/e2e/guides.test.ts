import { join } from "node:path";
import { afterEach, describe, expect, onTestFailed, onTestFinished, test, vi } from "vitest";
import { isObject } from "../../src/core/json.ts";
import {
  clusterOf,
  editPolicy,
  GSLB_CONFIG,
  inSync,
  isLeader,
  land,
  specOf,
  ttlOf,
  waitForCode,
  waitForCondition,
  waitForLeader,
  waitForPolicy,
  waitForRef,
} from "../support/federation.ts";
import { type Federator, putAmko, startFederators } from "../support/federator.ts";
import { PROJECT, runProcess } from "../support/process.ts";
import { AMKO_CLUSTER, startWorld, type World, type WorldCluster, waitUntil } from "../support/world.ts";

/** What deploy/MIGRATION.md and deploy/UPGRADE.md promise of their order. */

vi.setConfig({ testTimeout: 240_000 });

let world: World | null = null;
let federator: Federator | null = null;
const watches: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of watches.splice(0)) await stop();
  await federator?.stop();
  await world?.stop();
  [world, federator] = [null, null];
});

async function open(options: Parameters<typeof startWorld>[0]): Promise<World> {
  const opened = await startWorld(options);
  world = opened;
  onTestFailed(async () => void process.stderr.write(`${await opened.logs()}\n`));
  return opened;
}

function cli(
  here: World,
  ...args: readonly string[]
): Promise<{ readonly code: number | string; readonly stdout: string }> {
  const environment = {
    KUBECONFIG: here.kubeconfig,
    AMKO_GITOPS_REPO: here.repositoryUrl,
    GIT_AUTHOR_NAME: "jo",
    GIT_AUTHOR_EMAIL: "jo@example.com",
    GIT_COMMITTER_NAME: "jo",
    GIT_COMMITTER_EMAIL: "jo@example.com",
  };
  return runProcess([join(PROJECT, "src/launch.js"), ...args], { environment });
}

/** Every TTL of a cluster's GDP in the order in which it held them; a deletion is null. */
async function record(clusters: readonly WorldCluster[]): Promise<() => ReadonlyMap<string, readonly unknown[]>> {
  const told = new Map<string, unknown[]>(clusters.map(({ name }) => [name, []]));
  for (const { name, objects } of clusters) {
    const stop = await objects.watch("GlobalDeploymentPolicy", ({ type, object }) => {
      const ttl = type === "DELETED" ? null : isObject(object.spec) ? object.spec["ttl"] : undefined;
      const list = told.get(name) ?? [];
      if (list.at(-1) !== ttl) list.push(ttl);
    });
    watches.push(stop);
  }
  return () => told;
}

/** The clusters that held something older after something newer, or nothing at all. */
function wentBack(told: ReadonlyMap<string, readonly unknown[]>): readonly string[] {
  return [...told].flatMap(([name, ttls]) =>
    ttls.some((ttl, index) => ttl === null || Number(ttl) < Number(ttls[index - 1] ?? 0)) ? [`${name}: ${ttls}`] : [],
  );
}

/** Each edit is a higher number, so that whoever goes back is seen. */
let ttl = 100;
const edit = async (leader: WorldCluster): Promise<number> => {
  ttl += 1;
  await editPolicy(leader, { ttl });
  return ttl;
};

/** Three clusters that AMKO's own federator keeps the same. */
async function federatedByAmko(): Promise<World> {
  const here = await open({ files: null, running: false });
  for (const cluster of here.clusters) {
    await cluster.install();
    await putAmko(cluster, true);
  }
  federator = startFederators(here.clusters);
  await waitForPolicy(here.clusters, { ttl: await edit(here.leader) });
  return here;
}

describe("moving in, in the order of the guide", () => {
  test("lets no cluster go back, whenever somebody edits; nor does moving out, and in again", async () => {
    const here = await federatedByAmko();
    const { leader, followers, clusters } = here;
    const told = await record(clusters);

    // 2. The repository.
    const init = ["init", "--from-contexts", "cluster1,cluster2,cluster3", "--leader", "cluster1", "--yes"];
    expect(await cli(here, ...init)).toMatchObject({ code: 0 });
    for (const { name } of clusters) expect(await cli(here, "diff", "--context", name)).toMatchObject({ code: 0 });

    // 3. The leader: first the agent, which is in office and exports nothing, then the federator goes.
    leader.startAgent();
    await waitForCode(leader, "AG5021");
    await waitForRef(here, "amko/leading/cluster1", true);
    const head = await here.head();
    await waitForPolicy(clusters, { ttl: await edit(leader) });
    expect(await here.head()).toBe(head);
    await putAmko(leader, false);
    // It would look by itself after half a minute.
    const unfederated = await edit(leader);
    await waitUntil("the leader exports", async () => (await here.head()) !== head);

    // 4. The followers, one after the other.
    for (const follower of followers) {
      follower.startAgent();
      await waitForPolicy([follower], { ttl: unfederated });
      await putAmko(follower, false);
    }
    await inSync(here);
    expect(await cli(here, "status", "--check")).toMatchObject({ code: 0 });

    // 5. It works.
    await waitForPolicy(clusters, { ttl: await edit(leader) });
    await inSync(here);

    // Back: the followers' agents first.
    for (const follower of followers) await follower.agent()?.stop();
    await leader.agent()?.stop();
    for (const cluster of [...followers, leader]) await putAmko(cluster, true);
    await waitForPolicy(clusters, { ttl: await edit(leader) });

    // And in again, as before.
    leader.startAgent();
    await waitForCode(leader, "AG5021");
    await putAmko(leader, false);
    await edit(leader);
    for (const follower of followers) {
      await putAmko(follower, false);
      follower.startAgent();
    }
    await inSync(here);
    await waitForPolicy(clusters, { ttl: await edit(leader) });
    await inSync(here);

    expect(wentBack(told())).toEqual([]);
    expect(told().get("cluster3")?.length).toBeGreaterThan(4);
    await here.verify();
  });

  test("is why the leader comes first: a follower's agent beside its federator goes back", async () => {
    const here = await federatedByAmko();
    const told = await record(here.clusters);
    const init = ["init", "--from-contexts", "cluster1,cluster2,cluster3", "--leader", "cluster1", "--yes"];
    expect(await cli(here, ...init)).toMatchObject({ code: 0 });
    const follower = clusterOf(here, "cluster2");
    follower.startAgent();
    await waitUntil("it is in sync", async () => (await follower.condition("Synced")).status === "True");
    const before = await ttlOf(follower);
    await edit(here.leader);
    await waitUntil("it goes back", async () => (told().get("cluster2") ?? []).slice(1).includes(before ?? null));
    expect(wentBack(told())).not.toEqual([]);
  });
});

describe("a new version of AMKO, in the order of the guide", () => {
  const NEW = "1.5.0";
  /** As AMKO's new chart does, and then as people merge what the agent proposes. */
  const upgrade = async (here: World, name: string): Promise<void> => {
    const cluster = clusterOf(here, name);
    await cluster.objects.merge("AMKOCluster", AMKO_CLUSTER, { spec: { version: NEW } });
    await waitForCode(cluster, "AG5007");
    await waitForRef(here, `amko/propose/${name}/version`, true);
    await land(here, `amko/propose/${name}/version`, "fast-forward");
    await waitForRef(here, `amko/propose/${name}/version`, false);
  };

  test("leaves the leader a follower of its version at every moment, and ends with all in sync", async () => {
    const here = await open({});
    const { leader } = here;
    const [first, last] = [clusterOf(here, "cluster3"), clusterOf(here, "cluster2")];

    await upgrade(here, first.name);
    await waitForCode(first, "AG5007");
    const withTheOld = await edit(leader);
    await waitForPolicy([last], { ttl: withTheOld });
    expect(await ttlOf(first)).not.toBe(withTheOld);

    await upgrade(here, leader.name);
    expect(await isLeader(leader)).toBe(true);
    await waitForPolicy([first], { ttl: withTheOld });
    const withTheNew = await edit(leader);
    await waitForPolicy([first], { ttl: withTheNew });
    expect(await ttlOf(last)).toBe(withTheOld);

    await upgrade(here, last.name);
    await inSync(here);
    expect(await ttlOf(last)).toBe(withTheNew);
    expect(await cli(here, "status", "--check")).toMatchObject({ code: 0 });
  });

  test("lets a cluster that was upgraded take over from a leader that was lost before its own upgrade", async () => {
    const clusters = ["cluster1", "cluster2"];
    const here = await open({ clusters });
    await upgrade(here, "cluster2");
    await here.leader.agent()?.kill();
    await here.leader.crash();
    const failover = ["failover", "--to", "cluster2", "--reason", "site 1 is lost", "--yes"];
    expect(await cli(here, ...failover)).toMatchObject({ code: 0, stdout: expect.stringContaining("is left out") });
    await waitForLeader([clusterOf(here, "cluster2")], "cluster2");
  });
});

test("what the runbook says of git that died with the leader's site is never put back, if it is done in that order", async () => {
  const here = await open({});
  const { leader, gitServer } = here;
  const [next, third] = [clusterOf(here, "cluster2"), clusterOf(here, "cluster3")];
  const [controllerIP, reason] = ["10.20.20.20", "INC-7"];
  await gitServer.crash();
  await leader.agent()?.kill();
  await leader.crash();

  // By hand, in the cluster that is to lead and nowhere else.
  const suspend = ["suspend", "--context", next.name, "--for", "24h", "--reason", reason];
  expect(await cli(here, ...suspend)).toMatchObject({ code: 0 });
  await next.objects.merge("GSLBConfig", GSLB_CONFIG, { spec: { gslbLeader: { controllerIP } } });
  await next.objects.merge("AMKOCluster", AMKO_CLUSTER, { spec: { isLeader: true } });
  const told = new Set<string>();
  const note = async (): Promise<string> => {
    const spec = await specOf(next, "GSLBConfig", GSLB_CONFIG);
    const address = isObject(spec?.["gslbLeader"]) ? spec["gslbLeader"]["controllerIP"] : null;
    const now = `${address} ${await isLeader(next)}`;
    told.add(now);
    return now;
  };
  const watching = setInterval(() => void note().catch(() => undefined), 50);
  onTestFinished(() => clearInterval(watching));

  // Git is back: it is told what was done, and only then the agent goes on.
  await gitServer.restart();
  await waitForCondition(next, "Synced", "False AG5015");
  expect(await cli(here, "failover", "--to", next.name, "--reason", reason, "--yes")).toMatchObject({ code: 0 });
  const adopt = ["adopt", "--context", next.name, "--reason", reason, "--yes"];
  expect(await cli(here, ...adopt)).toMatchObject({ code: 0 });
  await land(here, `amko/propose/${next.name}/adopt`, "fast-forward");
  expect(await cli(here, "resume", "--context", next.name)).toMatchObject({ code: 0 });

  await waitForRef(here, `amko/leading/${next.name}`, true);
  await waitUntil("the other cluster has the address", async () => {
    const spec = await specOf(third, "GSLBConfig", GSLB_CONFIG);
    return JSON.stringify(spec).includes(controllerIP) || JSON.stringify(spec);
  });
  await inSync(here);
  await note();
  expect([...told]).toEqual([`${controllerIP} true`]);
});
