import { afterEach, describe, expect, test, vi } from "vitest";
import {
  calm,
  clusterOf,
  editPolicy,
  inSync,
  isLeader,
  policyOf,
  refsUnder,
  waitForCode,
  waitForCondition,
  waitForEvent,
  waitForPolicy,
  withManifest,
} from "../../support/federation.ts";
import { setBranch } from "../../support/git.ts";
import { AMKO_CLUSTER, type WorldCluster, waitUntil } from "../../support/world.ts";
import { tellLogs, useWorld } from "../use-world.ts";

/** Clusters that stand aside: no members, impostors, suspended, halted, or told to report only. */

/** Several waits follow one another in each test; a small machine may share its cores between many suites. */
vi.setConfig({ testTimeout: 150_000, hookTimeout: 150_000 });

const world = useWorld();

afterEach(() => calm(world()));

async function annotate({ objects }: WorldCluster, annotations: Record<string, string | null>): Promise<void> {
  await objects.merge("AMKOCluster", AMKO_CLUSTER, { metadata: { annotations } });
}

async function restart(cluster: WorldCluster, flags: Readonly<Record<string, string>> = {}): Promise<void> {
  await cluster.agent()?.stop();
  cluster.startAgent(flags);
}

test("a cluster outside the leader's list applies nothing, and says so; listed, it catches up", async () => {
  tellLogs(world());
  const { leader, person } = world();
  const [outside, member] = [clusterOf(world(), "cluster3"), clusterOf(world(), "cluster2")];
  await person.push(withManifest("cluster1", { isLeader: true, clusters: ["cluster1", "cluster2"] }));
  await waitForCode(outside, "AG5005");
  const before = await policyOf(outside);
  await editPolicy(leader, { ttl: 1001 });
  await waitForPolicy([member], { ttl: 1001 });
  // Nor does anybody put right there what is none of the federation's business.
  await editPolicy(outside, { ttl: 5 });
  await world().polls(2);
  expect(await policyOf(outside)).toEqual({ ...before, ttl: 5 });
  await person.push(withManifest("cluster1", { isLeader: true }));
  await waitForPolicy([outside], { ttl: 1001 });
});

test("a second cluster under one name stands aside: it writes nothing but isLeader: false", async () => {
  tellLogs(world());
  const { leader, refs } = world();
  const impostor = clusterOf(world(), "cluster2");
  await inSync(world());
  await restart(impostor, { cluster: "cluster3" });
  await waitForCode(impostor, "AG5008");
  await waitForCondition(impostor, "Synced", "another cluster as cluster3");
  const before = await refs();
  const held = await policyOf(impostor);
  await editPolicy(leader, { ttl: 1011 });
  await waitForPolicy([clusterOf(world(), "cluster3")], { ttl: 1011 });
  await impostor.objects.merge("AMKOCluster", AMKO_CLUSTER, { spec: { isLeader: true } });
  await waitUntil("it does not lead", async () => !(await isLeader(impostor)));
  expect(await policyOf(impostor)).toEqual(held);
  const after = await refs();
  for (const purpose of ["identity", "propose", "rescue", "failed"]) {
    const of = (found: typeof before) => [...found].filter(([ref]) => ref.startsWith(`amko/${purpose}/`));
    expect(of(after)).toEqual(of(before));
  }
  expect(after.get("amko/applied/cluster2")).toBe(before.get("amko/applied/cluster2"));
  await restart(impostor);
  await waitForPolicy([impostor], { ttl: 1011 });
});

describe("a suspended agent", () => {
  test("leaves its cluster alone until the suspension ends, and says until when and why", async () => {
    tellLogs(world());
    const { leader } = world();
    const follower = clusterOf(world(), "cluster2");
    const until = new Date(Date.now() + 3_600_000).toISOString();
    await annotate(follower, {
      "amko-gitops.io/suspended-until": until,
      "amko-gitops.io/suspend-reason": "CHG-77 load test",
    });
    await waitForCode(follower, "AG5015");
    await waitForCondition(follower, "Synced", "CHG-77 load test");
    await waitForCondition(follower, "Synced", until);
    await editPolicy(follower, { ttl: 3 });
    await editPolicy(leader, { ttl: 1021 });
    await waitForPolicy([clusterOf(world(), "cluster3")], { ttl: 1021 });
    await world().polls(1);
    expect(await policyOf(follower)).toMatchObject({ ttl: 3 });
    // It ends by itself.
    await annotate(follower, { "amko-gitops.io/suspended-until": new Date(Date.now() + 1500).toISOString() });
    await waitForPolicy([follower], { ttl: 1021 });
  });

  test("needs an end and a reason: without both it is not suspended", async () => {
    tellLogs(world());
    const { leader } = world();
    const follower = clusterOf(world(), "cluster2");
    await annotate(follower, {
      "amko-gitops.io/suspended-until": new Date(Date.now() + 3_600_000).toISOString(),
      "amko-gitops.io/suspend-reason": null,
    });
    await editPolicy(leader, { ttl: 1022 });
    await waitForPolicy([follower], { ttl: 1022 });
    await annotate(follower, {
      "amko-gitops.io/suspended-until": "for ever",
      "amko-gitops.io/suspend-reason": "because",
    });
    await editPolicy(leader, { ttl: 1023 });
    await waitForPolicy([follower], { ttl: 1023 });
    await annotate(follower, {
      "amko-gitops.io/suspended-until": null,
      "amko-gitops.io/suspend-reason": null,
    });
  });
});

