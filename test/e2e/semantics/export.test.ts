import { afterEach, describe, expect, test, vi } from "vitest";
import { UUID_ANNOTATION } from "../../../src/core/model.ts";
import { globalDeploymentPolicy, gslbConfig, UUID } from "../../support/builders.ts";
import {
  calm,
  editPolicy,
  FILES,
  GDP,
  GSLB_CONFIG,
  inSync,
  messageOf,
  moved,
  policyOf,
  refsUnder,
  specOf,
  waitForCode,
  waitForCondition,
  waitForPolicy,
  waitForRef,
  waitForSpec,
  waitUntilGone,
} from "../../support/federation.ts";
import { AMKO_CLUSTER, amkoClusterOf, LEADER_OBJECTS, objectFrom, waitUntil } from "../../support/world.ts";
import { tellLogs, useWorld } from "../use-world.ts";

/** The leader's table of the design, row by row, with real agents. */

/** Several waits follow one another in each test; a small machine may share its cores between many suites. */
vi.setConfig({ testTimeout: 150_000, hookTimeout: 150_000 });

const world = useWorld();
const POLICY_FILE = FILES.GlobalDeploymentPolicy;

afterEach(() => calm(world()));

/** A snapshot of the GDP as a person would commit it. */
function policyText(changes: Record<string, unknown>, name = GDP): string {
  const spec = { ...globalDeploymentPolicy().spec, ...changes } as ReturnType<typeof globalDeploymentPolicy>["spec"];
  return `${JSON.stringify(objectFrom(globalDeploymentPolicy({ name, spec })), null, 2)}\n`;
}

/** Keeps the leader's agent away while something is prepared. */
async function whileAgentIsAway(prepare: () => Promise<unknown>): Promise<void> {
  const { leader } = world();
  await leader.agent()?.stop();
  await prepare();
  leader.startAgent();
}

describe("a change in git alone", () => {
  test("is applied to the leader's own cluster, and not exported back", async () => {
    tellLogs(world());
    const { person, clusters, head } = world();
    const commit = await person.push({ [POLICY_FILE]: policyText({ ttl: 501 }) });
    await waitForPolicy(clusters, { ttl: 501 });
    expect(await inSync(world())).toBe(commit);
    // So is a rollback: a new commit with older content.
    const rollback = await person.push({ [POLICY_FILE]: policyText({}) });
    await waitForPolicy(clusters, { ttl: 10 });
    await inSync(world());
    expect(await head()).toBe(rollback);
  });

  test("by a tombstone deletes the object everywhere, also on the leader", async () => {
    tellLogs(world());
    const { person, clusters, git } = world();
    const text = await git("show", `main:${FILES.GlobalDeploymentPolicy}`);
    const tombstone = JSON.stringify({
      ...objectFrom(globalDeploymentPolicy()),
      metadata: {
        name: GDP,
        namespace: "avi-system",
        annotations: { "amko-gitops.io/deleted": "not needed any more" },
      },
    });
    const commit = await person.push({ [POLICY_FILE]: tombstone });
    await waitUntilGone(clusters, "GlobalDeploymentPolicy", GDP);
    await inSync(world());
    expect(await world().head()).toBe(commit);
    await person.push({ [POLICY_FILE]: `${text}\n` });
    await waitForPolicy(clusters, { ttl: 10 });
  });

  test("that loses or changes the UUID is applied without that, and healed", async () => {
    tellLogs(world());
    const { person, clusters, git } = world();
    const spec = { ...gslbConfig().spec, refreshInterval: 61 };
    for (const annotations of [{}, { [UUID_ANNOTATION]: "11111111-2222-4333-8444-555555555555" }]) {
      const changed = { ...spec, refreshInterval: Number(spec.refreshInterval) + Object.keys(annotations).length };
      const commit = await person.push({
        [FILES.GSLBConfig]: JSON.stringify(objectFrom(gslbConfig({ annotations, spec: changed }))),
      });
      await waitForSpec(clusters, "GSLBConfig", GSLB_CONFIG, { refreshInterval: changed.refreshInterval });
      await moved(world(), commit);
      await inSync(world());
      expect(await git("show", `main:${FILES.GSLBConfig}`)).toContain(UUID);
      for (const { objects } of clusters) {
        const object = await objects.get("GSLBConfig", GSLB_CONFIG);
        expect(object?.metadata.annotations?.[UUID_ANNOTATION]).toBe(UUID);
      }
    }
  });
});

