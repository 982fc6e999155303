import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FEDERATED_KINDS } from "../../src/core/model.ts";
import { CONFIG_MAP, moved, waitForCondition } from "../support/federation.ts";
import {
  AMKO_CLUSTER,
  amkoClusterOf,
  federationFiles,
  LEADER_OBJECTS,
  type World,
  type WorldCluster,
  waitUntil,
} from "../support/world.ts";
import { tellLogs, useWorld } from "./use-world.ts";

/** Long enough to take an installation away within it on a busy machine. */
const GRACE_MS = 3000;
const world = useWorld({ agentFlags: { "delete-grace": `${GRACE_MS}ms` } });

/** What was ever deleted on a follower, as its watches told it. */
const deletions: string[] = [];
const leaving: (() => Promise<void>)[] = [];

beforeAll(async () => {
  for (const { name, objects } of world().followers) {
    for (const kind of FEDERATED_KINDS) {
      const leave = await objects.watch(kind, ({ type, object }) => {
        if (type === "DELETED") deletions.push(`${name}: ${kind} ${object.metadata.name}`);
      });
      leaving.push(leave);
    }
  }
});

afterAll(async () => {
  for (const leave of leaving) await leave();
});

async function removeObjects({ objects }: WorldCluster): Promise<void> {
  for (const kind of FEDERATED_KINDS) await objects.remove(kind, LEADER_OBJECTS[kind].metadata.name);
}

async function removeAmkoCluster({ objects }: WorldCluster): Promise<void> {
  await objects.remove("AMKOCluster", AMKO_CLUSTER);
}

/** Longer than the grace, in which the agents look at the branch as usual. */
async function outlastGrace({ polls }: World): Promise<void> {
  const endMs = performance.now() + 2 * GRACE_MS;
  while (performance.now() < endMs) await polls(1);
}

/** Installs AMKO again, with an agent beside it. */
async function reinstall(here: World, head: string): Promise<void> {
  const { leader } = here;
  await leader.objects.create(amkoClusterOf(leader.name));
  leader.startAgent();
  await restored(here, head);
}

/** Waits until the leader holds both objects again, and everything is in sync without a further commit. */
async function restored(here: World, head: string): Promise<void> {
  const { settled, leader } = here;
  for (const kind of FEDERATED_KINDS) {
    const { name } = LEADER_OBJECTS[kind].metadata;
    await waitUntil(`the leader holds its ${kind} again`, async () => (await leader.objects.get(kind, name)) !== null);
  }
  expect(await settled()).toBe(head);
  await expectFollowersWhole(here);
}

async function expectFollowersWhole({ followers }: World): Promise<void> {
  expect(deletions).toEqual([]);
  for (const { objects } of followers) {
    for (const kind of FEDERATED_KINDS) {
      expect(await objects.get(kind, LEADER_OBJECTS[kind].metadata.name)).toMatchObject({
        spec: LEADER_OBJECTS[kind].spec,
      });
    }
  }
}

