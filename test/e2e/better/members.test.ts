import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { UUID_ANNOTATION } from "../../../src/core/model.ts";
import { contentOf } from "../../../src/core/snapshot.ts";
import { globalDeploymentPolicy, gslbConfig, UUID } from "../../support/builders.ts";
import {
  calm,
  clusterOf,
  editPolicy,
  FILES,
  GDP,
  GSLB_CONFIG,
  inSync,
  policyOf,
  refsUnder,
  SOME_FAILED,
  specOf,
  WELL,
  waitForCondition,
  waitForEvent,
  waitForPolicy,
  waitForSpec,
  waitUntilGone,
} from "../../support/federation.ts";
import { AMKO_CLUSTER, LEADER_OBJECTS, objectFrom, waitUntil } from "../../support/world.ts";
import { tellLogs, useWorld } from "../use-world.ts";

/** Where AMKO's federator lets one member spoil it for all, or forgets it. Each of these fails on AMKO's behaviour. */

/** Several waits follow one another in each test; a small machine may share its cores between many suites. */
vi.setConfig({ testTimeout: 150_000, hookTimeout: 150_000 });

const world = useWorld({ agentFlags: { "git-timeout": "2s", "kube-timeout": "2s", "stale-after": "3s" } });

afterEach(() => calm(world()));

describe("a member that hangs", () => {
  test.each([
    ["its API server", "apiProxy"],
    ["its way to git", "gitProxy"],
  ] as const)("(%s) delays nobody, is never reported as done, and catches up by itself", async (_, proxy) => {
    tellLogs(world());
    const { leader } = world();
    const [hung, other] = [clusterOf(world(), "cluster2"), clusterOf(world(), "cluster3")];
    await waitForCondition(leader, "GDP Federation", WELL);
    const claims: string[] = [];
    hung[proxy].setRules([{ match: {}, fault: { kind: "hang" } }]);
    const before = await policyOf(hung);
    const stop = await leader.objects.watch("AMKOCluster", ({ object }) => claims.push(JSON.stringify(object.status)));
    const ttls = [601, 602, 603];
    for (const ttl of ttls) {
      await editPolicy(leader, { ttl });
      await waitForPolicy([other], { ttl });
    }
    expect(await policyOf(hung)).toEqual(before);
    await waitForCondition(leader, "GDP Federation", "cluster2");
    // In time it is called a failure, with the member's name; the other one's success is not hidden.
    await waitForCondition(leader, "GDP Federation", SOME_FAILED);
    const head = await world().head();
    await waitForCondition(leader, "Synced", head);
    const done = claims.filter(
      (status) => status.includes(head) && status.includes(`"GDP Federation","status":"${WELL}"`),
    );
    expect(claims.some((status) => status.includes(head))).toBe(true);
    expect(done).toEqual([]);
    hung[proxy].clear();
    // Nobody edits anything: it asks for what it missed.
    await waitForPolicy([hung], { ttl: 603 });
    await waitForCondition(leader, "GDP Federation", WELL);
    await stop();
    expect(await world().head()).toBe(head);
  });
});

test("a member that was down when a change came has it soon after it is back, with nobody's help", async () => {
  tellLogs(world());
  const { leader, head } = world();
  const [down, other] = [clusterOf(world(), "cluster3"), clusterOf(world(), "cluster2")];
  await down.agent()?.kill();
  await down.crash();
  await editPolicy(leader, { ttl: 611 });
  await leader.objects.merge("GSLBConfig", GSLB_CONFIG, { spec: { logLevel: "WARN" } });
  await waitForPolicy([other], { ttl: 611 });
  await waitForSpec([other], "GSLBConfig", GSLB_CONFIG, { logLevel: "WARN" });
  const before = await head();
  await down.restart();
  down.startAgent();
  await waitForPolicy([down], { ttl: 611 });
  await waitForSpec([down], "GSLBConfig", GSLB_CONFIG, { logLevel: "WARN" });
  expect(await head()).toBe(before);
});

