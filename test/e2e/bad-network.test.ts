import { afterEach, describe, expect, test } from "vitest";
import type { Fault, FaultMatch, InterceptedRequest } from "../support/fault-proxy.ts";
import {
  clearFaults,
  editPolicy,
  firstFollower,
  moved,
  ttlOf,
  waitForLog,
  waitForPolicy,
} from "../support/federation.ts";
import { waitForAnswer } from "../support/readiness.ts";
import { type World, waitUntil } from "../support/world.ts";
import { tellLogs, useWorld } from "./use-world.ts";

const world = useWorld({ agentFlags: { "git-timeout": "2s", "kube-timeout": "2s" } });
let edits = 100;

interface BadNetwork {
  readonly what: string;
  readonly fault: Fault;
  /** What the agent says of it. */
  readonly codes: readonly string[];
  readonly match?: FaultMatch;
}

const SIGN_IN = { kind: "html-instead" } as const;

const GIT_FAULTS: readonly BadNetwork[] = [
  { what: "is down", fault: { kind: "refuse" }, codes: ["AG2001"] },
  { what: "takes requests and never answers", fault: { kind: "hang" }, codes: ["AG2010"] },
  {
    what: "is cut off in the middle of every answer",
    fault: { kind: "cut", afterBytes: 20 },
    codes: ["AG2001", "AG2008"],
  },
  { what: "ends every answer too early", fault: { kind: "truncate", afterBytes: 20 }, codes: ["AG2008"] },
  { what: "answers with a sign-in page", fault: SIGN_IN, codes: ["AG2008"] },
  { what: "is overloaded", fault: { kind: "status", status: 503 }, codes: ["AG2001"] },
  { what: "has no such repository", fault: { kind: "status", status: 404 }, codes: ["AG2006"] },
  { what: "refuses the credentials", fault: { kind: "status", status: 401 }, codes: ["AG2002"] },
  { what: "denies access", fault: { kind: "status", status: 403 }, codes: ["AG2002", "AG2013"] },
  {
    what: "sends people elsewhere",
    fault: { kind: "status", status: 302, headers: { location: "http://127.0.0.1:1/elsewhere" } },
    codes: ["AG2001", "AG2008"],
  },
];

const API_FAULTS: readonly BadNetwork[] = [
  { what: "is down", fault: { kind: "refuse" }, codes: ["AG3001"] },
  { what: "takes requests and never answers", fault: { kind: "hang" }, codes: ["AG3006"] },
  { what: "is cut off in the middle of every answer", fault: { kind: "cut", afterBytes: 20 }, codes: ["AG3001"] },
  {
    what: "asks to wait",
    fault: { kind: "status", status: 429, headers: { "retry-after": "1" }, body: "{}" },
    codes: ["AG3009"],
  },
  { what: "fails", fault: { kind: "status", status: 500, body: "{}" }, codes: ["AG3001"] },
  { what: "answers with a sign-in page", fault: SIGN_IN, codes: ["AG3014"] },
  { what: "refuses the credentials", fault: { kind: "status", status: 401, body: "{}" }, codes: ["AG3002"] },
  { what: "denies access", fault: { kind: "status", status: 403, body: "{}" }, codes: ["AG3003"] },
];

afterEach(() => clearFaults(world()));

async function edit(here: World): Promise<number> {
  const before = await here.head();
  edits += 1;
  await editPolicy(here.leader, { ttl: edits });
  await moved(here, before);
  return edits;
}

describe("a follower whose git server", () => {
  test.each(GIT_FAULTS)(
    "$what says so, stays ready, changes nothing, and recovers by itself",
    async ({ fault, codes }) => {
      tellLogs(world());
      const { settled, polls } = world();
      const follower = firstFollower(world());
      await settled();
      const since = (await follower.log()).length;
      const pid = follower.agent()?.pid;
      follower.gitProxy.setRules([{ match: {}, fault }]);
      await waitUntil(`${follower.name} says ${codes.join(" or ")}`, async () => {
        const { status, reason } = await follower.condition("Synced");
        return (status === "Unknown" && codes.some((code) => reason.startsWith(code))) || `${status} ${reason}`;
      });
      await waitForLog(follower, since, codes);
      const wanted = await edit(world());
      // The way to break the glass: without git a hand edit stands.
      await editPolicy(follower, { ttl: 86_400 });
      await polls(1);
      expect(await ttlOf(follower)).toBe(86_400);
      expect(await follower.probe("/healthz")).toMatchObject({ status: 200 });
      await waitForAnswer(follower, { status: 200, ok: true, state: "git-away" });
      follower.gitProxy.clear();
      await settled();
      expect(await ttlOf(follower)).toBe(wanted);
      expect(follower.agent()?.pid).toBe(pid);
    },
  );
});

describe("a follower whose API server", () => {
  test.each(API_FAULTS)("$what is live but not ready, says so, and recovers by itself", async ({ fault, codes }) => {
    tellLogs(world());
    const { settled } = world();
    const follower = firstFollower(world());
    await settled();
    const since = (await follower.log()).length;
    const pid = follower.agent()?.pid;
    follower.apiProxy.setRules([{ match: {}, fault }]);
    const wanted = await edit(world());
    await waitForLog(follower, since, codes);
    await waitForAnswer(follower, { status: 503, ok: false, state: "failed" });
    expect(await follower.probe("/healthz")).toMatchObject({ status: 200 });
    expect(await ttlOf(follower)).not.toBe(wanted);
    follower.apiProxy.clear();
    await settled();
    expect(await ttlOf(follower)).toBe(wanted);
    await waitForAnswer(follower, { status: 200, ok: true });
    expect(follower.agent()?.pid).toBe(pid);
  });
});

