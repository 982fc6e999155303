import { describe, expect, test } from "vitest";
import { CLUSTERS, manifest } from "../support/builders.ts";
import { type WorldCluster, waitUntil } from "../support/world.ts";
import { tellLogs, useWorld } from "./use-world.ts";

const world = useWorld();
const NAME = "global-gdp";

function flip(to: string): Readonly<Record<string, string>> {
  const files = CLUSTERS.map((name) => manifest(name, { isLeader: name === to }));
  return Object.fromEntries(files.map(({ path, bytes }) => [path, new TextDecoder().decode(bytes ?? undefined)]));
}

async function changeTtl(cluster: WorldCluster, ttl: number): Promise<void> {
  await cluster.objects.merge("GlobalDeploymentPolicy", NAME, { spec: { ttl } });
}

describe("with the hook on the server and an identity for each agent", () => {
  test("agents acknowledge, and the leader's edit reaches every follower", async () => {
    tellLogs(world());
    const { head, settled, leader, followers } = world();
    const before = await head();
    await changeTtl(leader, 33);
    await waitUntil("the leader's agent has committed", async () => (await head()) !== before);
    await settled();
    for (const { objects } of followers) {
      expect(await objects.get("GlobalDeploymentPolicy", NAME)).toMatchObject({ spec: { ttl: 33 } });
    }
  });

  test("a person's flip moves the office, and the new leader exports", async () => {
    tellLogs(world());
    const { head, settled, refs, person, followers, leader } = world();
    await person.push(flip("cluster2"), "Hand over to cluster2");
    await waitUntil("cluster2 is in office", async () => (await refs()).has("amko/leading/cluster2"));
    const flipped = await settled();
    const [next] = followers;
    if (next === undefined) throw new TypeError("there is no follower");
    await changeTtl(next, 44);
    await waitUntil("the new leader's agent has committed", async () => (await head()) !== flipped);
    await settled();
    expect(await leader.objects.get("GlobalDeploymentPolicy", NAME)).toMatchObject({ spec: { ttl: 44 } });
    expect((await refs()).has("amko/leading/cluster1")).toBe(false);
  });
});
