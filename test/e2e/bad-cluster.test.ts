import { describe, expect, test } from "vitest";
import type { Json, KubernetesObject } from "../../src/core/model.ts";
import { waitForAnswer } from "../support/readiness.ts";
import {
  AMKO_CLUSTER,
  amkoClusterOf,
  LEADER_OBJECTS,
  type World,
  type WorldCluster,
  waitUntil,
} from "../support/world.ts";
import { tellLogs, useWorld } from "./use-world.ts";

const world = useWorld();
const GDP = "global-gdp";
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const GDP_CRD = "globaldeploymentpolicies.amko.vmware.com";
let edits = 100;

function firstFollower({ followers }: World): WorldCluster {
  const [follower] = followers;
  if (follower === undefined) throw new TypeError("the world has no follower");
  return follower;
}

async function ttlOf({ objects }: WorldCluster): Promise<unknown> {
  return ((await objects.get("GlobalDeploymentPolicy", GDP))?.spec as { readonly ttl?: number } | undefined)?.ttl;
}

async function edit({ leader }: World): Promise<number> {
  edits += 1;
  await leader.objects.merge("GlobalDeploymentPolicy", GDP, { spec: { ttl: edits } });
  return edits;
}

async function logged({ name, log }: WorldCluster, since: number, code: string): Promise<void> {
  await waitUntil(`the log of ${name} names ${code}`, async () => {
    const lines = (await log()).slice(since);
    return lines.some((line) => line["code"] === code) || lines.map((line) => line.msg).join(", ");
  });
}

async function says({ name, condition }: WorldCluster, wanted: string): Promise<void> {
  await waitUntil(`${name} says ${wanted}`, async () => {
    const { status, reason } = await condition("Synced");
    return (status !== "True" && reason.startsWith(wanted)) || `${status} ${reason}`;
  });
}

async function held(cluster: WorldCluster, value: number): Promise<void> {
  await waitUntil(`${cluster.name} holds the change`, async () => (await ttlOf(cluster)) === value);
}

describe("a follower", () => {
  test("with two AMKOClusters changes nothing and says so, until one is gone", async () => {
    tellLogs(world());
    const { followers, settled, polls } = world();
    const follower = firstFollower(world());
    await settled();
    const since = (await follower.log()).length;
    const left = await ttlOf(follower);
    const second = { ...amkoClusterOf(follower.name), metadata: { name: "second", namespace: "avi-system" } };
    await follower.objects.create(second);
    await logged(follower, since, "AG3012");
    const wanted = await edit(world());
    for (const other of followers.slice(1)) await held(other, wanted);
    await polls(1);
    expect(await ttlOf(follower)).toBe(left);
    await follower.objects.remove("AMKOCluster", "second");
    await held(follower, wanted);
    await settled();
  });

  test("without AMKOCluster changes nothing and says so, until AMKO is installed again", async () => {
    tellLogs(world());
    const { followers, settled, polls } = world();
    const follower = firstFollower(world());
    await settled();
    const since = (await follower.log()).length;
    const left = await ttlOf(follower);
    await follower.objects.remove("AMKOCluster", AMKO_CLUSTER);
    await logged(follower, since, "AG3011");
    const wanted = await edit(world());
    for (const other of followers.slice(1)) await held(other, wanted);
    await polls(1);
    expect(await ttlOf(follower)).toBe(left);
    await follower.objects.create(amkoClusterOf(follower.name));
    await held(follower, wanted);
    await settled();
  });

  test("without the GDP's CRD says so, and holds everything once it is installed", async () => {
    tellLogs(world());
    const { settled, polls, head } = world();
    const follower = firstFollower(world());
    const before = await settled();
    const since = (await follower.log()).length;
    const { body } = await follower.objects.request("GET", `${CRDS}/${GDP_CRD}`);
    expect(await follower.objects.request("DELETE", `${CRDS}/${GDP_CRD}`)).toMatchObject({ status: 200 });
    await logged(follower, since, "AG3005");
    await says(follower, "AG3005");
    await polls(1);
    expect(await head()).toBe(before);
    const wanted = await edit(world());
    await installDefinition(follower, body);
    await held(follower, wanted);
    await settled();
  });

  test("whose agent starts before the CRDs are installed waits for them", async () => {
    tellLogs(world());
    const { settled } = world();
    const follower = firstFollower(world());
    await settled();
    await follower.agent()?.stop();
    const { body } = await follower.objects.request("GET", `${CRDS}/${GDP_CRD}`);
    expect(await follower.objects.request("DELETE", `${CRDS}/${GDP_CRD}`)).toMatchObject({ status: 200 });
    const since = (await follower.log()).length;
    follower.startAgent();
    await logged(follower, since, "AG3005");
    await says(follower, "AG3005");
    expect(await follower.probe("/healthz")).toMatchObject({ status: 200 });
    await waitForAnswer(follower, { status: 503 });
    await installDefinition(follower, body);
    await held(follower, edits);
    await settled();
    await waitForAnswer(follower, { status: 200 });
  });

  test("with another object of a kind loses it, after its content was rescued", async () => {
    tellLogs(world());
    const { settled, refs } = world();
    const follower = firstFollower(world());
    await settled();
    await follower.objects.create(otherPolicy());
    await waitUntil("the other object is gone", async () => {
      return (await follower.objects.get("GlobalDeploymentPolicy", "other-gdp")) === null;
    });
    expect([...(await refs()).keys()].filter((ref) => ref.startsWith(`amko/rescue/${follower.name}/`))).toHaveLength(1);
    expect(await ttlOf(follower)).toBe(edits);
    await settled();
  });
});

describe("the leader", () => {
  test("with two objects of a kind exports that kind no longer, says so, and goes on once one is gone", async () => {
    tellLogs(world());
    const { leader, followers, settled, head, polls } = world();
    const before = await settled();
    const since = (await leader.log()).length;
    await leader.objects.create(otherPolicy());
    await logged(leader, since, "AG3013");
    await waitUntil("the status says so", async () => {
      const { status, reason } = await leader.condition("GDP Federation");
      return (status === "failure in federation" && reason.includes("more than one")) || `${status} ${reason}`;
    });
    await edit(world());
    await polls(1);
    expect(await head()).toBe(before);
    await leader.objects.remove("GlobalDeploymentPolicy", "other-gdp");
    for (const follower of followers) await held(follower, edits);
    await settled();
  });
});

function otherPolicy(): KubernetesObject {
  const { spec, ...object } = LEADER_OBJECTS.GlobalDeploymentPolicy;
  const metadata = { name: "other-gdp", namespace: "avi-system" };
  return { ...object, metadata, spec: { ...(spec as Readonly<Record<string, Json>>), ttl: 1 } };
}

/** Installs a definition as a person would from its file: without what the server added to it. */
async function installDefinition({ objects }: WorldCluster, definition: Json): Promise<void> {
  const { apiVersion, kind, metadata, spec } = definition as unknown as KubernetesObject;
  const fresh = { apiVersion, kind, metadata: { name: metadata.name }, ...(spec === undefined ? {} : { spec }) };
  await waitUntil("the definition is installed", async () => {
    const { status, body } = await objects.request("POST", CRDS, fresh);
    return status === 201 || JSON.stringify(body);
  });
}