describe("nothing is deleted on a follower, and no tombstone is written", () => {
  test.each([
    ["first", [removeAmkoCluster, removeObjects]],
    ["last", [removeObjects, removeAmkoCluster]],
  ])(
    "when AMKO is uninstalled on the leader, AMKOCluster %s, and installed again",
    async (_, steps) => {
      tellLogs(world());
      const { leader, settled, head } = world();
      const before = await settled();
      for (const remove of steps) await remove(leader);
      await outlastGrace(world());
      expect(await head()).toBe(before);
      await expectFollowersWhole(world());
      await reinstall(world(), before);
    },
    120_000,
  );

  test("when the leader is a fresh installation: another uid, no objects, no ConfigMap", async () => {
    tellLogs(world());
    const { leader, settled } = world();
    const before = await settled();
    await leader.agent()?.stop();
    await removeObjects(leader);
    await removeAmkoCluster(leader);
    expect(await leader.objects.request("DELETE", CONFIG_MAP)).toMatchObject({ status: 200 });
    await reinstall(world(), before);
  }, 120_000);

  test("when the leader's objects are gone while its agent was not running, under another uid", async () => {
    tellLogs(world());
    const { leader, settled } = world();
    const before = await settled();
    await leader.agent()?.kill();
    await removeObjects(leader);
    await removeAmkoCluster(leader);
    await reinstall(world(), before);
  }, 120_000);

  test("when the leader is emptied while nobody can reach git, and installed again", async () => {
    tellLogs(world());
    const { leader, clusters, gitServer, settled, head } = world();
    const before = await settled();
    await gitServer.crash();
    for (const cluster of clusters) await waitForCondition(cluster, "Synced", "Unknown AG2001");
    await removeAmkoCluster(leader);
    await removeObjects(leader);
    await leader.objects.create(amkoClusterOf(leader.name));
    await outlastGrace(world());
    // Without git nothing is changed at all: also the leader's own cluster stays as its people left it.
    for (const kind of FEDERATED_KINDS) expect(await leader.objects.list(kind)).toEqual([]);
    await expectFollowersWhole(world());
    await gitServer.restart();
    await restored(world(), before);
    expect(await head()).toBe(before);
  }, 120_000);

  test("when the branch is gone, and when it comes back", async () => {
    tellLogs(world());
    const { clusters, git, settled, polls } = world();
    const before = await settled();
    await git("update-ref", "-d", "refs/heads/main");
    for (const cluster of clusters) await waitForCondition(cluster, "Synced", "Unknown AG2005");
    await polls(2);
    await expectFollowersWhole(world());
    await git("update-ref", "refs/heads/main", before);
    expect(await settled()).toBe(before);
    await expectFollowersWhole(world());
  });

  test("when somebody removes the snapshots' files: the leader exports them again", async () => {
    tellLogs(world());
    const { person, git, settled, head } = world();
    await settled();
    const snapshots = Object.keys(federationFiles()).filter((path) => path.startsWith("federation/"));
    const emptied = await person.push(Object.fromEntries(snapshots.map((path) => [path, null])), "Remove everything");
    await waitUntil("the leader has healed the branch", async () => {
      const listing = await git("ls-tree", "-r", "--name-only", "main", "federation/");
      return listing.split("\n").length === snapshots.length && (await head()) !== emptied;
    });
    await settled();
    await expectFollowersWhole(world());
  });

  test("when somebody removes every manifest: nobody leads, and everybody stays as he is", async () => {
    tellLogs(world());
    const { person, clusters, settled, head, polls } = world();
    await settled();
    const manifests = Object.entries(federationFiles()).filter(([path]) => path.startsWith("clusters/"));
    const emptied = await person.push(
      Object.fromEntries(manifests.map(([path]) => [path, null])),
      "Remove all clusters",
    );
    for (const cluster of clusters) await waitForCondition(cluster, "Synced", "False AG5001");
    await polls(2);
    expect(await head()).toBe(emptied);
    await expectFollowersWhole(world());
    await person.push(Object.fromEntries(manifests), "Put the clusters back");
    await settled();
    await expectFollowersWhole(world());
  });

  test("when an object on the leader is deleted and created again within the grace", async () => {
    tellLogs(world());
    const { leader, settled, head } = world();
    const before = await settled();
    const { name } = LEADER_OBJECTS.GlobalDeploymentPolicy.metadata;
    await leader.objects.remove("GlobalDeploymentPolicy", name);
    await leader.objects.create(LEADER_OBJECTS.GlobalDeploymentPolicy);
    await outlastGrace(world());
    expect(await settled()).toBe(before);
    expect(await head()).toBe(before);
    await expectFollowersWhole(world());
  }, 120_000);
});

describe("a deletion that lasts", () => {
  test("is federated, and is what the watches were able to see all along", async () => {
    tellLogs(world());
    const { leader, followers, settled } = world();
    const before = await settled();
    const { name } = LEADER_OBJECTS.GlobalDeploymentPolicy.metadata;
    await leader.objects.remove("GlobalDeploymentPolicy", name);
    await moved(world(), before);
    await settled();
    expect(deletions.toSorted()).toEqual(
      followers.map((follower) => `${follower.name}: GlobalDeploymentPolicy ${name}`),
    );
  });
});
