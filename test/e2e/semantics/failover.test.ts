import { afterEach, expect, test, vi } from "vitest";
import {
  clusterOf,
  editPolicy,
  FILES,
  flipTo,
  inSync,
  isLeader,
  leadFrom,
  moved,
  policyOf,
  refsUnder,
  waitForCode,
  waitForCondition,
  waitForLeader,
  waitForPolicy,
  waitForRef,
  withManifest,
} from "../../support/federation.ts";
import { waitUntil } from "../../support/world.ts";
import { tellLogs, useWorld } from "../use-world.ts";

/** Promotion while the former leader does not answer, and what it does when it comes back. */

/** Several waits follow one another in each test; a small machine may share its cores between many suites. */
vi.setConfig({ testTimeout: 150_000, hookTimeout: 150_000 });

const world = useWorld({ agentFlags: { "handover-timeout": "2s" } });

const WITHOUT = "amko-gitops.io/handover-without";

/** The agent and the API server die as in a disaster. */
async function powerOff(name: string): Promise<void> {
  const cluster = clusterOf(world(), name);
  await cluster.agent()?.kill();
  await cluster.crash();
}

async function powerOn(name: string): Promise<void> {
  const cluster = clusterOf(world(), name);
  await cluster.restart();
  cluster.startAgent();
}

/** The agents run with the flags of the world, or with others. */
async function restartAgent(name: string, flags: Readonly<Record<string, string>> = {}): Promise<void> {
  const cluster = clusterOf(world(), name);
  await cluster.agent()?.stop();
  cluster.startAgent(flags);
}

/** Everybody back, cluster1 leading. */
afterEach(async () => {
  for (const { name } of world().clusters) await powerOn(name);
  await leadFrom(world(), "cluster1");
});

test("a former leader that never answers is waited for, then left behind; when it returns it follows", async () => {
  tellLogs(world());
  const { person, followers, leader, git } = world();
  const next = clusterOf(world(), "cluster2");
  await powerOff("cluster1");
  await person.push(flipTo("cluster2"));
  await waitForCode(next, "AG5011");
  // Nobody claims office for somebody else: the dead leader's ref stands until its own agent takes it down.
  await waitForLeader(followers, "cluster2");
  expect(await refsUnder(world(), "leading/")).toEqual(["amko/leading/cluster1", "amko/leading/cluster2"]);
  await editPolicy(next, { ttl: 301 });
  await waitForPolicy(followers, { ttl: 301 });
  const before = await world().head();
  await leader.restart();
  // What somebody does in the dead leader's cluster, before its agent is back, is kept but does not count.
  await editPolicy(leader, { ttl: 999 });
  leader.startAgent();
  await waitForLeader(world().clusters, "cluster2");
  await waitForPolicy([leader], { ttl: 301 });
  await inSync(world());
  expect(await world().head()).toBe(before);
  expect(await refsUnder(world(), "leading/")).toEqual(["amko/leading/cluster2"]);
  const [rescued] = await refsUnder(world(), "rescue/cluster1/");
  expect(await git("show", `${rescued}:${FILES.GlobalDeploymentPolicy}`)).toContain("ttl: 999");
});

test("with --handover-timeout never the new leader waits until the former one has stepped down", async () => {
  tellLogs(world());
  const { person, polls, followers, leader } = world();
  await restartAgent("cluster2", { "handover-timeout": "never" });
  await powerOff("cluster1");
  await person.push(flipTo("cluster2"));
  const next = clusterOf(world(), "cluster2");
  await waitForCode(next, "AG5011");
  await polls(5);
  expect(await Promise.all(followers.map(isLeader))).toEqual([false, false]);
  await waitForCondition(next, "Synced", "cluster1 has not confirmed");
  // The others go on following what the branch says.
  await waitForPolicy(followers, await policyOf(followers[1] ?? leader));
  await powerOn("cluster1");
  await waitForLeader(world().clusters, "cluster2");
  expect(await refsUnder(world(), "leading/")).toEqual(["amko/leading/cluster2"]);
  await restartAgent("cluster2");
});