describe("drift", () => {
  test("with --drift report is told and left; the next change of the branch puts it right", async () => {
    tellLogs(world());
    const { leader } = world();
    const follower = clusterOf(world(), "cluster2");
    await restart(follower, { drift: "report" });
    await inSync(world());
    await editPolicy(follower, { ttl: 4 });
    await waitForCode(follower, "AG5013");
    await waitForCondition(follower, "Synced", "spec.ttl");
    await world().polls(1);
    expect(await policyOf(follower)).toMatchObject({ ttl: 4 });
    await editPolicy(leader, { ttl: 1031 });
    await waitForPolicy([follower], { ttl: 1031 });
    await restart(follower);
  });

  test("that somebody keeps making is put back more and more slowly, and people are told who does it", async () => {
    tellLogs(world());
    const follower = clusterOf(world(), "cluster3");
    for (let round = 1; round <= 3; round += 1) {
      await editPolicy(follower, { ttl: round });
      await waitForPolicy([follower], { ttl: 10 });
    }
    await editPolicy(follower, { ttl: 4 });
    await waitForCode(follower, "AG5019");
    await waitForCondition(follower, "Synced", "kubectl-edit");
    await waitForEvent(follower, "Held", "AG5019");
    expect(await policyOf(follower)).toMatchObject({ ttl: 4 });
    // It comes back to it.
    await waitForPolicy([follower], { ttl: 10 });
  });
});

describe("a branch that was rewritten", () => {
  test("halts every agent until somebody accepts it there", async () => {
    tellLogs(world());
    const { leader, clusters, head, repositoryFolder, git } = world();
    const older = await inSync(world());
    await editPolicy(leader, { ttl: 1041 });
    await waitForPolicy(clusters, { ttl: 1041 });
    const newer = await inSync(world());
    const tree = await git("rev-parse", `${older}^{tree}`);
    const rewritten = await git(
      "-c",
      "user.name=Somebody",
      "-c",
      "user.email=somebody@example.com",
      "commit-tree",
      tree,
      "-p",
      older,
      "-m",
      "Rewritten",
    );
    await setBranch(repositoryFolder, "main", rewritten as typeof older);
    for (const cluster of clusters) {
      await waitForCode(cluster, "AG2007");
      await waitForCondition(cluster, "Synced", newer);
      await waitForCondition(cluster, "Synced", rewritten);
    }
    await editPolicy(leader, { ttl: 1042 });
    await world().polls(2);
    expect(await head()).toBe(rewritten);
    for (const cluster of clusters.slice(1)) expect(await policyOf(cluster)).toMatchObject({ ttl: 1041 });
    for (const cluster of clusters) await annotate(cluster, { "amko-gitops.io/accept-rewrite": rewritten });
    await inSync(world());
    for (const cluster of clusters) await annotate(cluster, { "amko-gitops.io/accept-rewrite": null });
    const wanted = await policyOf(leader);
    for (const cluster of clusters) expect(await policyOf(cluster)).toEqual(wanted);
    // Nothing that a person wrote is lost: it leads, or it is kept.
    const kept = await Promise.all(
      (await refsUnder(world(), "rescue/cluster1/")).map((ref) => git("grep", "-h", "ttl:", ref)),
    );
    expect([...kept, JSON.stringify(wanted)].join()).toContain("1042");
  });

  test("to an older revision halts too; put back, everything goes on by itself", async () => {
    tellLogs(world());
    const { leader, clusters, repositoryFolder } = world();
    const older = await inSync(world());
    await editPolicy(leader, { ttl: 1051 });
    await waitForPolicy(clusters, { ttl: 1051 });
    const newer = await inSync(world());
    await setBranch(repositoryFolder, "main", older);
    for (const cluster of clusters) await waitForCondition(cluster, "Synced", "was put back to an older revision");
    for (const cluster of clusters) expect(await policyOf(cluster)).toMatchObject({ ttl: 1051 });
    await setBranch(repositoryFolder, "main", newer);
    await inSync(world());
  });
});
