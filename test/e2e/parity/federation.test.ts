import { afterEach, describe, expect, test, vi } from "vitest";
import { UUID_ANNOTATION } from "../../../src/core/model.ts";
import { contentOf } from "../../../src/core/snapshot.ts";
import { gslbConfig, UUID } from "../../support/builders.ts";
import {
  ALL_FAILED,
  calm,
  clusterOf,
  editPolicy,
  FILES,
  flipTo,
  GDP,
  GSLB_CONFIG,
  isLeader,
  moved,
  policyOf,
  SOME_FAILED,
  WELL,
  waitForCode,
  waitForCondition,
  waitForPolicy,
  waitForSpec,
  waitUntilGone,
  withManifest,
} from "../../support/federation.ts";
import { AMKO_CLUSTER, amkoClusterOf, LEADER_OBJECTS, objectFrom, waitUntil } from "../../support/world.ts";
import { tellLogs, useWorld } from "../use-world.ts";

/** What AMKO's integration tests check of federation between clusters, said through git. */

/** Several waits follow one another in each test; a small machine may share its cores between many suites. */
vi.setConfig({ testTimeout: 150_000, hookTimeout: 150_000 });

const world = useWorld({ agentFlags: { "stale-after": "2s" } });

afterEach(() => calm(world()));

describe("the objects", () => {
  test("are federated, the GSLBConfig with its UUID, and the leader's status says so in AMKO's words", async () => {
    tellLogs(world());
    const { leader, followers, settled } = world();
    await settled();
    for (const { objects } of followers) {
      const config = await objects.get("GSLBConfig", GSLB_CONFIG);
      expect(config?.spec).toEqual(LEADER_OBJECTS.GSLBConfig.spec);
      expect(config?.metadata.annotations?.[UUID_ANNOTATION]).toBe(UUID);
      const policy = await objects.get("GlobalDeploymentPolicy", GDP);
      expect(policy?.spec).toEqual(LEADER_OBJECTS.GlobalDeploymentPolicy.spec);
    }
    await waitForCondition(leader, "GDP Federation", WELL);
    const [object] = await leader.objects.list("AMKOCluster");
    expect(object?.status).toMatchObject({
      conditions: expect.arrayContaining([
        { type: "current AMKOCluster Validation", status: "valid AMKOCluster object", reason: "" },
        { type: "member cluster initialisation", status: "all cluster clients fetched", reason: "" },
        { type: "member cluster validation", status: "validated all member clusters", reason: "" },
        { type: "GSLBConfig Federation", status: "federated to all valid clusters successfully", reason: "" },
        { type: "GDP Federation", status: "federated to all valid clusters successfully", reason: "" },
      ]),
    });
  });

  test("are updated everywhere when the leader's are: GDP, GSLBConfig and its UUID", async () => {
    tellLogs(world());
    const { leader, followers } = world();
    await editPolicy(leader, { ttl: 31 });
    await waitForPolicy(followers, { ttl: 31 });
    const uuid = "00000000-1111-4222-8333-444444444444";
    await leader.objects.merge("GSLBConfig", GSLB_CONFIG, {
      metadata: { annotations: { [UUID_ANNOTATION]: uuid } },
      spec: { logLevel: "WARN" },
    });
    await waitForSpec(followers, "GSLBConfig", GSLB_CONFIG, { logLevel: "WARN" });
    for (const { objects } of followers) {
      expect((await objects.get("GSLBConfig", GSLB_CONFIG))?.metadata.annotations?.[UUID_ANNOTATION]).toBe(uuid);
    }
    // AMKO took a new identity; for the next tests it takes the old one again.
    await leader.objects.merge("GSLBConfig", GSLB_CONFIG, { metadata: { annotations: { [UUID_ANNOTATION]: UUID } } });
    await waitUntil("the old UUID is everywhere again", async () => {
      for (const { objects } of followers) {
        const config = await objects.get("GSLBConfig", GSLB_CONFIG);
        if (config?.metadata.annotations?.[UUID_ANNOTATION] !== UUID) return false;
      }
      return true;
    });
  });

  test.each([
    ["GlobalDeploymentPolicy", GDP],
    ["GSLBConfig", GSLB_CONFIG],
  ] as const)("are deleted everywhere when the leader's is: %s, and created again with it", async (kind, name) => {
    tellLogs(world());
    const { leader, followers, head, git } = world();
    const before = await head();
    await leader.objects.remove(kind, name);
    await waitUntilGone(followers, kind, name);
    const commit = await moved(world(), before);
    expect(await git("show", `${commit}:${FILES[kind]}`)).toContain("amko-gitops.io/deleted: deleted on cluster1");
    await leader.objects.create(LEADER_OBJECTS[kind]);
    await waitForSpec(followers, kind, name, LEADER_OBJECTS[kind].spec as Record<string, string>);
  });

  test("that a member has two of are consolidated to the leader's one", async () => {
    tellLogs(world());
    const { followers, leader } = world();
    const [member] = followers;
    if (member === undefined) throw new TypeError("nobody follows");
    await member.objects.create(objectFrom(gslbConfig({ name: "gc-2", annotations: {} })));
    await member.objects.create({
      ...LEADER_OBJECTS.GlobalDeploymentPolicy,
      metadata: { ...LEADER_OBJECTS.GlobalDeploymentPolicy.metadata, name: "second-gdp" },
    });
    await waitUntilGone([member], "GSLBConfig", "gc-2");
    await waitUntilGone([member], "GlobalDeploymentPolicy", "second-gdp");
    for (const [kind, name] of [
      ["GSLBConfig", GSLB_CONFIG],
      ["GlobalDeploymentPolicy", GDP],
    ] as const) {
      const [wanted, found] = await Promise.all([leader.objects.get(kind, name), member.objects.list(kind)]);
      expect(found).toHaveLength(1);
      expect(found[0] && contentOf(found[0])).toEqual(wanted && contentOf(wanted));
    }
  });
});

