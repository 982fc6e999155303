import { expect, test } from "vitest";
import type { Json } from "../../src/core/model.ts";
import { contentOf } from "../../src/core/snapshot.ts";
import { type World, type WorldCluster, waitUntil } from "../support/world.ts";
import { tellLogs, useWorld } from "./use-world.ts";

const world = useWorld({ direct: true, agentFlags: { "git-timeout": "3s", "kube-timeout": "3s" } });
const GDP = "global-gdp";

/** So many changes are made, one after the other, while something is killed in the middle. */
const CHANGES = 30;
const PAUSE_MS = 40;
/** The kill comes after this change, the restart after that one. */
const KILLED_AFTER = 10;
const RESTARTED_AFTER = 20;

interface Victim {
  kill(): Promise<void>;
  restart(): Promise<void>;
}

const agentOf = (cluster: WorldCluster): Victim => ({
  async kill() {
    await cluster.agent()?.kill();
  },
  restart: async () => cluster.startAgent(),
});
const apiServerOf = ({ crash, restart }: WorldCluster): Victim => ({ kill: crash, restart });

const VICTIMS: readonly (readonly [what: string, of: (world: World) => readonly Victim[]])[] = [
  ["the leader's agent", ({ leader }) => [agentOf(leader)]],
  ["a follower's agent", ({ followers }) => followers.slice(0, 1).map(agentOf)],
  ["every agent", ({ clusters }) => clusters.map(agentOf)],
  ["the git server", ({ gitServer }) => [{ kill: gitServer.crash, restart: gitServer.restart }]],
  ["the leader's API server", ({ leader }) => [apiServerOf(leader)]],
  ["a follower's API server", ({ followers }) => followers.slice(0, 1).map(apiServerOf)],
  [
    "the git server, every API server and every agent",
    ({ gitServer, clusters }) => [
      { kill: gitServer.crash, restart: gitServer.restart },
      ...clusters.map(apiServerOf),
      ...clusters.map(agentOf),
    ],
  ],
];

/** Makes a change as a patient person does: again and again until the API server took it. */
async function change({ objects }: WorldCluster, spec: Json): Promise<void> {
  await waitUntil("the leader's API server takes a change", async () => {
    try {
      await objects.merge("GlobalDeploymentPolicy", GDP, { spec });
      return true;
    } catch (error) {
      return String(error);
    }
  });
}

let round = 0;

test.each(VICTIMS)(
  "killing %s in the middle of a stream of changes, and starting it again, loses nothing",
  async (_, of) => {
    tellLogs(world());
    const { leader, clusters, settled, git } = world();
    const before = await settled();
    round += 1;
    const victims = of(world());
    let restarted = Promise.resolve();
    for (let index = 1; index <= CHANGES; index += 1) {
      if (index === KILLED_AFTER) {
        for (const victim of victims) await victim.kill();
        // While the leader's own API server is away nobody can change anything: it comes back before the next change.
      }
      if (index === RESTARTED_AFTER || (index === KILLED_AFTER && !(await answers(leader)))) {
        restarted = restarted.then(async () => {
          for (const victim of victims) await victim.restart();
        });
        await restarted;
      }
      await change(leader, { ttl: 1000 * round + index, defaultDomain: `round-${round}-${index}.example.com` });
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    const last = { ttl: 1000 * round + CHANGES, defaultDomain: `round-${round}-${CHANGES}.example.com` };
    for (const { name, objects } of clusters) {
      await waitUntil(`${name} holds the last change`, async () => {
        const object = await objects.get("GlobalDeploymentPolicy", GDP);
        return object !== null && JSON.stringify(object.spec).includes(`"${last.defaultDomain}"`);
      });
    }
    await settled();
    const [wanted, ...found] = await Promise.all(
      clusters.map(async ({ objects }) => {
        const object = await objects.get("GlobalDeploymentPolicy", GDP);
        return object === null ? null : contentOf(object);
      }),
    );
    expect(wanted?.spec).toMatchObject(last);
    for (const content of found) expect(content).toEqual(wanted);
    expect(await git("show", `main:federation/globaldeploymentpolicy/${GDP}.yaml`)).toContain(last.defaultDomain);
    // One line of commits, each made by the leader's agent.
    const authors = await git("log", "--format=%an %P", `${before}..main`);
    for (const line of authors.split("\n")) expect(line).toMatch(/^amko-gitops [0-9a-f]{40}$/);
    expect((await world().refs()).size).toBe(8);
  },
  120_000,
);

async function answers({ url }: WorldCluster): Promise<boolean> {
  return fetch(`${url}/readyz`).then(
    async (answer) => (await answer.text()) !== "",
    () => false,
  );
}

test("SIGTERM stops every agent cleanly, with exit code 0 and a last line in its log", async () => {
  tellLogs(world());
  const { clusters, settled } = world();
  await settled();
  for (const cluster of clusters) {
    const agent = cluster.agent();
    if (agent === null) throw new TypeError(`the agent of ${cluster.name} does not run`);
    await agent.stop();
    expect(await agent.exited).toBe(0);
    expect((await cluster.log()).at(-1)?.msg).toBe("stopped");
  }
  for (const cluster of clusters) cluster.startAgent();
  await settled();
});

test("SIGTERM stops an agent cleanly while its git server and its API server are away", async () => {
  tellLogs(world());
  const { gitServer, followers, settled } = world();
  const [follower] = followers;
  const agent = follower?.agent() ?? null;
  if (follower === undefined || agent === null) throw new TypeError("there is no follower with an agent");
  await gitServer.crash();
  await follower.crash();
  await waitUntil("the agent has noticed", async () => {
    const lines = await follower.log();
    return lines.at(-1)?.msg === "pass failed" || String(lines.at(-1)?.msg);
  });
  await agent.stop();
  expect(await agent.exited).toBe(0);
  await gitServer.restart();
  await follower.restart();
  follower.startAgent();
  await settled();
});