describe("changes on both sides", () => {
  test("of different fields are merged: both are everywhere", async () => {
    tellLogs(world());
    const { person, leader, clusters, git } = world();
    let commit = "";
    await whileAgentIsAway(async () => {
      commit = await person.push({ [POLICY_FILE]: policyText({ ttl: 511 }) });
      await editPolicy(leader, { defaultDomain: "both.example.com" });
    });
    await waitForPolicy(clusters, { ttl: 511, defaultDomain: "both.example.com" });
    await inSync(world());
    const message = await messageOf(world(), await world().head());
    expect(message).toContain("spec.defaultDomain");
    expect(message).not.toContain("Supersedes:");
    expect(await git("rev-parse", "main^")).toBe(commit);
  });

  test("of one field leave the cluster's value, and the commit names the one that it overrides", async () => {
    tellLogs(world());
    const { person, leader, clusters } = world();
    let commit = "";
    await whileAgentIsAway(async () => {
      commit = await person.push({ [POLICY_FILE]: policyText({ ttl: 521, defaultDomain: "git.example.com" }) });
      await editPolicy(leader, { ttl: 522 });
    });
    await waitForPolicy(clusters, { ttl: 522, defaultDomain: "git.example.com" });
    await inSync(world());
    const message = await messageOf(world(), await world().head());
    expect(message).toContain("spec.ttl: 521 -> 522");
    expect(message).toContain(`Supersedes: ${commit}`);
  });

  test("of entries of one list are merged by cluster", async () => {
    tellLogs(world());
    const { person, leader, clusters } = world();
    const split = (weights: readonly number[]) =>
      weights.map((weight, index) => ({ cluster: `cluster${index + 1}`, priority: 10, weight }));
    await whileAgentIsAway(async () => {
      await person.push({ [POLICY_FILE]: policyText({ trafficSplit: split([5, 5, 9]) }) });
      await editPolicy(leader, { trafficSplit: split([2, 5, 5]) });
    });
    for (const cluster of clusters) {
      await waitUntil(`${cluster.name} has both weights`, async () => {
        const { trafficSplit } = await policyOf(cluster);
        const weights = (trafficSplit as readonly { readonly weight: number }[]).map(({ weight }) => weight);
        return weights.join() === "2,5,9" || weights.join();
      });
    }
  });

  test("deleted here and edited in git, the object comes back", async () => {
    tellLogs(world());
    const { person, leader, clusters } = world();
    await whileAgentIsAway(async () => {
      await person.push({ [POLICY_FILE]: policyText({ ttl: 531 }) });
      await leader.objects.remove("GlobalDeploymentPolicy", GDP);
    });
    await waitForPolicy(clusters, { ttl: 531 });
  });

  test("deleted in git and edited here, it is exported, and the commit names the deletion", async () => {
    tellLogs(world());
    const { person, leader, clusters } = world();
    let commit = "";
    await whileAgentIsAway(async () => {
      const object = objectFrom(globalDeploymentPolicy({ annotations: { "amko-gitops.io/deleted": "a person" } }));
      commit = await person.push({ [POLICY_FILE]: JSON.stringify(object) });
      await editPolicy(leader, { ttl: 541 });
    });
    await waitForPolicy(clusters, { ttl: 541 });
    await inSync(world());
    expect(await messageOf(world(), await world().head())).toContain(`Supersedes: ${commit}`);
  });
});

describe("a head that cannot be used is healed from the cluster", () => {
  test.each([
    ["two files of a kind", { "federation/globaldeploymentpolicy/second.yaml": policyText({ ttl: 3 }, "second") }],
    ["broken YAML", { [POLICY_FILE]: "apiVersion: [\n" }],
    ["a file that breaks the schema", { [POLICY_FILE]: policyText({ ttl: -1 }) }],
    ["no file at all", { [POLICY_FILE]: null }],
  ])("%s", async (_, changes) => {
    tellLogs(world());
    const { person, clusters, git, head } = world();
    const commit = await person.push(changes);
    const healed = await moved(world(), commit);
    await inSync(world());
    expect(await head()).toBe(healed);
    expect(await messageOf(world(), healed)).toContain("Federated-From: cluster1");
    expect(await git("ls-tree", "--name-only", "main", "federation/globaldeploymentpolicy/")).toBe(POLICY_FILE);
    for (const cluster of clusters) expect(await policyOf(cluster)).toMatchObject({ ttl: 10 });
  });

  test("with what the cluster changed meanwhile", async () => {
    tellLogs(world());
    const { person, leader, clusters } = world();
    await whileAgentIsAway(async () => {
      await person.push({ [POLICY_FILE]: null });
      await editPolicy(leader, { ttl: 551 });
    });
    await waitForPolicy(clusters, { ttl: 551 });
    await inSync(world());
  });
});

