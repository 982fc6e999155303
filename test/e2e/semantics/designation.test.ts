import { afterEach, describe, expect, test, vi } from "vitest";
import type { Json } from "../../../src/core/model.ts";
import {
  CONFIG_MAP,
  calm,
  clusterOf,
  editPolicy,
  eventsOf,
  isLeader,
  land,
  leadFrom,
  messageOf,
  moved,
  refsUnder,
  waitForCode,
  waitForCondition,
  waitForEvent,
  waitForLeader,
  waitForPolicy,
  waitForRef,
} from "../../support/federation.ts";
import { AMKO_CLUSTER, type WorldCluster, waitUntil } from "../../support/world.ts";
import { tellLogs, useWorld } from "../use-world.ts";

/** What people and charts do to the local AMKOCluster: git decides who leads, Helm which version runs. */

/** Several waits follow one another in each test; a small machine may share its cores between many suites. */
vi.setConfig({ testTimeout: 150_000, hookTimeout: 150_000 });

const world = useWorld({ pushers: { cluster2: { cluster: "cluster2", designates: true } } });
const AMKO_CLUSTERS = "/apis/amko.vmware.com/v1alpha1/namespaces/avi-system/amkoclusters";

afterEach(() => calm(world()));

async function editAmkoCluster({ objects }: WorldCluster, spec: Json): Promise<void> {
  await objects.merge("AMKOCluster", AMKO_CLUSTER, { spec });
}

/** Writes the chart's values as `helm upgrade` does: the whole object, under Helm's name, whatever was written meanwhile. */
async function helmUpgrade({ name, objects }: WorldCluster, spec: Record<string, Json>): Promise<void> {
  await waitUntil(`helm upgrades ${name}`, async () => {
    const object = await objects.get("AMKOCluster", AMKO_CLUSTER);
    if (object === null) throw new TypeError("AMKO is not installed");
    const { status } = await objects.request("PUT", `${AMKO_CLUSTERS}/${AMKO_CLUSTER}?fieldManager=helm`, {
      ...object,
      spec: { ...(object.spec as Record<string, Json>), ...spec },
    } as unknown as Json);
    if (status !== 200 && status !== 409) throw new Error(`helm was answered ${status}`);
    return status === 200 || "the agent wrote at the same time";
  });
}

async function waitForSpecOf(cluster: WorldCluster, fields: Record<string, Json>): Promise<void> {
  await waitUntil(`the AMKOCluster of ${cluster.name} has ${JSON.stringify(fields)}`, async () => {
    const spec = (await cluster.objects.get("AMKOCluster", AMKO_CLUSTER))?.spec as Record<string, Json>;
    return Object.entries(fields).every(([field, value]) => JSON.stringify(spec[field]) === JSON.stringify(value));
  });
}

describe("isLeader that somebody sets to true by hand", () => {
  test("is put back and becomes a flip that is ready to merge; merged, it is a promotion like any other", async () => {
    tellLogs(world());
    const { head, git, clusters } = world();
    const cluster = clusterOf(world(), "cluster2");
    const before = await head();
    await editAmkoCluster(cluster, { isLeader: true });
    await waitForRef(world(), "amko/propose/cluster2/leader", true);
    await waitForLeader(clusters, "cluster1");
    await waitForCondition(cluster, "Synced", "AG5020");
    await waitForCondition(cluster, "Synced", "propose/cluster2/leader");
    await waitForEvent(cluster, "Held", "AG5020");
    expect(await head()).toBe(before);
    const changed = await git("diff", "--unified=0", "--no-color", "main", "amko/propose/cluster2/leader");
    expect(changed.split("\n").filter((line) => /^[-+] /.test(line))).toEqual([
      expect.stringMatching(/^- +"isLeader": true/),
      expect.stringMatching(/^\+ +"isLeader": false/),
      expect.stringMatching(/^- +"isLeader": false/),
      expect.stringMatching(/^\+ +"isLeader": true/),
    ]);
    await land(world(), "amko/propose/cluster2/leader", "merge");
    await waitForLeader(clusters, "cluster2");
    await waitForRef(world(), "amko/propose/cluster2/leader", false);
    await editPolicy(cluster, { ttl: 401 });
    await waitForPolicy(clusters, { ttl: 401 });
  });

  test("stays put back when people close the proposal, and asking again proposes it again", async () => {
    tellLogs(world());
    const { git, clusters, polls } = world();
    const cluster = clusterOf(world(), "cluster3");
    await editAmkoCluster(cluster, { isLeader: true });
    await waitForRef(world(), "amko/propose/cluster3/leader", true);
    await waitForLeader(clusters, "cluster1");
    await git("update-ref", "-d", "refs/heads/amko/propose/cluster3/leader");
    await polls(2);
    expect(await refsUnder(world(), "propose/")).toEqual([]);
    expect(await isLeader(cluster)).toBe(false);
    await editAmkoCluster(cluster, { isLeader: true });
    await waitForRef(world(), "amko/propose/cluster3/leader", true);
    await waitForLeader(clusters, "cluster1");
  });

  test("with --local-designation commit becomes that commit, and a promotion", async () => {
    tellLogs(world());
    const { head, clusters } = world();
    const cluster = clusterOf(world(), "cluster2");
    await cluster.agent()?.stop();
    cluster.startAgent({ "local-designation": "commit" });
    await waitForCondition(cluster, "Synced", "True");
    const before = await head();
    await editAmkoCluster(cluster, { isLeader: true });
    const commit = await moved(world(), before);
    expect(await messageOf(world(), commit)).toContain("federation: make cluster2 the leader");
    await waitForLeader(clusters, "cluster2");
    expect(await refsUnder(world(), "propose/")).toEqual([]);
    await leadFrom(world(), "cluster1");
    await cluster.agent()?.stop();
    cluster.startAgent();
  });

  test("and to false on the leader, is put back without a word to git", async () => {
    tellLogs(world());
    const { leader, clusters, head, polls } = world();
    const before = await head();
    await editAmkoCluster(leader, { isLeader: false });
    await waitForLeader(clusters, "cluster1");
    await polls(1);
    expect(await head()).toBe(before);
    expect(await refsUnder(world(), "propose/")).toEqual([]);
  });
});

