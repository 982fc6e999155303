import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { isObject } from "../../src/core/json.ts";
import type { Json, JsonObject, KubernetesObject } from "../../src/core/model.ts";
import { asFederationError } from "../../src/errors.ts";
import { tellLogs, useWorld } from "../e2e/use-world.ts";
import { never, open, plainConnection } from "../kubernetes/support.ts";
import {
  clusterOf,
  editPolicy,
  GDP,
  GSLB_CONFIG,
  inSync,
  policyOf,
  redefine,
  specOf,
  waitForCode,
  waitForCondition,
  waitForPolicy,
  waitForRef,
  waitForSpec,
} from "../support/federation.ts";
import { temporaryFolder } from "../support/git.ts";
import { AMKO_CLUSTER, LEADER_OBJECTS, type World, type WorldCluster, waitUntil } from "../support/world.ts";
import { KUBE_ETCD_URL } from "./environment.ts";
import { compactEtcd, type Etcd, startEtcd } from "./etcd.ts";

/** What only a real API server, and the etcd behind it, can do to an agent. */

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const GDP_CRD = "globaldeploymentpolicies.amko.vmware.com";
const POLICIES = "/apis/amko.vmware.com/v1alpha2/namespaces/avi-system/globaldeploymentpolicies";
const ROLE = "/apis/rbac.authorization.k8s.io/v1/namespaces/avi-system/roles/amko-gitops";
const ADMISSION = "/apis/admissionregistration.k8s.io/v1";
const ACCOUNTS = "/api/v1/namespaces/avi-system/serviceaccounts";

const GRACE_MS = 5_000;
/** Time enough to restart an API server meanwhile. */
const WATCH_DELAY_MS = 12_000;

let etcd: Etcd;

// An etcd of their own, since they end it. Whoever starts a cluster finds it where that of the run stood.
beforeAll(async () => {
  const folder = await temporaryFolder();
  etcd = await startEtcd(folder.path);
  process.env[KUBE_ETCD_URL] = etcd.url;
  return async () => {
    await etcd.crash();
    await folder[Symbol.asyncDispose]();
  };
});

const world = useWorld({
  agentFlags: { "delete-grace": `${GRACE_MS}ms`, "kube-timeout": "30s", "log-level": "debug" },
});

beforeEach(() => tellLogs(world()));

async function logged({ name, log }: WorldCluster, since: number, code: string): Promise<void> {
  await waitUntil(`the log of ${name} names ${code}`, async () => {
    const text = JSON.stringify((await log()).slice(since));
    return text.includes(code) || text.slice(-1000);
  });
}

/** Wakes the agent, which looks at everything then. */
async function wake({ objects }: WorldCluster): Promise<void> {
  const annotations = { "amko-gitops.io/requested-revision": await world().head() };
  await objects.merge("AMKOCluster", AMKO_CLUSTER, {
    metadata: { annotations: { ...annotations, woken: `${++wakes}` } },
  });
}

let wakes = 0;

