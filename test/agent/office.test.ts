import { describe, expect, it } from "vitest";
import type { LiveObject } from "../../src/core/model.ts";
import { CLUSTERS, globalDeploymentPolicy, gslbConfig, manifest, policy } from "../support/builders.ts";
import { contextsOf } from "../support/fakes/members.ts";
import {
  type FakeAgent,
  fileOf,
  filesOf,
  headOf,
  isLeader,
  makeWorld,
  type World,
  type WorldOptions,
} from "../support/fakes/world.ts";
import { edit, editPolicy, exportsOf, flip, GDP, policyIn, settled, statusOf } from "./settled.ts";

interface Federation extends World {
  readonly former: FakeAgent;
  readonly next: FakeAgent;
}

/** cluster1 leads, everything is at rest; then, if asked for, the branch says that cluster2 leads. */
async function federation({
  flipped = true,
  ...options
}: WorldOptions & { flipped?: boolean } = {}): Promise<Federation> {
  const world = await settled(options);
  if (flipped) world.remote.push("main", flip("cluster2"), "Flip");
  return { ...world, former: world.leader, next: world.follower };
}

const leading = ({ remote }: World): readonly string[] =>
  [...remote.branches().keys()].filter((name) => name.startsWith("amko/leading/")).map((name) => name.slice(13));

describe("a planned switchover", () => {
  it("demotes first where the former leader reads first", async () => {
    const world = await federation();
    await world.former.run();
    expect([isLeader(world.former), isLeader(world.next), leading(world)]).toEqual([false, false, []]);
    await world.next.run();
    expect([isLeader(world.next), leading(world)]).toEqual([true, ["cluster2"]]);
  });

  it("waits where the new leader reads first, and says for whom", async () => {
    const world = await federation();
    expect(await world.next.run()).toMatchObject({ state: "held", againAfterMs: 60_000 });
    expect([isLeader(world.next), leading(world)]).toEqual([false, ["cluster1", "cluster2"]]);
    expect(statusOf(world.next)).toContain("cluster1");
    await world.former.run();
    await world.next.run("poll");
    expect([isLeader(world.former), isLeader(world.next), leading(world)]).toEqual([false, true, ["cluster2"]]);
  });

  it("takes an edit over that was merged with the flip, before the new leader exports anything", async () => {
    const world = await federation({ flipped: false });
    world.remote.push("main", { ...flip("cluster2"), ...fileOf(policy({ ttl: 42 })) });
    await world.settle();
    for (const name of CLUSTERS) expect(policyIn(world.agent(name))).toMatchObject({ ttl: 42 });
    expect(world.remote.writes.filter(({ branch }) => branch === "main")).toEqual([]);
  });

  it("happens although one kind cannot be applied", async () => {
    const world = await federation({ flipped: false });
    world.next.cluster.refuse(GDP, "policy says no");
    world.remote.push("main", { ...flip("cluster2"), ...fileOf(policy({ ttl: 42 })) });
    await world.former.run();
    await world.next.run();
    expect(isLeader(world.next)).toBe(true);
    expect(statusOf(world.next)).toContain("policy says no");
  });

  it("and back again works as often as people like", async () => {
    const world = await federation();
    await world.settle();
    for (const to of ["cluster1", "cluster2", "cluster1"]) {
      world.remote.push("main", flip(to));
      await world.settle();
      expect(CLUSTERS.filter((name) => isLeader(world.agent(name)))).toEqual([to]);
      expect(leading(world)).toEqual([to]);
    }
  });

  it("that was taken back before anybody took office leaves everything as it was", async () => {
    const world = await federation();
    await world.next.run();
    world.remote.push("main", flip("cluster1"));
    await world.settle();
    expect([isLeader(world.former), isLeader(world.next), leading(world)]).toEqual([true, false, ["cluster1"]]);
  });
});

