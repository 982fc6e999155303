import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { Json } from "../../src/core/model.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import {
  editPolicy,
  eventsOf,
  flipTo,
  GSLB_CONFIG,
  inSync,
  isLeader,
  leadFrom,
  waitForCode,
  waitForCondition,
  waitForEvent,
  waitForLeader,
  waitForPolicy,
  waitForRef,
} from "../support/federation.ts";
import { contextsOf, giveMembers, type MemberContext } from "../support/members-secret.ts";
import { AMKO_CLUSTER, type WorldCluster, waitUntil } from "../support/world.ts";
import { tellLogs, useWorld } from "./use-world.ts";

/** What a leader does with the kubeconfig that AMKO has for its members. */

const world = useWorld();

const STATEFUL_SETS = "/apis/apps/v1/namespaces/avi-system/statefulsets";
const INITIALISATION = "member cluster initialisation";
const VALIDATION = "member cluster validation";
const FAR_AWAY = "0 0 0 1 1 *";

function everybody(): Record<string, MemberContext> {
  return contextsOf(world().clusters);
}

/** Agents that do not run as they did when the world started. */
const altered = new Set<WorldCluster>();

/** Starts the agent anew, with other flags: what it knows of its members is gone. */
async function restart(cluster: WorldCluster, flags: Readonly<Record<string, string>> = {}): Promise<void> {
  altered.add(cluster);
  await cluster.agent()?.stop();
  cluster.startAgent(flags);
}

async function restartLeader(contexts: Readonly<Record<string, MemberContext>> | null): Promise<void> {
  await giveMembers(world().leader, contexts);
  await restart(world().leader);
  await waitForCondition(world().leader, "Synced", "");
}

let ttl = 1_000;
/** Another value each time. */
function nextTtl(): number {
  ttl += 1;
  return ttl;
}

/** An edit on the leader that stays there: the branch does not move while its followers poll a few times. */
async function expectNoExport(): Promise<number> {
  const before = await world().head();
  const edited = nextTtl();
  await editPolicy(world().leader, { ttl: edited });
  await world().polls(3);
  expect(await world().head()).toBe(before);
  return edited;
}

beforeEach(() => tellLogs(world()));

afterEach(async () => {
  await giveMembers(world().leader, null);
  await Promise.all([...altered].map((cluster) => restart(cluster)));
  altered.clear();
  await leadFrom(world(), world().leader.name);
});

describe("the members' kubeconfig", () => {
  test("that lacks a member stops the leader's export until the context is there", async () => {
    const { cluster3: _, ...others } = everybody();
    await restartLeader(others);
    await waitForCode(world().leader, "AG5022");
    await waitForCondition(world().leader, INITIALISATION, "some member cluster clients couldn't be fetched cluster3:");
    const edited = await expectNoExport();
    await waitForEvent(world().leader, "Held", "--member-credentials ignore");
    await giveMembers(world().leader, everybody());
    await waitForPolicy(world().followers, { ttl: edited });
    await waitForCondition(world().leader, INITIALISATION, "all cluster clients fetched");
  });

  test("that lacks a member is no matter with --member-credentials ignore", async () => {
    await giveMembers(world().leader, {});
    await restart(world().leader, { "member-credentials": "ignore" });
    const edited = nextTtl();
    await editPolicy(world().leader, { ttl: edited });
    await waitForPolicy(world().followers, { ttl: edited });
  });

  test("runs no program, repeats no credential, and does without that member", async () => {
    const touched = join(world().folder, "touched");
    const secret = "a-word-that-nobody-may-see";
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "/bin/touch", args: [touched] };
    const user = { exec: { ...exec, env: [{ name: "TOKEN", value: secret }] }, token: secret };
    const { url } = everybody()["cluster3"] ?? { url: "" };
    await restartLeader({ ...everybody(), cluster3: { url, user } });
    await waitForCondition(world().leader, INITIALISATION, "exec users are refused");
    const edited = nextTtl();
    await editPolicy(world().leader, { ttl: edited });
    await waitForPolicy(world().followers, { ttl: edited });
    expect(existsSync(touched)).toBe(false);
    const told = JSON.stringify([
      await world().leader.log(),
      await world().leader.objects.list("AMKOCluster"),
      await eventsOf(world().leader),
    ]);
    expect(told).not.toContain(secret);
    for (const { token } of world().clusters) expect(told).not.toContain(token);
  });
});

describe("a nudge", () => {
  test("wakes a follower whose next poll is far away", async () => {
    const { leader, followers } = world();
    for (const follower of followers) await restart(follower, { poll: FAR_AWAY });
    await restartLeader(everybody());
    await inSync(world());
    const edited = nextTtl();
    await editPolicy(leader, { ttl: edited });
    await waitForPolicy(followers, { ttl: edited });
    const revision = await inSync(world());
    for (const { objects } of followers) {
      const amkoCluster = await objects.get("AMKOCluster", AMKO_CLUSTER);
      expect(amkoCluster?.metadata.annotations?.["amko-gitops.io/requested-revision"]).toBe(`main@sha1:${revision}`);
    }
  });

  test("to a member that hangs keeps none from the others", async () => {
    const { leader, followers } = world();
    const [second, third] = followers;
    if (second === undefined || third === undefined) throw new TypeError("two followers are needed");
    await restart(second, { poll: FAR_AWAY });
    const hanging = await startFaultProxy({ target: third.url });
    onTestFinished(() => hanging.stop());
    await restartLeader({ ...everybody(), [third.name]: { url: hanging.url, user: { token: third.token } } });
    await inSync(world());
    hanging.setRules([{ match: {}, fault: { kind: "hang" } }]);
    for (let round = 0; round < 3; round += 1) {
      const edited = nextTtl();
      await editPolicy(leader, { ttl: edited });
      await waitForPolicy([second], { ttl: edited });
    }
    expect(hanging.log().filter(({ fault }) => fault === "hang").length).toBeGreaterThan(0);
  });
});

