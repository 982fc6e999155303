import { afterEach, describe, expect, test, vi } from "vitest";
import type { ManifestFields } from "../../support/builders.ts";
import {
  ALL_FAILED,
  calm,
  editPolicy,
  policyOf,
  WELL,
  waitForCode,
  waitForCondition,
  waitForPolicy,
  withManifest,
} from "../../support/federation.ts";
import { tellLogs, useWorld } from "../use-world.ts";

/** What AMKO's integration tests check of the AMKOCluster itself, said through git. */

/** Several waits follow one another in each test; a small machine may share its cores between many suites. */
vi.setConfig({ testTimeout: 150_000, hookTimeout: 150_000 });

const world = useWorld();

afterEach(() => calm(world()));

const INVALID: readonly (readonly [what: string, fields: ManifestFields, told: string])[] = [
  ["an empty version", { version: "" }, "spec.version is empty"],
  ["another cluster's context", { clusterContext: "cluster9" }, "spec.clusterContext must be cluster1"],
  ["a member list that is no list", { clusters: "cluster2" }, "spec.clusters"],
];

describe("a leader's AMKOCluster", () => {
  test.each(INVALID)("with %s is invalid and federates nothing until it is mended", async (_, fields, told) => {
    tellLogs(world());
    const { leader, followers, person, head, polls } = world();
    const commit = await person.push(withManifest("cluster1", { isLeader: true, ...fields }));
    await waitForCondition(leader, "current AMKOCluster Validation", "invalid AMKOCluster object");
    await waitForCondition(leader, "current AMKOCluster Validation", told);
    await waitForCode(leader, "AG5004");
    const before = await Promise.all(followers.map(policyOf));
    await editPolicy(leader, { ttl: 77 });
    await polls(2);
    expect(await head()).toBe(commit);
    expect(await Promise.all(followers.map(policyOf))).toEqual(before);
    await person.push(withManifest("cluster1", { isLeader: true }));
    await waitForPolicy(followers, { ttl: 77 });
    await waitForCondition(leader, "current AMKOCluster Validation", "valid AMKOCluster object");
    await waitForCondition(leader, "GDP Federation", WELL);
  });

  test("that lists only clusters which nobody knows fails, and nothing is federated to anyone", async () => {
    tellLogs(world());
    const { leader, followers, person, polls } = world();
    await person.push(withManifest("cluster1", { isLeader: true, clusters: ["cluster1", "nowhere"] }));
    await waitForCondition(leader, "member cluster validation", "member cluster clients invalid");
    await waitForCondition(leader, "member cluster validation", "nowhere");
    for (const follower of followers) await waitForCode(follower, "AG5005");
    const before = await Promise.all(followers.map(policyOf));
    await editPolicy(leader, { ttl: 78 });
    await waitForCondition(leader, "GDP Federation", ALL_FAILED);
    await waitForCondition(leader, "GSLBConfig Federation", ALL_FAILED);
    await polls(2);
    expect(await Promise.all(followers.map(policyOf))).toEqual(before);
    await person.push(withManifest("cluster1", { isLeader: true }));
    await waitForPolicy(followers, { ttl: 78 });
  });

  test("that does not list its own cluster federates as one that does", async () => {
    tellLogs(world());
    const { leader, followers, person } = world();
    await person.push(withManifest("cluster1", { isLeader: true, clusters: ["cluster2", "cluster3"] }));
    await editPolicy(leader, { ttl: 79 });
    await waitForPolicy(followers, { ttl: 79 });
    await waitForCondition(leader, "member cluster validation", "validated all member clusters");
    await waitForCondition(leader, "GDP Federation", WELL);
    // AMKO itself panics at its start when its own context is missing.
    const [object] = await leader.objects.list("AMKOCluster");
    expect(object?.spec).toMatchObject({ clusters: ["cluster1", "cluster2", "cluster3"] });
  });
});