describe("a failover", () => {
  it("waits for the dead leader until the handover timeout, then goes on", async () => {
    const world = await federation();
    await world.next.run();
    await world.clock.advance(59_999);
    await world.next.run("poll", "resync");
    expect(isLeader(world.next)).toBe(false);
    await world.clock.advance(1);
    await world.next.run("retry");
    expect(isLeader(world.next)).toBe(true);
    expect(leading(world)).toEqual(["cluster1", "cluster2"]);
  });

  it("waits for ever where that was configured", async () => {
    const world = await federation({ settings: { handoverTimeoutMs: null } });
    await world.next.run();
    await world.clock.advance(24 * 3_600_000);
    await world.next.run("resync");
    expect(isLeader(world.next)).toBe(false);
  });

  it("does not wait for the cluster that its commit names", async () => {
    const world = await federation({ flipped: false });
    const named = {
      metadata: {
        name: "amkocluster-federation",
        namespace: "avi-system",
        annotations: { "amko-gitops.io/handover-without": "cluster1" },
      },
    };
    world.remote.push("main", {
      ...flip("cluster2"),
      ...filesOf([manifest("cluster2", { isLeader: true }, named)]),
    });
    await world.next.run();
    expect(isLeader(world.next)).toBe(true);
  });

  it("demotes the old leader as soon as it reads the branch again, and rescues what never reached git", async () => {
    const world = await federation({ flipped: false });
    editPolicy(world.former, { ttl: 77 });
    world.remote.push("main", flip("cluster2"));
    await world.next.run();
    await world.clock.advance(60_000);
    await world.next.run("retry");
    world.former.restart();
    await world.former.run("start");
    expect([isLeader(world.former), isLeader(world.next), leading(world)]).toEqual([false, true, ["cluster2"]]);
    expect(policyIn(world.former)).toMatchObject({ ttl: 10 });
    expect([...world.remote.branches().keys()].some((name) => name.startsWith("amko/rescue/cluster1/"))).toBe(true);
    expect(world.remote.branch("amko/applied/cluster1")).toBe(headOf(world.remote));
  });
});

describe("a demotion", () => {
  it("sets the local field before anything else", async () => {
    const world = await federation();
    const before = world.former.cluster.writes.length;
    await world.former.run();
    expect(world.former.cluster.writes.slice(before, before + 2)).toMatchObject([
      { method: "patch", kind: "AMKOCluster" },
      { method: "writeConfigMap" },
    ]);
  });

  it("stands although the ref cannot be deleted yet, and is finished later", async () => {
    const world = await federation();
    world.remote.fail({ on: "moveRef", code: "AG2001", ref: "leading/" });
    expect(await world.former.run("poll")).toMatchObject({ error: { code: "AG2001" } });
    expect([isLeader(world.former), leading(world)]).toEqual([false, ["cluster1"]]);
    await world.former.run("poll");
    expect(leading(world)).toEqual([]);
  });

  it("happens also where another version of AMKO runs here", async () => {
    const world = await federation();
    edit(world.former, "AMKOCluster", { version: "9.9.9" });
    await world.former.run();
    expect([isLeader(world.former), leading(world)]).toEqual([false, []]);
  });

  it("happens also without a manifest, and outside the leader's list", async () => {
    const world = await federation({ flipped: false });
    world.remote.push("main", {
      ...filesOf([manifest("cluster2", { isLeader: true, clusters: ["cluster2", "cluster3"] })]),
      "clusters/cluster1/amkocluster.yaml": null,
    });
    await world.former.run();
    expect([isLeader(world.former), leading(world)]).toEqual([false, []]);
  });

  it("waits until git can be read", async () => {
    const world = await federation();
    world.remote.fail({ on: "anything", code: "AG2001", times: 50 });
    await world.former.run("poll");
    expect(isLeader(world.former)).toBe(true);
  });
});

describe("the local field that says leader", () => {
  it("is put back where somebody set it to false in office", async () => {
    const world = await federation({ flipped: false });
    edit(world.former, "AMKOCluster", { isLeader: false });
    await world.former.run("cluster");
    expect(isLeader(world.former)).toBe(true);
  });

  it("is put back where somebody set it to true out of office; nothing but the branch decides", async () => {
    const world = await federation({ flipped: false });
    edit(world.next, "AMKOCluster", { isLeader: true });
    await world.next.run("cluster");
    expect(isLeader(world.next)).toBe(false);
    expect(leading(world)).toEqual(["cluster1"]);
  });

  it("that was put back, and then the merged flip, is a promotion like any other", async () => {
    const world = await federation({ flipped: false });
    edit(world.next, "AMKOCluster", { isLeader: true });
    await world.next.run("cluster");
    world.remote.push("main", flip("cluster2"));
    await world.settle();
    expect([isLeader(world.former), isLeader(world.next)]).toEqual([false, true]);
  });
});

describe("a promotion", () => {
  const FIGHTS = 30;

  it.each<[string, WorldOptions]>([
    ["that was only reported", { settings: { drift: "report" } }],
    ["that somebody kept fighting for", {}],
  ])("overwrites drift %s, after a rescue, and exports none of it", async (_, options) => {
    const world = await federation({ ...options, flipped: false });
    for (let fight = 0; fight < FIGHTS; fight += 1) {
      editPolicy(world.next, { ttl: 77 });
      await world.next.run("cluster");
    }
    expect(policyIn(world.next)).toMatchObject({ ttl: 77 });
    world.remote.push("main", flip("cluster2"));
    await world.settle();
    expect(isLeader(world.next)).toBe(true);
    for (const name of CLUSTERS) expect(policyIn(world.agent(name)), name).toMatchObject({ ttl: 10 });
    expect(world.remote.writes.filter(({ branch }) => branch === "main")).toEqual([]);
    expect([...world.remote.branches().keys()].join()).toContain("amko/rescue/cluster2/");
  });
});

