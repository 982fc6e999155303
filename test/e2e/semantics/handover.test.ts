import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { gslbConfig } from "../../support/builders.ts";
import {
  clusterOf,
  editPolicy,
  FILES,
  flipTo,
  GSLB_CONFIG,
  inSync,
  type Landing,
  land,
  leadFrom,
  messageOf,
  moved,
  type OfficeWatch,
  pushBranch,
  refsUnder,
  specOf,
  waitForCode,
  waitForLeader,
  waitForPolicy,
  waitForRef,
  watchOffices,
  withManifest,
} from "../../support/federation.ts";
import { objectFrom, waitUntil } from "../../support/world.ts";
import { tellLogs, useWorld } from "../use-world.ts";

/** Promotion and demotion while everybody can read the branch: at no moment do two local objects say leader. */

/** Several waits follow one another in each test; a small machine may share its cores between many suites. */
vi.setConfig({ testTimeout: 150_000, hookTimeout: 150_000 });

const world = useWorld();
let offices: OfficeWatch;

beforeEach(() => {
  offices = watchOffices(world().clusters);
});

afterEach(async () => {
  expect(await offices.stop()).toEqual([]);
});

async function expectOffice(name: string): Promise<void> {
  await waitForLeader(world().clusters, name);
  await inSync(world());
  expect(await refsUnder(world(), "leading/")).toEqual([`amko/leading/${name}`]);
}

/** An edit in the new leader's cluster reaches everybody; the commit says where it came from. */
async function expectExports(name: string, ttl: number): Promise<void> {
  const { clusters, head } = world();
  const before = await head();
  await editPolicy(clusterOf(world(), name), { ttl });
  await waitForPolicy(clusters, { ttl });
  expect(await messageOf(world(), await moved(world(), before))).toContain(`Federated-From: ${name}`);
}

describe("a flip that is landed", () => {
  test.each([
    ["as a merge commit", "merge", "cluster2"],
    ["squashed into one commit", "squash", "cluster1"],
    ["by a fast-forward over a revision in which nobody leads", "fast-forward", "cluster2"],
    ["rebased", "rebase", "cluster1"],
  ] as const)("%s moves the leadership, and the new leader's edits count", async (_, how: Landing, to) => {
    tellLogs(world());
    const from = to === "cluster1" ? "cluster2" : "cluster1";
    await pushBranch(world(), `flip-${how}`, [
      withManifest(from, { isLeader: false }) as Record<string, string>,
      withManifest(to, { isLeader: true }) as Record<string, string>,
    ]);
    await land(world(), `flip-${how}`, how);
    await expectOffice(to);
    await expectExports(to, 100 + how.length);
  });

  test("with an edit of the GSLBConfig takes effect in the new leader's cluster before it leads", async () => {
    tellLogs(world());
    const { person } = world();
    const next = clusterOf(world(), "cluster2");
    const spec = { ...gslbConfig().spec, logLevel: "DEBUG", refreshInterval: 60 };
    const seen: string[] = [];
    const stop = await next.objects.watch("AMKOCluster", ({ object }) => {
      const leads = JSON.stringify(object.spec).includes('"isLeader":true');
      if (leads) seen.push("leads");
    });
    const stopConfig = await next.objects.watch("GSLBConfig", ({ object }) => {
      if (JSON.stringify(object.spec).includes('"logLevel":"DEBUG"')) seen.push("applied");
    });
    await person.push({
      ...flipTo("cluster2"),
      [FILES.GSLBConfig]: JSON.stringify(objectFrom(gslbConfig({ spec }))),
    });
    await expectOffice("cluster2");
    await stop();
    await stopConfig();
    expect(seen[0]).toBe("applied");
    expect(seen).toContain("leads");
    for (const cluster of world().clusters) {
      expect(await specOf(cluster, "GSLBConfig", GSLB_CONFIG)).toMatchObject({ refreshInterval: 60 });
    }
  });
});