describe("member clusters", () => {
  test("of another version get nothing, and the status fails; once the version matches both are well", async () => {
    tellLogs(world());
    const { leader, followers, person } = world();
    const [first, second] = followers;
    if (first === undefined || second === undefined) throw new TypeError("two have to follow");
    await person.push({
      ...withManifest("cluster2", { version: "1.5.0" }),
      ...withManifest("cluster3", { version: "1.5.0" }),
    });
    await waitForCondition(leader, "member cluster validation", "member cluster clients invalid");
    await waitForCondition(
      leader,
      "member cluster validation",
      "version mismatch, current AMKO: 1.4.2, AMKO in cluster cluster2: 1.5.0",
    );
    await waitForCondition(leader, "GDP Federation", ALL_FAILED);
    for (const follower of followers) await waitForCode(follower, "AG5007");
    const before = await policyOf(second);
    await editPolicy(leader, { ttl: 41 });
    await person.push(withManifest("cluster2", {}));
    await waitForPolicy([first], { ttl: 41 });
    await waitForCondition(leader, "member cluster validation", "error in validating some member clusters");
    await waitForCondition(leader, "GDP Federation", SOME_FAILED);
    expect(await policyOf(second)).toEqual(before);
    await person.push(withManifest("cluster3", {}));
    await waitForPolicy([second], { ttl: 41 });
    await waitForCondition(leader, "GDP Federation", WELL);
    await waitForCondition(leader, "member cluster validation", "validated all member clusters");
  });

  test("without an AMKOCluster get nothing, and the status fails; once there is one both are well", async () => {
    tellLogs(world());
    const { leader } = world();
    const member = clusterOf(world(), "cluster2");
    await member.objects.remove("AMKOCluster", AMKO_CLUSTER);
    const before = await policyOf(member);
    await editPolicy(leader, { ttl: 42 });
    await waitForPolicy([clusterOf(world(), "cluster3")], { ttl: 42 });
    await waitForCondition(leader, "GDP Federation", SOME_FAILED);
    await waitForCondition(leader, "GDP Federation", "cluster2");
    expect(await policyOf(member)).toEqual(before);
    await member.objects.create(amkoClusterOf("cluster2"));
    await waitForPolicy([member], { ttl: 42 });
    await waitForCondition(leader, "GDP Federation", WELL);
  });

  test("of which one is a leader too stop everything; once it follows everything goes on", async () => {
    tellLogs(world());
    const { leader, clusters, followers, person, head, polls } = world();
    const commit = await person.slip(withManifest("cluster2", { isLeader: true }));
    for (const cluster of clusters) {
      await waitForCode(cluster, "AG5002");
      await waitForCondition(cluster, "member cluster validation", "member cluster clients invalid");
      await waitForCondition(cluster, "member cluster validation", "is also a leader, conflicting state");
    }
    const before = await Promise.all(followers.map(policyOf));
    await editPolicy(leader, { ttl: 43 });
    await polls(2);
    expect(await head()).toBe(commit);
    expect(await Promise.all(followers.map(policyOf))).toEqual(before);
    // Nobody's AMKO is restarted by a conflict.
    expect(await Promise.all(clusters.map(isLeader))).toEqual([true, false, false]);
    await person.push(flipTo("cluster1"));
    await waitForPolicy(followers, { ttl: 43 });
    await waitForCondition(leader, "GDP Federation", WELL);
  });
});