describe("an office", () => {
  it("is not taken back over a successor's head, where the branch moved there and back between two polls", async () => {
    const world = await federation({ flipped: false });
    await world.former.run("poll");
    world.remote.push("main", flip("cluster2"));
    // The successor waits for nobody, and stands its predecessor down through the member credentials.
    world.remote.setBranch("amko/leading/cluster2", headOf(world.remote));
    edit(world.former, "AMKOCluster", { isLeader: false });
    world.remote.push("main", flip("cluster1"));
    await world.former.run("poll");
    expect(isLeader(world.former)).toBe(false);
    world.remote.setBranch("amko/leading/cluster2", null);
    await world.settle();
    expect(isLeader(world.former)).toBe(true);
  });

  it.each([
    ["deleted", "is in office"],
    ["deleted", "has confirmed that it stepped down"],
    ["edited", "is in office"],
    ["edited", "has confirmed that it stepped down"],
  ])(
    "that came back unread begins anew: what was %s meanwhile is no word of the leader, while the successor %s",
    async (what, when) => {
      const world = await settled();
      const { leader, follower } = world;
      world.members.setContexts(contextsOf(...CLUSTERS));
      // cluster1 cannot read git, and is stood down through its API server.
      world.remote.push("main", flip("cluster2"));
      await follower.run();
      await world.clock.advance(61_000);
      await follower.run("retry");
      expect([isLeader(leader), isLeader(follower)]).toEqual([false, true]);
      if (what === "deleted") leader.cluster.drop(GDP);
      else editPolicy(leader, { ttl: 99 });
      world.remote.push("main", flip("cluster1"));
      if (when.startsWith("has")) await follower.run();
      for (const seconds of [0, 61, 31, 31]) {
        await world.clock.advance(seconds * 1000);
        await leader.run("retry");
        await follower.run();
      }
      expect([isLeader(leader), isLeader(follower)]).toEqual([true, false]);
      expect(exportsOf(world)).toEqual([]);
      for (const one of [leader, follower]) expect(policyIn(one)["ttl"]).toBe(10);
    },
  );

  it("is claimed afresh where somebody deleted its ref", async () => {
    const world = await federation({ flipped: false });
    world.remote.setBranch("amko/leading/cluster1", null);
    await world.former.run("resync");
    expect([isLeader(world.former), leading(world)]).toEqual([true, ["cluster1"]]);
  });

  it("that a restore brought back is none while another cluster is in office", async () => {
    const world = await federation();
    const restored = { ...world.former.cluster.configMap?.data };
    await world.settle();
    world.remote.push("main", flip("cluster1"));
    world.former.cluster.setConfigMapData(restored);
    edit(world.former, "AMKOCluster", { isLeader: true });
    world.former.restart();
    await world.former.run("start");
    expect([isLeader(world.former), isLeader(world.next)]).toEqual([false, true]);
    await world.settle();
    expect([isLeader(world.former), isLeader(world.next)]).toEqual([true, false]);
  });

  it("ends with the AMKOCluster that it was recorded under, and begins anew", async () => {
    const world = await federation({ flipped: false });
    const claim = world.remote.branch("amko/leading/cluster1");
    const old = world.former.cluster.only("AMKOCluster") as LiveObject;
    world.former.cluster.drop("AMKOCluster");
    world.former.cluster.put(old);
    await world.former.run("cluster");
    expect(world.remote.branch("amko/leading/cluster1")).not.toBe(claim);
    expect(isLeader(world.former)).toBe(true);
  });

  it("is not taken where the branch changed between the claim and the second look", async () => {
    let flippedBack = false;
    const world: World = makeWorld({
      holds: [gslbConfig(), globalDeploymentPolicy()],
      gate: async (label) => {
        if (label !== "cluster2 writeOrphan leading/cluster2 answered") return;
        flippedBack = true;
        world.remote.push("main", flip("cluster1"));
      },
    });
    await world.settle();
    world.remote.push("main", flip("cluster2"));
    await world.agent("cluster2").run();
    expect(flippedBack).toBe(true);
    expect([isLeader(world.agent("cluster2")), leading(world)]).toEqual([false, ["cluster1"]]);
  });
});