describe("the leader", () => {
  const PUSH = { method: "POST", pathPattern: "git-receive-pack" } as const;

  test.each<BadNetwork>([
    { what: "never hears that its push landed", fault: { kind: "lost-answer" }, codes: [] },
    { what: "is cut off while it hears that its push landed", fault: { kind: "cut", afterBytes: 4 }, codes: [] },
    { what: "cannot push at first", fault: { kind: "refuse" }, codes: [] },
    { what: "pushes into a server that hangs", fault: { kind: "hang" }, codes: [] },
    { what: "is told that the server is overloaded", fault: { kind: "status", status: 503 }, codes: [] },
  ])("that $what makes one commit of one change all the same", async ({ fault }) => {
    tellLogs(world());
    const { leader, followers, settled, git } = world();
    const before = await settled();
    leader.gitProxy.setRules([{ match: { ...PUSH, from: 1, count: 2 }, fault }]);
    edits += 1;
    await editPolicy(leader, { ttl: edits });
    await waitForPolicy(followers, { ttl: edits });
    leader.gitProxy.clear();
    await settled();
    expect(await git("rev-list", "--count", `${before}..main`)).toBe("1");
  });

  test.each<BadNetwork>([
    { what: "before the server hears of it", fault: { kind: "hang" }, codes: [] },
    { what: "after the server did it", fault: { kind: "lost-answer" }, codes: [] },
  ])(
    "that is told to stop in the middle of a push, $what, stops cleanly, and its next start finishes the work",
    async ({ fault }) => {
      tellLogs(world());
      const { leader, followers, settled, git } = world();
      const before = await settled();
      const agent = leader.agent();
      let stopped: Promise<void> | undefined;
      const isPush = ({ method, url }: InterceptedRequest) => method === "POST" && url.endsWith("git-receive-pack");
      leader.gitProxy.intercept({
        async arrived(request) {
          if (!isPush(request)) return null;
          if (fault.kind === "hang") stopped = agent?.stop();
          return fault;
        },
        async answered(request) {
          if (isPush(request)) stopped = agent?.stop();
          await stopped;
        },
      });
      edits += 1;
      await editPolicy(leader, { ttl: edits });
      await waitUntil("the push is under way", async () => stopped !== undefined);
      expect(await agent?.exited).toBe(0);
      expect((await leader.log()).at(-1)?.msg).toBe("stopped");
      leader.gitProxy.intercept(null);
      leader.startAgent();
      await waitUntil("the followers hold the change", async () => {
        return (await Promise.all(followers.map(ttlOf))).every((ttl) => ttl === edits);
      });
      await settled();
      expect(await git("rev-list", "--count", `${before}..main`)).toBe("1");
    },
  );

  test("whose API server loses the answer to a write makes one commit of one change all the same", async () => {
    tellLogs(world());
    const { leader, followers, settled, git } = world();
    const before = await settled();
    const patches = { method: "PATCH", pathPattern: "globaldeploymentpolicies" } as const;
    leader.apiProxy.setRules([{ match: { ...patches, nth: 1 }, fault: { kind: "lost-answer" } }]);
    edits += 1;
    await editPolicy(leader, { ttl: edits });
    await waitForPolicy(followers, { ttl: edits });
    await settled();
    expect(await git("rev-list", "--count", `${before}..main`)).toBe("1");
  });
});

describe("an agent that starts", () => {
  test("while its API server is away is live, not ready, and goes on once it is there", async () => {
    tellLogs(world());
    const { settled } = world();
    const follower = firstFollower(world());
    await settled();
    await follower.agent()?.stop();
    await follower.crash();
    const since = (await follower.log()).length;
    follower.startAgent();
    await waitForLog(follower, since, ["AG3001"]);
    expect(await follower.probe("/healthz")).toMatchObject({ status: 200 });
    await waitForAnswer(follower, { status: 503 });
    const wanted = await edit(world());
    await follower.restart();
    await settled();
    expect(await ttlOf(follower)).toBe(wanted);
    await waitForAnswer(follower, { status: 200 });
  });

  test("while git is away is ready, changes nothing, and goes on once it is there", async () => {
    tellLogs(world());
    const { settled, polls } = world();
    const follower = firstFollower(world());
    await settled();
    await follower.agent()?.stop();
    const wanted = await edit(world());
    const held = await ttlOf(follower);
    follower.gitProxy.setRules([{ match: {}, fault: { kind: "refuse" } }]);
    const since = (await follower.log()).length;
    follower.startAgent();
    await waitForLog(follower, since, ["AG2001"]);
    await polls(1);
    await waitForAnswer(follower, { status: 200 });
    expect(await ttlOf(follower)).toBe(held);
    follower.gitProxy.clear();
    await settled();
    expect(await ttlOf(follower)).toBe(wanted);
  });

  test("answers nothing but its probes", async () => {
    expect(await firstFollower(world()).probe("/nothing")).toMatchObject({ status: 404 });
  });
});
