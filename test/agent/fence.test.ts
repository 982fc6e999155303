import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import type { ClusterName, JsonObject } from "../../src/core/model.ts";
import { contentOf } from "../../src/core/snapshot.ts";
import { evaluate } from "../../src/core/view.ts";
import { CLUSTERS, globalDeploymentPolicy, schemas } from "../support/builders.ts";
import { type FakeAgent, isLeader, makeWorld, type World } from "../support/fakes/world.ts";
import { editPolicy, flip, GDP, HELD } from "./settled.ts";

const signal = new AbortController().signal;

function editHere(agent: FakeAgent, fields: JsonObject): void {
  if (agent.cluster.only(GDP) !== null) editPolicy(agent, fields);
}

/** Exports of the tracked branch whose parent named another leader, or nobody. */
async function exportsByNonLeaders({ remote }: World): Promise<readonly string[]> {
  const reader = remote.open();
  const found: string[] = [];
  for (const { by, branch, from, to } of remote.writes) {
    if (branch !== "main" || from === null) continue;
    const { leadership } = evaluate((await reader.read(from, signal)).files, schemas());
    if (leadership.kind !== "leader" || leadership.cluster !== (by as ClusterName)) found.push(`${by} landed ${to}`);
  }
  return found;
}

type Act =
  | { readonly kind: "flip"; readonly to: string }
  | { readonly kind: "edit"; readonly at: string; readonly ttl: number }
  | { readonly kind: "pass"; readonly at: string; readonly process: number }
  | { readonly kind: "restart"; readonly at: string };

function acts(): fc.Arbitrary<readonly Act[]> {
  const at = fc.constantFrom(...CLUSTERS);
  return fc.array(
    fc.oneof(
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("flip" as const), to: at }) },
      {
        weight: 2,
        arbitrary: fc.record({ kind: fc.constant("edit" as const), at, ttl: fc.integer({ min: 1, max: 99 }) }),
      },
      {
        weight: 5,
        arbitrary: fc.record({ kind: fc.constant("pass" as const), at, process: fc.constantFrom(0, 1) }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const), at }) },
    ),
    { minLength: 4, maxLength: 14 },
  );
}

/** Two processes per cluster, each doing one pass after another; every request may wait for any other one. */
class Traffic {
  readonly world: World;
  leadersAtOnce = 0;
  private readonly processes: ReadonlyMap<string, FakeAgent>;
  private readonly running = new Map<string, Promise<unknown>>();

  private scheduler: fc.Scheduler | null = null;

  constructor() {
    this.world = makeWorld({
      holds: HELD,
      gate: async (label) => this.scheduler?.schedule(Promise.resolve(), label),
      settings: { handoverTimeoutMs: null },
      wrote: () => this.look(),
    });
    this.processes = new Map(
      CLUSTERS.flatMap((name) => [0, 1].map((index) => [`${name} ${index}`, this.world.startAgent(name)] as const)),
    );
  }

  private look(): void {
    const leaders = CLUSTERS.filter((name) => isLeader(this.world.agent(name))).length;
    this.leadersAtOnce = Math.max(this.leadersAtOnce, leaders);
  }

  /** From a federation at rest on, everything happens when the scheduler lets it; settles when nothing is under way. */
  async play(scheduler: fc.Scheduler, history: readonly Act[]): Promise<void> {
    this.scheduler = scheduler;
    const sequence = scheduler.scheduleSequence(
      history.map((act) => ({ label: JSON.stringify(act), builder: async () => this.perform(act) })),
    );
    await sequence.task;
    await Promise.all(this.running.values());
    this.scheduler = null;
  }

  private perform(act: Act): void {
    switch (act.kind) {
      case "flip":
        this.world.remote.push("main", flip(act.to), `Flip to ${act.to}`);
        return;
      case "edit":
        editHere(this.world.agent(act.at), { ttl: act.ttl });
        return;
      case "restart":
        this.processes.get(`${act.at} 0`)?.restart();
        return;
      case "pass": {
        const key = `${act.at} ${act.process}`;
        const next = (): Promise<unknown> | undefined => this.processes.get(key)?.pass("resync");
        this.running.set(key, (this.running.get(key) ?? Promise.resolve()).then(next));
        return;
      }
      default:
        act satisfies never;
    }
  }
}

describe("in whatever order requests arrive and agents die,", () => {
  test("a deposed leader never lands another export, and two clusters never say leader at once", () =>
    fc.assert(
      fc.asyncProperty(fc.scheduler(), acts(), async (scheduler, history) => {
        const traffic = new Traffic();
        await traffic.world.settle();
        await scheduler.waitFor(traffic.play(scheduler, history));
        expect(await exportsByNonLeaders(traffic.world)).toEqual([]);
        expect(traffic.leadersAtOnce).toBeLessThanOrEqual(1);
      }),
      { numRuns: 60 },
    ));

  test("the federation comes to rest with one leader, and everybody holds the same", () =>
    fc.assert(
      fc.asyncProperty(fc.scheduler(), acts(), fc.constantFrom(...CLUSTERS), async (scheduler, history, last) => {
        const traffic = new Traffic();
        const { world } = traffic;
        await world.settle();
        await scheduler.waitFor(traffic.play(scheduler, history));
        world.remote.push("main", flip(last));
        await world.settle();
        expect(CLUSTERS.filter((name) => isLeader(world.agent(name)))).toEqual([last]);
        const leading = world.agent(last).cluster.only(GDP)?.spec;
        for (const name of CLUSTERS) expect(world.agent(name).cluster.only(GDP)?.spec).toEqual(leading);
        expect(await exportsByNonLeaders(world)).toEqual([]);
      }),
      { numRuns: 30 },
    ));
});

describe("a leader that was deposed while its push was under way", () => {
  it("loses it: the branch is not where it was evaluated", async () => {
    let deposed = false;
    const world: World = makeWorld({
      holds: HELD,
      gate: async (label) => {
        if (label !== "cluster1 publish main" || deposed) return;
        deposed = true;
        world.remote.push("main", flip("cluster2"));
      },
    });
    await world.settle();
    editHere(world.agent("cluster1"), { ttl: 77 });
    await world.settle();
    expect(deposed).toBe(true);
    expect(await exportsByNonLeaders(world)).toEqual([]);
    expect(isLeader(world.agent("cluster1"))).toBe(false);
    expect(isLeader(world.agent("cluster2"))).toBe(true);
    // What it could not export is rescued, and its cluster follows.
    expect([...world.remote.branches().keys()].some((name) => name.startsWith("amko/rescue/cluster1/"))).toBe(true);
    expect(contentOf(world.agent("cluster1").cluster.only(GDP) ?? globalNothing()).spec).toEqual(
      globalDeploymentPolicy().spec,
    );
  });
});

function globalNothing(): never {
  throw new Error("the policy is gone");
}