describe("on a follower", () => {
  test("a hand edit is put back, kept in git, and told", async () => {
    tellLogs(world());
    const follower = clusterOf(world(), "cluster2");
    await editPolicy(follower, { ttl: 621, defaultDomain: "by-hand.example.com" });
    await waitForPolicy([follower], { ttl: 10 });
    expect(await policyOf(follower)).not.toHaveProperty("defaultDomain");
    const [rescued] = await refsUnder(world(), "rescue/cluster2/");
    expect(await world().git("show", `${rescued}:${FILES.GlobalDeploymentPolicy}`)).toContain("by-hand.example.com");
    await waitForEvent(follower, "DriftCorrected", "spec.ttl");
    await waitForEvent(follower, "Rescued", "rescue/cluster2/");
  });

  test.each([
    ["GSLBConfig", GSLB_CONFIG],
    ["GlobalDeploymentPolicy", GDP],
  ] as const)("a deletion is put back: %s", async (kind, name) => {
    tellLogs(world());
    const follower = clusterOf(world(), "cluster2");
    await follower.objects.remove(kind, name);
    await waitForSpec([follower], kind, name, LEADER_OBJECTS[kind].spec as Record<string, string>);
  });

  test("an extra object is removed, after it was kept in git", async () => {
    tellLogs(world());
    const follower = clusterOf(world(), "cluster3");
    const spec = { ...globalDeploymentPolicy().spec, ttl: 631 };
    await follower.objects.create(objectFrom(globalDeploymentPolicy({ name: "extra", spec })));
    await waitUntilGone([follower], "GlobalDeploymentPolicy", "extra");
    expect(await policyOf(follower)).toMatchObject({ ttl: 10 });
    const [rescued] = await refsUnder(world(), "rescue/cluster3/");
    expect(await world().git("show", `${rescued}:federation/globaldeploymentpolicy/extra.yaml`)).toContain("ttl: 631");
  });

  test("a GSLBConfig without annotations is brought up to date, and nobody else is held up by it", async () => {
    tellLogs(world());
    const { leader, followers } = world();
    const follower = clusterOf(world(), "cluster2");
    await follower.agent()?.stop();
    await follower.objects.remove("GSLBConfig", GSLB_CONFIG);
    const { apiVersion, kind, spec } = objectFrom(gslbConfig({ spec: { ...gslbConfig().spec, logLevel: "ERROR" } }));
    const metadata = { name: GSLB_CONFIG, namespace: "avi-system" };
    await follower.objects.create({ apiVersion, kind, metadata, ...(spec === undefined ? {} : { spec }) });
    follower.startAgent();
    await leader.objects.merge("GSLBConfig", GSLB_CONFIG, { spec: { refreshInterval: 99 } });
    await waitForSpec(followers, "GSLBConfig", GSLB_CONFIG, { refreshInterval: 99, logLevel: "INFO" });
    const object = await follower.objects.get("GSLBConfig", GSLB_CONFIG);
    expect(object?.metadata.annotations?.[UUID_ANNOTATION]).toBe(UUID);
  });
});

describe("what there is to see", () => {
  test("every member's state stands in git: who holds which revision", async () => {
    tellLogs(world());
    const { leader, refs, clusters } = world();
    await editPolicy(leader, { ttl: 641 });
    await waitForPolicy(clusters, { ttl: 641 });
    const head = await inSync(world());
    const found = await refs();
    for (const { name } of clusters) expect(found.get(`amko/applied/${name}`)).toBe(head);
  });

  test("every cluster tells what happened as Events on its AMKOCluster", async () => {
    tellLogs(world());
    const { leader } = world();
    await editPolicy(leader, { ttl: 642 });
    const follower = clusterOf(world(), "cluster3");
    await waitForPolicy([follower], { ttl: 642 });
    await waitForEvent(leader, "Exported", "update GlobalDeploymentPolicy global-gdp");
    await waitForEvent(follower, "Applied", `GlobalDeploymentPolicy ${GDP}`);
  });

  test("no cluster holds credentials for another, and all is federated", async () => {
    tellLogs(world());
    const { clusters, folder, leader } = world();
    for (const [index, { name, objects }] of clusters.entries()) {
      const { body } = await objects.request("GET", "/api/v1/namespaces/avi-system/secrets");
      expect((body as { readonly items?: readonly unknown[] }).items ?? []).toEqual([]);
      const kubeconfig = await readFile(join(folder, `agent-${index}`, "kubeconfig"), "utf8");
      expect(kubeconfig).toContain(name);
      for (const other of clusters.filter((cluster) => cluster.name !== name)) {
        expect(kubeconfig).not.toContain(other.name);
        expect(kubeconfig).not.toContain(other.token);
      }
    }
    await editPolicy(leader, { ttl: 643 });
    await waitForPolicy(clusters, { ttl: 643 });
  });
});