test("handover-without in the flip itself spares the wait for the clusters that it names", async () => {
  tellLogs(world());
  const { person, followers } = world();
  const next = clusterOf(world(), "cluster2");
  await restartAgent("cluster2", { "handover-timeout": "never" });
  await powerOff("cluster1");
  await person.push(flipTo("cluster2", { [WITHOUT]: "cluster1" }));
  // It would wait for ever.
  await waitForLeader(followers, "cluster2");
  expect(await refsUnder(world(), "leading/")).toContain("amko/leading/cluster1");
  await editPolicy(next, { ttl: 303 });
  await waitForPolicy(followers, { ttl: 303 });
  await restartAgent("cluster2");
});

test("handover-without that came after the flip, or names somebody else, spares nothing", async () => {
  tellLogs(world());
  const { person, followers, polls } = world();
  const next = clusterOf(world(), "cluster2");
  await restartAgent("cluster2", { "handover-timeout": "never" });
  await powerOff("cluster1");
  await person.push(flipTo("cluster2", { [WITHOUT]: "cluster3" }));
  await waitForCode(next, "AG5011");
  await polls(2);
  expect(await Promise.all(followers.map(isLeader))).toEqual([false, false]);
  await person.push(withManifest("cluster2", { isLeader: true }, { [WITHOUT]: "cluster1,cluster3" }));
  await polls(3);
  expect(await Promise.all(followers.map(isLeader))).toEqual([false, false]);
  await waitForCode(next, "AG5011");
  await powerOn("cluster1");
  await waitForLeader(world().clusters, "cluster2");
  await restartAgent("cluster2");
});

test("a former leader that cannot reach git keeps its office, until it can and sees who leads", async () => {
  tellLogs(world());
  const { person, leader, followers, head } = world();
  const next = clusterOf(world(), "cluster2");
  leader.gitProxy.setRules([{ match: {}, fault: { kind: "refuse" } }]);
  const flip = await person.push(flipTo("cluster2"));
  await waitForLeader(followers, "cluster2");
  await waitUntil("the former leader says that it cannot see", async () => {
    const { status } = await leader.condition("Synced");
    return status === "Unknown" || status;
  });
  expect(await isLeader(leader)).toBe(true);
  await editPolicy(leader, { ttl: 888 });
  await editPolicy(next, { ttl: 305 });
  const commit = await moved(world(), flip);
  leader.gitProxy.clear();
  await waitForLeader(world().clusters, "cluster2");
  await waitForPolicy(world().clusters, { ttl: 305 });
  expect(await head()).toBe(commit);
  await waitForRef(world(), "amko/leading/cluster1", false);
});

test("a new leader that dies half-way into office takes it when it starts again", async () => {
  tellLogs(world());
  const { person, leader, clusters } = world();
  const next = clusterOf(world(), "cluster2");
  await leader.agent()?.stop();
  await person.push(flipTo("cluster2"));
  await waitForRef(world(), "amko/leading/cluster2", true);
  await next.agent()?.kill();
  leader.startAgent();
  await waitForRef(world(), "amko/leading/cluster1", false);
  expect(await isLeader(next)).toBe(false);
  next.startAgent();
  await waitForLeader(clusters, "cluster2");
  await inSync(world());
});

test("a new leader that dies half-way into office and finds another flip when it starts again takes its claim down", async () => {
  tellLogs(world());
  const { person, leader, clusters } = world();
  const next = clusterOf(world(), "cluster2");
  await restartAgent("cluster2", { "handover-timeout": "never" });
  await leader.agent()?.stop();
  await person.push(flipTo("cluster2"));
  await waitForRef(world(), "amko/leading/cluster2", true);
  await next.agent()?.kill();
  await person.push(flipTo("cluster3"));
  next.startAgent();
  await waitForRef(world(), "amko/leading/cluster2", false);
  leader.startAgent();
  await waitForLeader(clusters, "cluster3");
  await waitForRef(world(), "amko/leading/cluster1", false);
});

test("a claim that somebody deleted is pushed anew, and the leader goes on leading", async () => {
  tellLogs(world());
  const { git, clusters, leader } = world();
  await git("update-ref", "-d", "refs/heads/amko/leading/cluster1");
  // A leader looks at every ref when something wakes it.
  await editPolicy(leader, { ttl: 308 });
  await waitForRef(world(), "amko/leading/cluster1", true);
  await waitForPolicy(clusters, { ttl: 308 });
  await waitForLeader(clusters, "cluster1");
});