describe("leadership that moves faster than agents poll", () => {
  test("from A to B and back ends at A", async () => {
    tellLogs(world());
    const { person } = world();
    await leadFrom(world(), "cluster1");
    for (const to of ["cluster2", "cluster1", "cluster2", "cluster1"]) await person.push(flipTo(to));
    await expectOffice("cluster1");
    await expectExports("cluster1", 201);
  });

  test("from A to B to C ends at C", async () => {
    tellLogs(world());
    const { person } = world();
    await person.push(flipTo("cluster2"));
    await person.push(flipTo("cluster3"));
    await expectOffice("cluster3");
    await expectExports("cluster3", 202);
  });

  test("from A to B to C, with B half-way in, ends at C", async () => {
    tellLogs(world());
    const { person, leader, refs } = world();
    await leadFrom(world(), "cluster1");
    // A's agent is away, so B claims and waits.
    await leader.agent()?.stop();
    await person.push(flipTo("cluster2"));
    await waitForRef(world(), "amko/leading/cluster2", true);
    await waitForCode(clusterOf(world(), "cluster2"), "AG5011");
    await person.push(flipTo("cluster3"));
    await waitForRef(world(), "amko/leading/cluster2", false);
    await waitForRef(world(), "amko/leading/cluster3", true);
    expect((await refs()).has("amko/leading/cluster1")).toBe(true);
    leader.startAgent();
    await expectOffice("cluster3");
    await expectExports("cluster3", 203);
  });
});

test("an edit that the former leader had not exported is rescued, and does not land", async () => {
  tellLogs(world());
  const { person, leader, head, followers, git } = world();
  await leadFrom(world(), "cluster1");
  await leader.agent()?.stop();
  await editPolicy(leader, { ttl: 666 });
  const flip = await person.push(flipTo("cluster2"));
  leader.startAgent();
  await expectOffice("cluster2");
  await waitUntil("the former leader's GDP is the branch's", async () => (await head()) === flip);
  for (const cluster of [leader, ...followers]) {
    expect(await specOf(cluster, "GlobalDeploymentPolicy", "global-gdp")).not.toMatchObject({ ttl: 666 });
  }
  const [rescued] = await refsUnder(world(), "rescue/cluster1/");
  expect(await git("show", `${rescued}:${FILES.GlobalDeploymentPolicy}`)).toContain("ttl: 666");
  await expectExports("cluster2", 204);
});

describe("a flip to a cluster that is excluded", () => {
  test("for its version deposes the old leader and promotes nobody, until the version is mended", async () => {
    tellLogs(world());
    const { person, clusters, polls } = world();
    await leadFrom(world(), "cluster1");
    const next = clusterOf(world(), "cluster3");
    await person.push({ ...flipTo("cluster3"), ...withManifest("cluster3", { isLeader: true, version: "1.5.0" }) });
    await waitForCode(next, "AG5007");
    await waitForRef(world(), "amko/leading/cluster1", false);
    await polls(1);
    expect(await refsUnder(world(), "leading/")).toEqual([]);
    for (const { name, objects } of clusters) {
      const [object] = await objects.list("AMKOCluster");
      expect(object?.spec, name).toMatchObject({ isLeader: false });
    }
    // What the cluster really runs stands ready to be merged.
    await waitForRef(world(), "amko/propose/cluster3/version", true);
    await land(world(), "amko/propose/cluster3/version", "merge");
    await expectOffice("cluster3");
    await expectExports("cluster3", 205);
    await waitForRef(world(), "amko/propose/cluster3/version", false);
  });

  test("with an invalid manifest holds everybody, and demotes the old leader", async () => {
    tellLogs(world());
    const { person, clusters } = world();
    await leadFrom(world(), "cluster1");
    await person.push({ ...flipTo("cluster2"), ...withManifest("cluster2", { isLeader: true, version: "" }) });
    for (const cluster of clusters) await waitForCode(cluster, "AG5004");
    await waitForRef(world(), "amko/leading/cluster1", false);
    await person.push(flipTo("cluster2"));
    await expectOffice("cluster2");
  });
});
