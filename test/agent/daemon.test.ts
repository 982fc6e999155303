import { expect, it } from "vitest";
import { startDaemon } from "../../src/agent/daemon.ts";
import { createViewCache } from "../../src/core/view.ts";
import { globalDeploymentPolicy, gslbConfig, schemas } from "../support/builders.ts";
import { contextsOf } from "../support/fakes/members.ts";
import { createFixedChance } from "../support/fakes/time.ts";
import { makeWorld, SETTINGS } from "../support/fakes/world.ts";

it("stops cleanly while a member hangs in a check and in a nudge", async () => {
  const world = makeWorld({ holds: [gslbConfig(), globalDeploymentPolicy()] });
  world.members.setContexts(contextsOf("cluster1", "cluster2", "cluster3"));
  const { cluster } = world.agent("cluster1");
  const parts = {
    settings: SETTINGS,
    repository: world.remote.open({ by: "cluster1" }),
    cluster,
    schemas: schemas(),
    viewCache: createViewCache(),
    clock: world.clock,
    chance: createFixedChance("daemon"),
    log: () => undefined,
  };
  const daemon = startDaemon(parts, { poll: "0 0 0 1 1 *", resync: "0 0 0 1 1 *" }, world.members);
  while (daemon.health().detail["state"] !== "in-sync") await world.clock.advance(0);
  world.members.set("cluster2", "hanging");
  cluster.edit("GlobalDeploymentPolicy", (object) => ({ ...object, spec: { ...(object.spec as object), ttl: 99 } }));
  while (world.members.nudges.length < 2) await world.clock.advance(0);
  await daemon.stop();
  expect(world.members.nudges.toSorted()[0]).toMatch(/^cluster2 /);
});
