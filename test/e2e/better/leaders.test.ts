import { afterEach, expect, test, vi } from "vitest";
import {
  calm,
  clusterOf,
  editPolicy,
  flipTo,
  inSync,
  isLeader,
  leadFrom,
  WELL,
  waitForCondition,
  waitForEvent,
  waitForLeader,
  waitForPolicy,
  waitForRef,
  watchOffices,
  withManifest,
} from "../../support/federation.ts";
import { waitUntil } from "../../support/world.ts";
import { tellLogs, useWorld } from "../use-world.ts";

/** Where AMKO's federator lets two lead, or does not recover from it. Each of these fails on AMKO's behaviour. */

/** Several waits follow one another in each test; a small machine may share its cores between many suites. */
vi.setConfig({ testTimeout: 150_000, hookTimeout: 150_000 });

const world = useWorld({ agentFlags: { "handover-timeout": "2s" } });

afterEach(() => calm(world()));

test("two leaders are told in every cluster while they are there; resolved, federation goes on and every status is true", async () => {
  tellLogs(world());
  const { leader, clusters, person } = world();
  await person.slip(withManifest("cluster2", { isLeader: true }));
  for (const cluster of clusters) {
    await waitForCondition(cluster, "Synced", "False AG5002");
    await waitForEvent(cluster, "Held", "is also a leader, conflicting state");
    // Nothing of an earlier success is left to be read.
    expect((await cluster.condition("GDP Federation")).status).not.toBe(WELL);
  }
  await editPolicy(leader, { ttl: 801 });
  await person.push(withManifest("cluster2", {}));
  await waitForPolicy(clusters, { ttl: 801 });
  await inSync(world());
  await waitForCondition(leader, "GDP Federation", WELL);
  await waitForCondition(leader, "member cluster validation", "validated all member clusters");
  await waitForCondition(clusterOf(world(), "cluster2"), "current AMKOCluster Validation", "AMKO not a leader");
});

test("an old leader that nobody could reach steps down by itself when it is back", async () => {
  tellLogs(world());
  const { leader, followers, clusters, person } = world();
  const next = clusterOf(world(), "cluster2");
  await leader.agent()?.kill();
  await leader.crash();
  await person.push(flipTo("cluster2"));
  await waitForLeader(followers, "cluster2");
  await editPolicy(next, { ttl: 811 });
  await waitForPolicy(followers, { ttl: 811 });
  await leader.restart();
  expect(await isLeader(leader)).toBe(true);
  leader.startAgent();
  await waitForLeader(clusters, "cluster2");
  await waitForPolicy([leader], { ttl: 811 });
  await waitForRef(world(), "amko/leading/cluster1", false);
  await waitForEvent(leader, "SteppedDown", "This cluster does not lead by the branch");
  await leadFrom(world(), "cluster1");
});

test("while clusters cannot reach each other at all, a handover through git never makes two leaders", async () => {
  tellLogs(world());
  const { clusters } = world();
  // No agent has a way to another cluster in the first place: git is all that they share.
  const offices = watchOffices(clusters);
  await leadFrom(world(), "cluster2");
  await leadFrom(world(), "cluster3");
  await leadFrom(world(), "cluster1");
  expect(await offices.stop()).toEqual([]);
});

test("a second leader that somebody makes by hand is put back at once, and the first one goes on", async () => {
  tellLogs(world());
  const { leader, clusters } = world();
  const follower = clusterOf(world(), "cluster3");
  const [object] = await follower.objects.list("AMKOCluster");
  if (object === undefined) throw new TypeError("AMKO is not installed");
  await follower.objects.merge("AMKOCluster", object.metadata.name, { spec: { isLeader: true } });
  await waitForRef(world(), "amko/propose/cluster3/leader", true);
  await waitForLeader(clusters, "cluster1");
  await editPolicy(leader, { ttl: 821 });
  await waitForPolicy(clusters, { ttl: 821 });
  await waitUntil("nothing of it is left", async () => !(await isLeader(follower)));
});