describe("a chart that writes its values again", () => {
  test("changes neither who leads nor the members: they go back to what git says, and nothing is proposed", async () => {
    tellLogs(world());
    const { clusters, leader, polls, head } = world();
    const before = await head();
    const follower = clusterOf(world(), "cluster2");
    await helmUpgrade(follower, { isLeader: true, clusters: ["cluster2"], clusterContext: "cluster2" });
    await helmUpgrade(leader, { isLeader: false, clusters: [] });
    const clusterNames = ["cluster1", "cluster2", "cluster3"];
    await waitForSpecOf(follower, { isLeader: false, clusters: clusterNames });
    await waitForSpecOf(leader, { isLeader: true, clusters: clusterNames });
    await polls(2);
    await waitForLeader(clusters, "cluster1");
    expect(await refsUnder(world(), "propose/")).toEqual([]);
    expect(await head()).toBe(before);
  });

  test("with a new version keeps it: the cluster holds, says so, and proposes its manifest mended", async () => {
    tellLogs(world());
    const { git, person, settled } = world();
    const follower = clusterOf(world(), "cluster3");
    await helmUpgrade(follower, { version: "1.5.0" });
    await waitForCode(follower, "AG5007");
    await waitForCondition(follower, "Synced", "version mismatch");
    await waitForRef(world(), "amko/propose/cluster3/version", true);
    const proposed = await git("diff", "--unified=0", "--no-color", "main", "amko/propose/cluster3/version");
    expect(proposed.split("\n").filter((line) => /^[-+] /.test(line))).toEqual([
      expect.stringMatching(/^- +"version": "1.4.2"/),
      expect.stringMatching(/^\+ +"version": "?1\.5\.0"?,/),
    ]);
    await waitForSpecOf(follower, { version: "1.5.0" });
    const { leader } = world();
    await editPolicy(leader, { ttl: 402 });
    await waitForPolicy([clusterOf(world(), "cluster2")], { ttl: 402 });
    const held = await follower.objects.get("GlobalDeploymentPolicy", "global-gdp");
    expect(held?.spec).not.toMatchObject({ ttl: 402 });
    // The proposal is kept on top of the branch.
    await waitUntil("the proposal stands on the head", async () => {
      const [base, head] = await Promise.all([
        git("rev-parse", "amko/propose/cluster3/version^"),
        git("rev-parse", "main"),
      ]);
      return base === head;
    });
    // Helm puts it back: nothing is left of it.
    await helmUpgrade(follower, { version: "1.4.2" });
    await waitForPolicy([follower], { ttl: 402 });
    await waitForRef(world(), "amko/propose/cluster3/version", false);
    await settled();
    await person.push({ "docs/note.md": "An upgrade was tried.\n" });
  });

  test("with a new version on the leader stops its exports until the manifest says so too", async () => {
    tellLogs(world());
    const { leader, followers, head, polls, clusters } = world();
    await helmUpgrade(leader, { version: "1.5.0" });
    await waitForCode(leader, "AG5007");
    await waitForRef(world(), "amko/propose/cluster1/version", true);
    const before = await head();
    await editPolicy(leader, { ttl: 403 });
    await polls(2);
    expect(await head()).toBe(before);
    // It neither steps down nor is it deposed.
    await waitForLeader(clusters, "cluster1");
    for (const follower of followers) await helmUpgrade(follower, { version: "1.5.0" });
    for (const { name } of clusters) await waitForRef(world(), `amko/propose/${name}/version`, true);
    for (const { name } of clusters) {
      await waitUntil(`the mended manifest of ${name} lands`, async () =>
        land(world(), `amko/propose/${name}/version`, "squash").then(
          () => true,
          (error: unknown) => String(error),
        ),
      );
    }
    await waitForPolicy(clusters, { ttl: 403 });
    for (const { name } of clusters) await waitForRef(world(), `amko/propose/${name}/version`, false);
    for (const cluster of clusters) await helmUpgrade(cluster, { version: "1.4.2" });
  });
});

test("a fresh install whose values say leader is no designation: the field is put back and nothing is proposed", async () => {
  tellLogs(world());
  const { clusters, polls } = world();
  const cluster = clusterOf(world(), "cluster2");
  await cluster.agent()?.stop();
  const object = await cluster.objects.get("AMKOCluster", AMKO_CLUSTER);
  await cluster.objects.remove("AMKOCluster", AMKO_CLUSTER);
  await cluster.objects.request("DELETE", CONFIG_MAP);
  const spec = { ...(object?.spec as Record<string, Json>), isLeader: true };
  const metadata = { name: AMKO_CLUSTER, namespace: "avi-system" };
  await cluster.objects.create({
    apiVersion: "amko.vmware.com/v1alpha1",
    kind: "AMKOCluster",
    metadata,
    spec,
  });
  cluster.startAgent();
  await waitForLeader(clusters, "cluster1");
  await polls(2);
  expect(await refsUnder(world(), "propose/")).toEqual([]);
  expect((await eventsOf(cluster)).filter(({ message }) => message.includes("AG5020")).length).toBeLessThanOrEqual(1);
});