async function accepted({ objects }: WorldCluster, method: string, path: string, body?: Json): Promise<Json> {
  const answer = await objects.request(method, path, body);
  if (answer.status >= 300) throw new Error(`${path} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** Both kinds change in one revision. */
async function changeBoth({ leader }: World, ttl: number, logLevel: string): Promise<void> {
  await leader.agent()?.stop();
  await editPolicy(leader, { ttl });
  await leader.objects.merge("GSLBConfig", GSLB_CONFIG, { spec: { logLevel } });
  leader.startAgent();
}

describe("etcd", () => {
  test("that is restarted in the middle of a stream of changes loses none", async () => {
    const before = await inSync(world());
    const { leader, clusters, git } = world();
    for (let ttl = 1_001; ttl <= 1_030; ttl += 1) {
      const changed = waitUntil("the leader's API server takes a change", () =>
        editPolicy(leader, { ttl }).then(
          () => true,
          (error: unknown) => String(error),
        ),
      );
      if (ttl === 1_010) {
        await etcd.crash();
        await sleep(1_000);
        await etcd.restart();
      }
      await changed;
    }
    await waitForPolicy(clusters, { ttl: 1_030 });
    await inSync(world());
    const [wanted, ...found] = await Promise.all(clusters.map(policyOf));
    for (const policy of found) expect(policy).toEqual(wanted);
    const commits = await git("log", "--format=%an %P", `${before}..main`);
    for (const line of commits.split("\n")) expect(line).toMatch(/^amko-gitops [0-9a-f]{40}$/);
  });

  test("that has forgotten what a watch goes on from makes the agent list anew, and nothing is missed", async () => {
    await inSync(world());
    const follower = clusterOf(world(), "cluster2");
    const wanted = await policyOf(follower);
    const since = (await follower.log()).length;
    const watch = { pathPattern: "globaldeploymentpolicies\\?.*watch=true" };
    follower.apiProxy.setRules([{ match: { ...watch, nth: 1 }, fault: { kind: "delay", ms: WATCH_DELAY_MS } }]);
    await follower.crash();
    await follower.restart();
    await waitUntil("the agent has listed and wants to watch", async () =>
      follower.apiProxy.log().some(({ fault }) => fault === "delay"),
    );
    await editPolicy(follower, { ttl: 4242 });
    await compactEtcd(etcd.url);
    // The API server itself remembers a while longer what etcd has forgotten.
    await follower.crash();
    await follower.restart();
    await waitUntil("the agent is told that its list is too old to go on from", async () => {
      const ended = (await follower.log()).slice(since).filter(({ msg }) => msg === "watch ended; listing again");
      const gone = ended.filter(({ kind }) => kind === "GlobalDeploymentPolicy").map((line) => JSON.stringify(line));
      return gone.some((line) => line.includes("AG3004")) || gone.join("\n");
    });
    await waitForPolicy([follower], wanted);
    follower.apiProxy.clear();
    await inSync(world());
  });
});

test("a watch that is cut off in the middle of every event misses none", async () => {
  await inSync(world());
  const follower = clusterOf(world(), "cluster2");
  const wanted = await policyOf(follower);
  follower.apiProxy.setRules([{ match: { pathPattern: "watch=true" }, fault: { kind: "cut", afterBytes: 100 } }]);
  await follower.crash();
  await follower.restart();
  for (const ttl of [4_301, 4_302]) {
    await editPolicy(follower, { ttl });
    await waitForPolicy([follower], wanted);
  }
  follower.apiProxy.clear();
  await inSync(world());
});

describe("an admission policy", () => {
  test.each([
    ["that calls an object invalid", "Invalid"],
    ["that forbids an object", "Forbidden"],
  ])("%s keeps the whole revision away, in its own words, until it is gone", async (_, reason) => {
    await inSync(world());
    const [follower, other] = [clusterOf(world(), "cluster2"), clusterOf(world(), "cluster3")];
    const before = await policyOf(follower);
    await denyTtl(follower, reason);
    await changeBoth(world(), 4711, "ERROR");
    await waitForPolicy([other], { ttl: 4711 });
    await waitForRef(world(), "amko/failed/cluster2", true);
    await waitForCode(follower, "AG3007");
    await waitForCondition(follower, "Synced", "4711 is reserved");
    expect(await policyOf(follower)).toEqual(before);
    expect(await specOf(follower, "GSLBConfig", GSLB_CONFIG)).not.toMatchObject({ logLevel: "ERROR" });
    for (const kind of ["validatingadmissionpolicybindings", "validatingadmissionpolicies"]) {
      await accepted(follower, "DELETE", `${ADMISSION}/${kind}/reserved`);
    }
    await waitForVerdict(follower, "taken");
    await wake(follower);
    await waitForPolicy([follower], { ttl: 4711 });
    await waitForSpec([follower], "GSLBConfig", GSLB_CONFIG, { logLevel: "ERROR" });
    await waitForRef(world(), "amko/failed/cluster2", false);
    await changeBoth(world(), 10, "INFO");
    await waitForPolicy([follower, other], { ttl: 10 });
    await inSync(world());
  });
});

/** Refuses one ttl, and waits until that is so. */
async function denyTtl(cluster: WorldCluster, reason: string): Promise<void> {
  const apiVersion = "admissionregistration.k8s.io/v1";
  const rule = {
    apiGroups: ["amko.vmware.com"],
    apiVersions: ["*"],
    operations: ["CREATE", "UPDATE"],
    resources: ["*"],
  };
  const expression = "!has(object.spec.ttl) || object.spec.ttl != 4711";
  await accepted(cluster, "POST", `${ADMISSION}/validatingadmissionpolicies`, {
    apiVersion,
    kind: "ValidatingAdmissionPolicy",
    metadata: { name: "reserved" },
    spec: {
      failurePolicy: "Fail",
      matchConstraints: { resourceRules: [rule] },
      validations: [{ expression, message: "4711 is reserved", reason }],
    },
  });
  await accepted(cluster, "POST", `${ADMISSION}/validatingadmissionpolicybindings`, {
    apiVersion,
    kind: "ValidatingAdmissionPolicyBinding",
    metadata: { name: "reserved" },
    spec: { policyName: "reserved", validationActions: ["Deny"] },
  });
  await waitForVerdict(cluster, "refused");
}

/** A policy is in force, and in force no longer, a moment after it was written. */
async function waitForVerdict({ objects }: WorldCluster, verdict: "taken" | "refused"): Promise<void> {
  const { spec, ...policy } = LEADER_OBJECTS.GlobalDeploymentPolicy;
  const tried = { ...policy, metadata: { name: "tried" }, spec: { ...(spec as JsonObject), ttl: 4711 } };
  await waitUntil(`4711 is ${verdict}`, async () => {
    const { status } = await objects.request("POST", `${POLICIES}?dryRun=All`, tried as unknown as Json);
    return status >= 400 === (verdict === "refused") || `${status}`;
  });
}

describe("a definition", () => {
  async function removeDefinition(cluster: WorldCluster): Promise<Json> {
    const { spec } = (await accepted(cluster, "GET", `${CRDS}/${GDP_CRD}`)) as unknown as KubernetesObject;
    await accepted(cluster, "DELETE", `${CRDS}/${GDP_CRD}`);
    return {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: GDP_CRD },
      spec: spec ?? null,
    };
  }

  async function bringBack({ objects }: WorldCluster, definition: Json): Promise<void> {
    await waitUntil("the definition is taken", async () => {
      const { status } = await objects.request("POST", CRDS, definition);
      return status === 201 || `${status}`;
    });
  }

  test("that goes from the leader, and its objects with it, deletes nothing anywhere", async () => {
    const before = await inSync(world());
    const { leader, followers, head } = world();
    const since = (await leader.log()).length;
    const definition = await removeDefinition(leader);
    await logged(leader, since, "AG3005");
    await waitForCode(leader, "AG3005");
    await sleep(2 * GRACE_MS);
    await wake(leader);
    await bringBack(leader, definition);
    await waitUntil("the leader's API server takes the object again", () =>
      leader.objects.create(LEADER_OBJECTS.GlobalDeploymentPolicy).then(
        () => true,
        (error: unknown) => String(error),
      ),
    );
    expect(await inSync(world())).toBe(before);
    await sleep(GRACE_MS);
    expect(await head()).toBe(before);
    for (const follower of followers) expect(await policyOf(follower)).toMatchObject({ ttl: 10 });
  });

  test("that is new is waited for, whatever the API server says until it serves it", async () => {
    const follower = clusterOf(world(), "cluster3");
    const bytes = Buffer.from(follower.token);
    const { cluster } = open(follower.url, {
      connection: plainConnection(follower.url, { token: { kind: "inline", bytes } }),
    });
    const list = (): Promise<string> =>
      cluster.list("GlobalDeploymentPolicy", never).then(
        () => "served",
        (error: unknown) => asFederationError(error).code,
      );
    const definition = await removeDefinition(follower);
    await waitUntil("the definition is gone", async () => (await list()) === "AG3005");
    await bringBack(follower, definition);
    const seen = new Set<string>();
    while (!seen.has("served")) seen.add(await list());
    expect(["AG3005", "AG3009", "served"]).toEqual(expect.arrayContaining([...seen]));
    await waitForPolicy([follower], { ttl: 10 });
    await inSync(world());
  });

  test("that differs between clusters, as between two versions of AMKO, is no reason to write again and again", async () => {
    await inSync(world());
    const { leader, clusters, polls, head } = world();
    const [older, newer] = [clusterOf(world(), "cluster2"), clusterOf(world(), "cluster3")];
    await redefine(older, "GlobalDeploymentPolicy", (text) => text.replace('"default":1', '"default":5'));
    await redefine(newer, "GlobalDeploymentPolicy", (text) =>
      text.replace('"ttl":', '"dnsMode":{"type":"string","default":"auto"},"ttl":'),
    );
    await editPolicy(leader, { ttl: 77, trafficSplit: [{ cluster: "cluster1" }, { cluster: "cluster2", weight: 3 }] });
    await waitForPolicy(clusters, { ttl: 77 });
    const settled = await inSync(world());
    const split = [
      { cluster: "cluster1", priority: 10, weight: 1 },
      { cluster: "cluster2", priority: 10, weight: 3 },
    ];
    await waitForPolicy(clusters, { trafficSplit: split });
    expect(await policyOf(newer)).toMatchObject({ dnsMode: "auto" });
    const versions = () =>
      Promise.all(
        clusters.map(
          async ({ objects }) => (await objects.get("GlobalDeploymentPolicy", GDP))?.metadata.resourceVersion,
        ),
      );
    const before = await versions();
    await Promise.all(clusters.map(wake));
    await polls(2);
    await inSync(world());
    expect(await versions()).toEqual(before);
    expect(await head()).toBe(settled);
    for (const cluster of [older, newer]) await redefine(cluster, "GlobalDeploymentPolicy", (text) => text);
    await Promise.all(clusters.map(wake));
    expect(await inSync(world())).toBe(settled);
  });
});

describe("a right", () => {
  test("that the Role does not grant is named, and missed no longer than it is missing", async () => {
    await inSync(world());
    const { leader } = world();
    const follower = clusterOf(world(), "cluster2");
    const role = (await accepted(follower, "GET", ROLE)) as JsonObject;
    const rules = (role["rules"] as readonly JsonObject[]).map((rule) =>
      (rule["resources"] as readonly string[]).includes("gslbconfigs") ? { ...rule, verbs: ["list", "watch"] } : rule,
    );
    await accepted(follower, "PUT", ROLE, { ...role, rules });
    await editPolicy(leader, { ttl: 88 });
    await waitForCode(follower, "AG3003");
    await waitForCondition(follower, "Synced", "globaldeploymentpolicies");
    await accepted(follower, "PUT", ROLE, { ...role, metadata: { name: "amko-gitops" } });
    await wake(follower);
    await waitForPolicy([follower], { ttl: 88 });
    await inSync(world());
  });
});

describe("a token", () => {
  test("that no longer counts is said, and the next one in its file is taken at once, over TLS", async () => {
    await inSync(world());
    const { leader, kubeconfig, folder } = world();
    const follower = clusterOf(world(), "cluster2");
    const tokenFile = join(folder, "token");
    const renew = async (): Promise<void> => {
      const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
      const answer = await accepted(follower, "POST", `${ACCOUNTS}/amko-gitops/token`, request);
      const status = isObject(answer) ? answer["status"] : null;
      await writeFile(tokenFile, String(isObject(status) ? status["token"] : ""));
    };
    await renew();
    await follower.agent()?.stop();
    follower.startAgent({ kubeconfig: await withTokenFile(kubeconfig, folder, tokenFile) });
    await inSync(world());
    const since = (await follower.log()).length;
    // Another account of that name: what was issued to the former one is worth nothing.
    await accepted(follower, "DELETE", `${ACCOUNTS}/amko-gitops`);
    const metadata = { name: "amko-gitops", namespace: "avi-system" };
    await accepted(follower, "POST", ACCOUNTS, { apiVersion: "v1", kind: "ServiceAccount", metadata });
    await waitUntil("the agent is let in no more", async () => {
      await wake(follower);
      return JSON.stringify((await follower.log()).slice(since)).includes("AG3002");
    });
    await editPolicy(leader, { ttl: 99 });
    await renew();
    await waitForPolicy([follower], { ttl: 99 });
    await inSync(world());
  });

  /** The administrator's kubeconfig, straight to the server, with a token in a file as kubelet mounts it. */
  async function withTokenFile(kubeconfig: string, folder: string, tokenFile: string): Promise<string> {
    const config = parse(await readFile(kubeconfig, "utf8"));
    const users = config.users.map(({ name }: { readonly name: string }) => ({ name, user: { tokenFile } }));
    const path = join(folder, "kubeconfig-with-token-file");
    await writeFile(path, stringify({ ...config, users }));
    return path;
  }
});

// The last one: without a namespace controller a namespace stays as it is for ever.
test("a namespace that is being deleted deletes nothing elsewhere, whatever goes in it", async () => {
  const before = await inSync(world());
  const { leader, followers, head } = world();
  const since = (await leader.log()).length;
  await accepted(leader, "DELETE", "/api/v1/namespaces/avi-system");
  await leader.objects.remove("GlobalDeploymentPolicy", GDP);
  await leader.objects.remove("GSLBConfig", GSLB_CONFIG);
  await logged(leader, since, "AG3015");
  await sleep(2 * GRACE_MS);
  await wake(leader);
  await sleep(1_000);
  expect(await head()).toBe(before);
  for (const follower of followers) expect(await policyOf(follower)).toMatchObject({ ttl: 99 });
});
