import { describe, expect, test } from "vitest";
import type { Json, KubernetesObject } from "../../src/core/model.ts";
import {
  ALL_FAILED,
  editPolicy,
  firstFollower,
  refsUnder,
  ttlOf,
  waitForCode,
  waitForCondition,
  waitForLog,
  waitForPolicy,
  waitUntilGone,
} from "../support/federation.ts";
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
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const GDP_CRD = "globaldeploymentpolicies.amko.vmware.com";
let edits = 100;

async function edit({ leader }: World): Promise<number> {
  edits += 1;
  await editPolicy(leader, { ttl: edits });
  return edits;
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
    await waitForLog(follower, since, ["AG3012"]);
    const wanted = await edit(world());
    await waitForPolicy(followers.slice(1), { ttl: wanted });
    await polls(1);
    expect(await ttlOf(follower)).toBe(left);
    await follower.objects.remove("AMKOCluster", "second");
    await waitForPolicy([follower], { ttl: wanted });
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
    await waitForLog(follower, since, ["AG3011"]);
    const wanted = await edit(world());
    await waitForPolicy(followers.slice(1), { ttl: wanted });
    await polls(1);
    expect(await ttlOf(follower)).toBe(left);
    await follower.objects.create(amkoClusterOf(follower.name));
    await waitForPolicy([follower], { ttl: wanted });
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
    await waitForLog(follower, since, ["AG3005"]);
    await waitForCode(follower, "AG3005");
    await polls(1);
    expect(await head()).toBe(before);
    const wanted = await edit(world());
    await installDefinition(follower, body);
    await waitForPolicy([follower], { ttl: wanted });
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
    await waitForLog(follower, since, ["AG3005"]);
    await waitForCode(follower, "AG3005");
    expect(await follower.probe("/healthz")).toMatchObject({ status: 200 });
    await waitForAnswer(follower, { status: 503 });
    await installDefinition(follower, body);
    await waitForPolicy([follower], { ttl: edits });
    await settled();
    await waitForAnswer(follower, { status: 200 });
  });

  test("with another object of a kind loses it, after its content was rescued", async () => {
    tellLogs(world());
    const { settled } = world();
    const follower = firstFollower(world());
    await settled();
    await follower.objects.create(otherPolicy());
    await waitUntilGone([follower], "GlobalDeploymentPolicy", "other-gdp");
    expect(await refsUnder(world(), `rescue/${follower.name}/`)).toHaveLength(1);
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
    await waitForLog(leader, since, ["AG3013"]);
    await waitForCondition(leader, "GDP Federation", ALL_FAILED);
    await waitForCondition(leader, "GDP Federation", "more than one");
    await edit(world());
    await polls(1);
    expect(await head()).toBe(before);
    await leader.objects.remove("GlobalDeploymentPolicy", "other-gdp");
    await waitForPolicy(followers, { ttl: edits });
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