describe("names", () => {
  test("that are changed on the leader are exported: the old file goes, and every follower renames", async () => {
    tellLogs(world());
    const { leader, followers, git, head } = world();
    const before = await head();
    // As `kubectl replace --force` under another name: the deletion must not be federated in between.
    await leader.objects.remove("GlobalDeploymentPolicy", GDP);
    await leader.objects.create(objectFrom(globalDeploymentPolicy({ name: "renamed" })));
    await waitForSpec(followers, "GlobalDeploymentPolicy", "renamed", { ttl: 10 });
    await waitUntilGone(followers, "GlobalDeploymentPolicy", GDP);
    await moved(world(), before);
    await inSync(world());
    expect(await git("ls-tree", "--name-only", "main", "federation/globaldeploymentpolicy/")).toBe(
      "federation/globaldeploymentpolicy/renamed.yaml",
    );
    await leader.objects.remove("GlobalDeploymentPolicy", "renamed");
    await leader.objects.create(LEADER_OBJECTS.GlobalDeploymentPolicy);
    await waitForPolicy(followers, { ttl: 10 });
    await waitUntilGone(followers, "GlobalDeploymentPolicy", "renamed");
  });

  test("that are changed in git are never applied to the leader: it exports its own", async () => {
    tellLogs(world());
    const { person, leader, clusters, git } = world();
    const deleted: string[] = [];
    const stop = await leader.objects.watch("GlobalDeploymentPolicy", ({ type, object }) => {
      if (type === "DELETED") deleted.push(object.metadata.name);
    });
    const commit = await person.push({
      [POLICY_FILE]: null,
      "federation/globaldeploymentpolicy/other.yaml": policyText({ ttl: 561 }, "other"),
    });
    await moved(world(), commit);
    await waitForPolicy(clusters, { ttl: 561 });
    await inSync(world());
    expect(await git("ls-tree", "--name-only", "main", "federation/globaldeploymentpolicy/")).toBe(POLICY_FILE);
    await stop();
    expect(deleted).toEqual([]);
  });

  test("of which the leader has two stop the export of that kind only, until one is gone", async () => {
    tellLogs(world());
    const { leader, followers, head } = world();
    await leader.objects.create(objectFrom(globalDeploymentPolicy({ name: "second" })));
    await waitForCondition(leader, "GDP Federation", "more than one GlobalDeploymentPolicy objects are present");
    await waitForCode(leader, "AG3013");
    const before = await head();
    await leader.objects.merge("GSLBConfig", GSLB_CONFIG, { spec: { logLevel: "ERROR" } });
    await waitForSpec(followers, "GSLBConfig", GSLB_CONFIG, { logLevel: "ERROR" });
    expect(await world().git("diff", "--name-only", before, "main")).toBe(FILES.GSLBConfig);
    await leader.objects.remove("GlobalDeploymentPolicy", "second");
    await inSync(world());
  });
});

describe("a cluster that is new or rebuilt", () => {
  test("takes what the branch holds; what it had that stands nowhere in git is rescued first", async () => {
    tellLogs(world());
    const { leader, clusters, head, git } = world();
    const before = await head();
    await leader.agent()?.stop();
    // Rebuilt: a new AMKOCluster, no records, and what its chart's values say.
    await leader.objects.remove("AMKOCluster", AMKO_CLUSTER);
    await leader.objects.remove("GlobalDeploymentPolicy", GDP);
    await leader.objects.request("DELETE", "/api/v1/namespaces/avi-system/configmaps/amko-gitops");
    await leader.objects.create(amkoClusterOf("cluster1"));
    const spec = { ...globalDeploymentPolicy().spec, ttl: 571 };
    await leader.objects.create(objectFrom(globalDeploymentPolicy({ spec })));
    leader.startAgent();
    await waitForPolicy(clusters, { ttl: 10 });
    await inSync(world());
    expect(await head()).toBe(before);
    const [rescued] = await refsUnder(world(), "rescue/cluster1/");
    expect(await git("show", `${rescued}:${POLICY_FILE}`)).toContain("ttl: 571");
  });

  test("with the same content as the branch changes nothing", async () => {
    tellLogs(world());
    const { leader, head } = world();
    const before = await head();
    await leader.agent()?.stop();
    await leader.objects.remove("AMKOCluster", AMKO_CLUSTER);
    await leader.objects.remove("GSLBConfig", GSLB_CONFIG);
    await leader.objects.request("DELETE", "/api/v1/namespaces/avi-system/configmaps/amko-gitops");
    await leader.objects.create(amkoClusterOf("cluster1"));
    await leader.objects.create(LEADER_OBJECTS.GSLBConfig);
    leader.startAgent();
    await waitForRef(world(), "amko/leading/cluster1", true);
    await inSync(world());
    expect(await head()).toBe(before);
    expect(await refsUnder(world(), "rescue/")).toEqual([]);
    expect(await specOf(leader, "GSLBConfig", GSLB_CONFIG)).toMatchObject({ logLevel: "INFO" });
  });

  test("restored to an older state takes what git has since", async () => {
    tellLogs(world());
    const { leader, clusters, head } = world();
    const old = await leader.objects.get("GlobalDeploymentPolicy", GDP);
    await editPolicy(leader, { ttl: 581 });
    await waitForPolicy(clusters, { ttl: 581 });
    const before = await inSync(world());
    await whileAgentIsAway(async () => {
      const present = await leader.objects.get("GlobalDeploymentPolicy", GDP);
      if (old === null || present === null) throw new TypeError("the GDP is not there");
      // With the annotations it had then, as from a backup.
      await leader.objects.replace({
        ...old,
        metadata: { ...old.metadata, resourceVersion: present.metadata.resourceVersion },
      });
    });
    await waitForPolicy(clusters, { ttl: 581 });
    await inSync(world());
    expect(await head()).toBe(before);
  });
});
