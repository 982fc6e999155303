import { describe, expect, it } from "vitest";
import { startDaemon } from "../../src/agent/daemon.ts";
import { createViewCache } from "../../src/core/view.ts";
import { globalDeploymentPolicy, gslbConfig, schemas } from "../support/builders.ts";
import { contextsOf } from "../support/fakes/members.ts";
import { createFixedChance } from "../support/fakes/time.ts";
import { makeWorld, SETTINGS } from "../support/fakes/world.ts";

const SELDOM = { poll: "0 0 0 1 1 *", resync: "0 0 0 1 1 *" } as const;
const MINUTE_MS = 60_000;

function makeParts(world: ReturnType<typeof makeWorld>) {
  const { cluster } = world.agent("cluster1");
  return {
    settings: SETTINGS,
    repository: world.remote.open({ by: "cluster1" }),
    cluster,
    schemas: schemas(),
    viewCache: createViewCache(),
    clock: world.clock,
    chance: createFixedChance("daemon"),
    log: () => undefined,
  };
}

it("stops cleanly while a member hangs in a check and in a nudge", async () => {
  const world = makeWorld({ holds: [gslbConfig(), globalDeploymentPolicy()] });
  world.members.setContexts(contextsOf("cluster1", "cluster2", "cluster3"));
  const parts = makeParts(world);
  const { cluster } = parts;
  const daemon = startDaemon(parts, SELDOM, world.members);
  while (daemon.health().detail["state"] !== "in-sync") await world.clock.advance(0);
  world.members.set("cluster2", "hanging");
  cluster.edit("GlobalDeploymentPolicy", (object) => ({ ...object, spec: { ...(object.spec as object), ttl: 99 } }));
  while (world.members.nudges.length < 2) await world.clock.advance(0);
  await daemon.stop();
  expect(world.members.nudges.toSorted()[0]).toMatch(/^cluster2 /);
});

describe("an agent is live", () => {
  it.each([
    ["while its watches only hear nothing", { silenceMs: 60 * MINUTE_MS, stalledMs: 15 * MINUTE_MS }, true],
    ["not once one of them hangs", { silenceMs: 60 * MINUTE_MS, stalledMs: 15 * MINUTE_MS + 1 }, false],
  ])("%s", async (_when, { silenceMs, stalledMs }, live) => {
    const parts = makeParts(makeWorld({ holds: [gslbConfig(), globalDeploymentPolicy()] }));
    const stopped = Promise.resolve();
    const watch = () => ({ silenceMs: () => silenceMs, stalledMs: () => stalledMs, stopped });
    const daemon = startDaemon({ ...parts, cluster: { ...parts.cluster, watch } }, SELDOM);
    expect(daemon.health().live).toBe(live);
    await daemon.stop();
  });

  it("until a pass has hung for ten minutes", async () => {
    const world = makeWorld({ holds: [gslbConfig(), globalDeploymentPolicy()] });
    const parts = makeParts(world);
    const hanging = Promise.withResolvers<never>();
    const daemon = startDaemon({ ...parts, cluster: { ...parts.cluster, list: () => hanging.promise } }, SELDOM);
    await world.clock.advance(10 * MINUTE_MS);
    expect(daemon.health().live).toBe(true);
    await world.clock.advance(1);
    expect(daemon.health().live).toBe(false);
    hanging.reject(new Error("over"));
    await daemon.stop();
  });
});