describe("the leader's objects are missing", () => {
  test.each([
    ["after a fresh install", true],
    ["after a restore that left its AMKOCluster, without any records", false],
  ])("%s: nothing is deleted anywhere, they come back from git", async (_, reinstalled) => {
    tellLogs(world());
    const { leader, followers, head } = world();
    const before = await inSync(world());
    const wanted = await policyOf(leader);
    const deleted: string[] = [];
    const watches = await Promise.all(
      followers.flatMap(({ objects }) =>
        (["GSLBConfig", "GlobalDeploymentPolicy"] as const).map((kind) =>
          objects.watch(kind, ({ type, object }) => void (type === "DELETED" && deleted.push(object.metadata.name))),
        ),
      ),
    );
    await leader.agent()?.stop();
    const amkoCluster = await leader.objects.get("AMKOCluster", AMKO_CLUSTER);
    if (amkoCluster === null) throw new TypeError("AMKO is not installed");
    await leader.objects.remove("GlobalDeploymentPolicy", GDP);
    await leader.objects.remove("GSLBConfig", GSLB_CONFIG);
    await leader.objects.request("DELETE", "/api/v1/namespaces/avi-system/configmaps/amko-gitops");
    if (reinstalled) {
      await leader.objects.remove("AMKOCluster", AMKO_CLUSTER);
      const { apiVersion, kind, spec } = amkoCluster;
      const metadata = { name: AMKO_CLUSTER, namespace: "avi-system" };
      await leader.objects.create({ apiVersion, kind, metadata, ...(spec === undefined ? {} : { spec }) });
    }
    leader.startAgent();
    await waitForPolicy([leader], wanted);
    await waitForSpec([leader], "GSLBConfig", GSLB_CONFIG, { logLevel: "INFO" });
    await inSync(world());
    for (const stop of watches) await stop();
    expect(deleted).toEqual([]);
    expect(await head()).toBe(before);
    for (const follower of followers) expect(await policyOf(follower)).toEqual(wanted);
  });

  test("because AMKO is uninstalled there: nothing is deleted anywhere, and the claim is kept for whoever comes back", async () => {
    tellLogs(world());
    const { leader, followers, head, polls } = world();
    const before = await inSync(world());
    const amkoCluster = await leader.objects.get("AMKOCluster", AMKO_CLUSTER);
    await leader.objects.remove("AMKOCluster", AMKO_CLUSTER);
    await leader.objects.remove("GlobalDeploymentPolicy", GDP);
    await leader.objects.remove("GSLBConfig", GSLB_CONFIG);
    await waitUntil("the leader's agent waits", async () =>
      (await leader.log()).some(({ msg, code }) => msg === "waiting" && code === "AG3011"),
    );
    await polls(4);
    expect(await head()).toBe(before);
    for (const follower of followers) {
      expect(await specOf(follower, "GSLBConfig", GSLB_CONFIG)).toEqual(contentOf(objectLike()).spec);
      expect(await policyOf(follower)).toMatchObject({ ttl: 10 });
    }
    const { apiVersion, kind, spec } = amkoCluster ?? {};
    if (apiVersion === undefined || kind === undefined || spec === undefined) throw new TypeError("nothing was there");
    await leader.objects.create({
      apiVersion,
      kind,
      spec,
      metadata: { name: AMKO_CLUSTER, namespace: "avi-system" },
    });
    await waitForPolicy([leader], { ttl: 10 });
  });
});

function objectLike() {
  return LEADER_OBJECTS.GSLBConfig as Parameters<typeof contentOf>[0];
}
