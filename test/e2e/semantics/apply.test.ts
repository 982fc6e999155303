import { afterEach, describe, expect, test, vi } from "vitest";
import { globalDeploymentPolicy } from "../../support/builders.ts";
import {
  calm,
  clusterOf,
  editPolicy,
  FILES,
  GDP,
  GSLB_CONFIG,
  inSync,
  policyOf,
  redefine,
  refsUnder,
  SOME_FAILED,
  specOf,
  WELL,
  waitForCode,
  waitForCondition,
  waitForPolicy,
  waitForRef,
  waitForSpec,
  waitUntilGone,
} from "../../support/federation.ts";
import { AMKO_CLUSTER, LEADER_OBJECTS, objectFrom, type WorldCluster } from "../../support/world.ts";
import { tellLogs, useWorld } from "../use-world.ts";

/** The follower's table of the design, row by row, with real agents. */

/** Several waits follow one another in each test; a small machine may share its cores between many suites. */
vi.setConfig({ testTimeout: 150_000, hookTimeout: 150_000 });

const world = useWorld();

afterEach(() => calm(world()));

async function askAgain({ objects }: WorldCluster): Promise<void> {
  const annotations = { "amko-gitops.io/requested-revision": await world().head() };
  await objects.merge("AMKOCluster", AMKO_CLUSTER, { metadata: { annotations } });
}

/** What only this cluster's agent knows is lost, and its objects are as somebody made them. */
async function asIfNew(cluster: WorldCluster, prepare: () => Promise<unknown>): Promise<void> {
  await cluster.agent()?.stop();
  await cluster.objects.remove("GlobalDeploymentPolicy", GDP);
  await cluster.objects.request("DELETE", "/api/v1/namespaces/avi-system/configmaps/amko-gitops");
  await prepare();
  cluster.startAgent();
}

describe("objects that were there before the agent", () => {
  test("are made equal to the branch; what they held is rescued", async () => {
    tellLogs(world());
    const follower = clusterOf(world(), "cluster2");
    const spec = { ...globalDeploymentPolicy().spec, ttl: 901, defaultDomain: "before.example.com" };
    await asIfNew(follower, () => follower.objects.create(objectFrom(globalDeploymentPolicy({ spec }))));
    await waitForPolicy([follower], { ttl: 10 });
    expect(await policyOf(follower)).not.toHaveProperty("defaultDomain");
    const [rescued] = await refsUnder(world(), "rescue/cluster2/");
    expect(await world().git("show", `${rescued}:${FILES.GlobalDeploymentPolicy}`)).toContain("before.example.com");
  });

  test("under another name are removed, after the branch's own was applied", async () => {
    tellLogs(world());
    const follower = clusterOf(world(), "cluster2");
    const seen: string[] = [];
    await asIfNew(follower, () => follower.objects.create(objectFrom(globalDeploymentPolicy({ name: "older-gdp" }))));
    const stop = await follower.objects.watch("GlobalDeploymentPolicy", ({ type, object }) =>
      seen.push(`${type} ${object.metadata.name}`),
    );
    await waitUntilGone([follower], "GlobalDeploymentPolicy", "older-gdp");
    await waitForPolicy([follower], { ttl: 10 });
    await stop();
    expect(seen.indexOf("DELETED older-gdp")).toBeGreaterThan(seen.indexOf(`ADDED ${GDP}`));
  });

  test("stay where the branch says deleted and they never came from git; the status says so", async () => {
    tellLogs(world());
    const { leader } = world();
    const [stranger, other] = [clusterOf(world(), "cluster2"), clusterOf(world(), "cluster3")];
    await stranger.agent()?.stop();
    await leader.objects.remove("GlobalDeploymentPolicy", GDP);
    await waitUntilGone([other], "GlobalDeploymentPolicy", GDP);
    const spec = { ...globalDeploymentPolicy().spec, ttl: 911 };
    await asIfNew(stranger, () => stranger.objects.create(objectFrom(globalDeploymentPolicy({ spec }))));
    await waitForCode(stranger, "AG5014");
    expect(await policyOf(stranger)).toMatchObject({ ttl: 911 });
    await leader.objects.create(LEADER_OBJECTS.GlobalDeploymentPolicy);
    await waitForPolicy([stranger, other], { ttl: 10 });
  });

  test("go where the branch says deleted and it once held that very content", async () => {
    tellLogs(world());
    const { leader } = world();
    const follower = clusterOf(world(), "cluster2");
    await follower.agent()?.stop();
    await leader.objects.remove("GlobalDeploymentPolicy", GDP);
    await waitUntilGone([clusterOf(world(), "cluster3")], "GlobalDeploymentPolicy", GDP);
    await asIfNew(follower, () => follower.objects.create(LEADER_OBJECTS.GlobalDeploymentPolicy));
    await waitUntilGone([follower], "GlobalDeploymentPolicy", GDP);
    await leader.objects.create(LEADER_OBJECTS.GlobalDeploymentPolicy);
    await waitForPolicy(world().followers, { ttl: 10 });
  });
});

describe("a revision that one follower cannot apply", () => {
  test.each([
    [
      "because its definition allows less",
      (definition: string) => definition.replace('"maximum":86400', '"maximum":100'),
      { ttl: 950 },
      "AG3007",
    ],
    [
      "because its definition is older and drops a field",
      (definition: string) => definition.replace('"defaultDomain":', '"formerDomain":'),
      { defaultDomain: "new.example.com" },
      "AG3008",
    ],
  ] as const)("%s is not applied in part; git and the status say so, until it can", async (_, older, spec, code) => {
    tellLogs(world());
    const { leader, git } = world();
    const [behind, other] = [clusterOf(world(), "cluster2"), clusterOf(world(), "cluster3")];
    await redefine(behind, "GlobalDeploymentPolicy", older);
    const before = await policyOf(behind);
    await leader.agent()?.stop();
    // Both kinds change in one revision.
    await editPolicy(leader, spec);
    await leader.objects.merge("GSLBConfig", GSLB_CONFIG, { spec: { logLevel: "ERROR" } });
    leader.startAgent();
    await waitForPolicy([other], spec);
    await waitForSpec([other], "GSLBConfig", GSLB_CONFIG, { logLevel: "ERROR" });
    await waitForRef(world(), "amko/failed/cluster2", true);
    await waitForCode(behind, code);
    const told = await git("show", "amko/failed/cluster2:status.yaml");
    expect(told).toContain(`code: ${code}`);
    expect(told).toContain(`revision: ${await world().head()}`);
    expect(await policyOf(behind)).toEqual(before);
    expect(await specOf(behind, "GSLBConfig", GSLB_CONFIG)).toMatchObject({ logLevel: "INFO" });
    await waitForCondition(leader, "GDP Federation", SOME_FAILED);
    await waitForCondition(leader, "GDP Federation", "cluster2");
    await redefine(behind, "GlobalDeploymentPolicy", (definition) => definition);
    // Nothing tells the agent that the definition is another: it tries again by itself, or when it is asked to.
    if (code === "AG3007") await askAgain(behind);
    await waitForRef(world(), "amko/failed/cluster2", false);
    await waitForPolicy([behind], spec);
    await waitForSpec([behind], "GSLBConfig", GSLB_CONFIG, { logLevel: "ERROR" });
    await waitForCondition(leader, "GDP Federation", WELL);
    await inSync(world());
  });
});
