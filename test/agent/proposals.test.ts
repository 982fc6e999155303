import { describe, expect, it } from "vitest";
import { flipLeader } from "../../src/core/flip.ts";
import type { CommitId } from "../../src/core/model.ts";
import { evaluate } from "../../src/core/view.ts";
import { cluster, schemas } from "../support/builders.ts";
import { headOf } from "../support/fakes/world.ts";
import { edit, editPolicy, GDP_PATH, policyIn, type Settled, settled, statusOf } from "./settled.ts";

const REF = "amko/propose/cluster1/config";
const CONFIG_FILE = "federation/gslbconfig/gc-1.yaml";
const never = new AbortController().signal;

const proposing = () => settled({ settings: { publish: "propose" } });

/** What the proposal says of the policy. */
function proposedPolicy({ remote }: Settled): string {
  return remote.text(remote.branch(REF) as CommitId, GDP_PATH) ?? "";
}

describe("a proposal", () => {
  it("says no more what was taken back on the leader, while the other kind's change still waits", async () => {
    const world = await proposing();
    edit(world.leader, "GSLBConfig", { logLevel: "DEBUG" });
    editPolicy(world.leader, { ttl: 20 });
    await world.settle();
    expect(proposedPolicy(world)).toContain("ttl: 20");
    editPolicy(world.leader, { ttl: 10 });
    await world.settle();
    expect(proposedPolicy(world)).toContain("ttl: 10");
    world.remote.setBranch("main", world.remote.branch(REF));
    world.remote.setBranch(REF, null);
    await world.settle();
    expect([policyIn(world.leader), policyIn(world.follower)]).toMatchObject([{ ttl: 10 }, { ttl: 10 }]);
  });

  it("that a person amended is theirs, also where all that the leader wants stands in it", async () => {
    const world = await proposing();
    edit(world.leader, "GSLBConfig", { logLevel: "DEBUG" });
    await world.settle();
    const proposed = world.remote.branch(REF) as CommitId;
    const config = world.remote.text(proposed, CONFIG_FILE) ?? "";
    const policy = proposedPolicy(world).replace("ttl: 10", "ttl: 77");
    world.remote.setBranch(REF, headOf(world.remote));
    const theirs = world.remote.push(REF, { [CONFIG_FILE]: config, [GDP_PATH]: policy }, "Amended");
    await world.leader.run("cluster");
    expect(statusOf(world.leader)).toContain("AG5017");
    world.remote.push("main", { "README.md": "moved" });
    await world.leader.run("poll");
    expect(world.remote.branch(REF)).toBe(theirs);
  });

  it("hides nothing that git says and the leader cannot apply, which is tried again", async () => {
    const world = await proposing();
    editPolicy(world.leader, { ttl: 20 });
    await world.settle();
    world.leader.cluster.refuse("GSLBConfig", "policy says no");
    const config = (world.remote.text(headOf(world.remote), CONFIG_FILE) ?? "").replace("INFO", "DEBUG");
    world.remote.push("main", { [CONFIG_FILE]: config });
    const { againAfterMs } = await world.leader.run("poll");
    expect(againAfterMs).toBe(30_000);
    expect(statusOf(world.leader)).toContain("AG3007");
    expect(statusOf(world.leader)).toContain("AG5016");
  });

  it("that people closed is not said to wait", async () => {
    const world = await proposing();
    editPolicy(world.leader, { ttl: 20 });
    await world.settle();
    expect(statusOf(world.leader)).toContain("a proposal waits to be merged");
    world.remote.setBranch(REF, null);
    await world.settle();
    expect(statusOf(world.leader)).toContain("AG5018");
    expect(statusOf(world.leader)).not.toContain("a proposal waits to be merged");
  });

  it("of a switchover that says more than a hand's edit asks for is people's, and stays", async () => {
    const world = await settled();
    const ref = "amko/propose/cluster2/leader";
    const { files } = await world.remote.open().read(headOf(world.remote), never);
    const flip = flipLeader(evaluate(files, schemas()), files, cluster("cluster2"));
    const policy = (world.remote.text(headOf(world.remote), GDP_PATH) ?? "").replace("ttl: 10", "ttl: 66");
    world.remote.setBranch(ref, headOf(world.remote));
    const changes = { ...Object.fromEntries(flip.map(({ path, bytes }) => [path, bytes])), [GDP_PATH]: policy };
    const theirs = world.remote.push(ref, changes, "Switch over");
    edit(world.follower, "AMKOCluster", { isLeader: true });
    await world.follower.run("cluster");
    world.remote.push("main", { "README.md": "moved" });
    await world.follower.run("poll");
    expect(world.remote.branch(ref)).toBe(theirs);
  });

  it("whose record was lost right after the push is no person's, whatever is edited next", async () => {
    let pushed = (): void => undefined;
    const gate = async (label: string): Promise<void> => {
      if (/^cluster1 propose .* answered$/.test(label)) pushed();
    };
    const world = await settled({ settings: { publish: "propose" }, gate });
    editPolicy(world.leader, { ttl: 20 });
    await world.settle();
    editPolicy(world.leader, { ttl: 21 });
    pushed = () => world.leader.cluster.fail({ on: "writeConfigMap", code: "AG3001", times: 1 });
    expect(await world.leader.pass("cluster")).toMatchObject({ error: { code: "AG3001" } });
    pushed = () => undefined;
    expect(proposedPolicy(world)).toContain("ttl: 21");
    editPolicy(world.leader, { ttl: 22 });
    await world.settle();
    expect(proposedPolicy(world)).toContain("ttl: 22");
    expect(statusOf(world.leader)).not.toContain("AG5017");
  });
});