describe("a member that says leader although it follows", () => {
  test("stops the leader's export until it does not any more", async () => {
    const { leader, followers } = world();
    const [second] = followers;
    if (second === undefined) throw new TypeError("a follower is needed");
    await restartLeader(everybody());
    await inSync(world());
    altered.add(second);
    await second.agent()?.stop();
    const setLeader = (isLeaderNow: boolean): Promise<unknown> =>
      second.objects.merge("AMKOCluster", AMKO_CLUSTER, { spec: { isLeader: isLeaderNow } });
    await setLeader(true);
    await restart(leader);
    await waitForCode(leader, "AG5023");
    const words = "member cluster clients invalid AMKO in cluster cluster2 is also a leader, conflicting state";
    await waitForCondition(leader, VALIDATION, words);
    const edited = await expectNoExport();
    await setLeader(false);
    await waitForPolicy([leader, ...followers.slice(1)], { ttl: edited });
    await waitForCondition(leader, VALIDATION, "validated all member clusters");
  });
});

describe("a promotion whose former leader does not answer", () => {
  test("stands it down, takes office, and says so until its claim is gone", async () => {
    const { leader, followers } = world();
    const [second] = followers;
    if (second === undefined) throw new TypeError("a follower is needed");
    await giveMembers(second, everybody());
    await restart(second, { "handover-timeout": "1s" });
    altered.add(leader);
    await leader.agent()?.kill();
    await world().person.push(flipTo(second.name), "Fail over");
    await waitForLeader(world().clusters, second.name);
    expect(await isLeader(leader)).toBe(false);
    const words = `former leader ${leader.name} has not confirmed that it stepped down`;
    await waitForCondition(second, "Synced", words);
    await waitForCondition(second, "Synced", `kubectl --context ${leader.name} -n avi-system patch amkocluster`);
    await waitForEvent(second, "Held", words);
    leader.startAgent();
    await waitForRef(world(), `amko/leading/${leader.name}`, false);
    await waitUntil("the new leader's status forgets it", async () => {
      const { reason } = await second.condition("Synced");
      return !reason.includes("AG5024") || reason;
    });
    await giveMembers(second, null);
  });
});

describe("AMKO's own StatefulSet", () => {
  const statefulSet = (revision: string, ...containers: readonly string[]): Json => ({
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "amko" },
    spec: { template: { spec: { containers: containers.map((name) => ({ name })) } } },
    status: { updateRevision: revision, currentRevision: revision },
  });

  /** A status comes with a request of its own, as the StatefulSet's controller sends it. */
  async function put({ objects }: WorldCluster, object: Json): Promise<void> {
    await objects.request("DELETE", `${STATEFUL_SETS}/amko`);
    expect(await objects.request("POST", STATEFUL_SETS, object)).toMatchObject({ status: 201 });
    expect(await objects.request("PUT", `${STATEFUL_SETS}/amko/status`, object)).toMatchObject({ status: 200 });
  }

  /** Anything that makes the agent look. */
  const wake = ({ objects }: WorldCluster): Promise<unknown> =>
    objects.merge("AMKOCluster", AMKO_CLUSTER, { metadata: { annotations: { looked: String(nextTtl()) } } });

  afterEach(() => world().leader.objects.request("DELETE", `${STATEFUL_SETS}/amko`));

  test("with the federator in it stops the export, and the edit follows when it is gone", async () => {
    const { leader, followers } = world();
    await put(leader, statefulSet("amko-1", "amko", "amko-federator"));
    const edited = await expectNoExport();
    await waitForCode(leader, "AG5021");
    await waitForEvent(leader, "Held", "post-renderer that deploy/helm ships");
    await put(leader, statefulSet("amko-2", "amko"));
    await wake(leader);
    await waitForPolicy(followers, { ttl: edited });
    await inSync(world());
  });

  test("that was not rolled since a change which needs it is told until it was", async () => {
    const { leader, followers } = world();
    await put(leader, statefulSet("amko-1", "amko"));
    await wake(leader);
    await inSync(world());
    const refreshInterval = nextTtl();
    await leader.objects.merge("GSLBConfig", GSLB_CONFIG, { spec: { refreshInterval } });
    await waitForCondition(leader, "Restart Required", "spec.refreshInterval");
    await waitForCondition(leader, "Restart Required", "rollout restart statefulset amko");
    await inSync(world());
    for (const follower of followers) expect((await follower.condition("Restart Required")).status).toBe("(none)");
    await put(leader, statefulSet("amko-2", "amko"));
    await wake(leader);
    await waitForCondition(leader, "Restart Required", "(none)");
  });
});
