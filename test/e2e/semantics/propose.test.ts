import { afterEach, expect, test, vi } from "vitest";
import { globalDeploymentPolicy } from "../../support/builders.ts";
import {
  calm,
  clusterOf,
  editPolicy,
  FILES,
  flipTo,
  GDP,
  inSync,
  type Landing,
  land,
  leadFrom,
  policyOf,
  pushBranch,
  refsUnder,
  waitForCode,
  waitForCondition,
  waitForLeader,
  waitForPolicy,
  waitForRef,
  waitUntilGone,
} from "../../support/federation.ts";
import { LEADER_OBJECTS, objectFrom, waitUntil } from "../../support/world.ts";
import { tellLogs, useWorld } from "../use-world.ts";

/** A leader that proposes instead of pushing: people decide what becomes of its changes. */

/** Several waits follow one another in each test; a small machine may share its cores between many suites. */
vi.setConfig({ testTimeout: 150_000, hookTimeout: 150_000 });

const world = useWorld({ agentFlags: { publish: "propose" } });
const PROPOSAL = "amko/propose/cluster1/config";

afterEach(() => calm(world()));

function policyText(changes: Record<string, unknown>): string {
  const spec = { ...globalDeploymentPolicy().spec, ...changes } as ReturnType<typeof globalDeploymentPolicy>["spec"];
  return `${JSON.stringify(objectFrom(globalDeploymentPolicy({ spec })), null, 2)}\n`;
}

async function waitForProposal(words: string): Promise<void> {
  const { git, refs } = world();
  await waitUntil(`a proposal on top of the branch says ${words}`, async () => {
    if (!(await refs()).has(PROPOSAL)) return "there is none";
    const [base, head] = await Promise.all([git("rev-parse", `${PROPOSAL}^`), git("rev-parse", "main")]);
    if (base !== head) return "it stands on an older revision";
    const text = await git("show", `${PROPOSAL}:${FILES.GlobalDeploymentPolicy}`);
    return text.includes(words) || text;
  });
}

test.each([
  ["merge", 701],
  ["squash", 702],
  ["rebase", 703],
] as const)("a change waits for its review, and is federated when it is landed by %s", async (how: Landing, ttl) => {
  tellLogs(world());
  const { leader, followers, clusters, head } = world();
  const before = await head();
  await editPolicy(leader, { ttl });
  await waitForProposal(`ttl: ${ttl}`);
  await waitForCode(leader, "AG5016");
  await waitForCondition(leader, "GDP Federation", "a proposal waits to be merged");
  expect(await head()).toBe(before);
  for (const follower of followers) expect(await policyOf(follower)).toMatchObject({ ttl: 10 });
  const landed = await land(world(), PROPOSAL, how);
  await waitForPolicy(clusters, { ttl });
  await waitForRef(world(), PROPOSAL, false);
  await inSync(world());
  expect(await head()).toBe(landed);
});

test("a proposal moves along with the branch and with further edits, and lands as one change", async () => {
  tellLogs(world());
  const { leader, clusters, person } = world();
  await editPolicy(leader, { ttl: 711 });
  await waitForProposal("ttl: 711");
  await person.push({ "docs/one.md": "Something else.\n" });
  await waitForProposal("ttl: 711");
  await editPolicy(leader, { ttl: 712, defaultDomain: "twice.example.com" });
  await waitForProposal("ttl: 712");
  await person.push({ [FILES.GlobalDeploymentPolicy]: policyText({ healthMonitorRefs: ["hm-9"] }) });
  await waitForProposal("hm-9");
  await waitForProposal("ttl: 712");
  await land(world(), PROPOSAL, "merge");
  await waitForPolicy(clusters, { ttl: 712, defaultDomain: "twice.example.com", healthMonitorRefs: ["hm-9"] });
});

test.each([
  ["merge", 721],
  ["squash", 722],
] as const)(
  "a proposal that people changed is landed by %s as they changed it, also on the leader",
  async (how, ttl) => {
    tellLogs(world());
    const { leader, clusters, head, git } = world();
    await editPolicy(leader, { ttl, defaultDomain: "proposed.example.com" });
    await waitForProposal(`ttl: ${ttl}`);
    const proposed = await git("show", `${PROPOSAL}:${FILES.GlobalDeploymentPolicy}`);
    const theirs = proposed.replace(`ttl: ${ttl}`, `ttl: ${ttl + 1000}`);
    await pushBranch(world(), PROPOSAL, [{ [FILES.GlobalDeploymentPolicy]: `${theirs}\n` }], PROPOSAL);
    await waitForCode(leader, "AG5017");
    const landed = await land(world(), PROPOSAL, how);
    await waitForPolicy(clusters, { ttl: ttl + 1000, defaultDomain: "proposed.example.com" });
    await inSync(world());
    expect(await head()).toBe(landed);
    await git("update-ref", "-d", `refs/heads/${PROPOSAL}`).catch(() => "");
  },
);

test("a proposal that people closed is not made again until the cluster holds something else", async () => {
  tellLogs(world());
  const { leader, clusters, git, polls } = world();
  await editPolicy(leader, { ttl: 731 });
  await waitForProposal("ttl: 731");
  await git("update-ref", "-d", `refs/heads/${PROPOSAL}`);
  await waitForCode(leader, "AG5018");
  await polls(2);
  expect(await refsUnder(world(), "propose/")).toEqual([]);
  expect(await policyOf(leader)).toMatchObject({ ttl: 731 });
  await editPolicy(leader, { ttl: 732 });
  await waitForProposal("ttl: 732");
  await editPolicy(leader, { ttl: 10 });
  await waitForRef(world(), PROPOSAL, false);
  await waitForCondition(leader, "Synced", "True");
  await waitForPolicy(clusters, { ttl: 10 });
});

test("a deletion is proposed as a tombstone, and deletes everywhere once it is merged", async () => {
  tellLogs(world());
  const { leader, followers } = world();
  await leader.objects.remove("GlobalDeploymentPolicy", GDP);
  await waitForProposal("amko-gitops.io/deleted");
  for (const follower of followers) expect(await policyOf(follower)).toMatchObject({ ttl: 10 });
  await land(world(), PROPOSAL, "squash");
  await waitUntilGone(followers, "GlobalDeploymentPolicy", GDP);
  await waitForRef(world(), PROPOSAL, false);
  await leader.objects.create(LEADER_OBJECTS.GlobalDeploymentPolicy);
  await waitForProposal("ttl: 10");
  await land(world(), PROPOSAL, "merge");
  await waitForPolicy(followers, { ttl: 10 });
});

test("a leader that is deposed with an open proposal rescues it and takes it down", async () => {
  tellLogs(world());
  const { leader, clusters, person, git } = world();
  await editPolicy(leader, { ttl: 741 });
  await waitForProposal("ttl: 741");
  await person.push(flipTo("cluster2"));
  await waitForLeader(clusters, "cluster2");
  await waitForRef(world(), PROPOSAL, false);
  const rescued = await refsUnder(world(), "rescue/cluster1/");
  expect(rescued).toHaveLength(1);
  expect(await git("show", `${rescued[0]}:${FILES.GlobalDeploymentPolicy}`)).toContain("ttl: 741");
  await waitForPolicy(clusters, { ttl: 10 });
  await inSync(world());
  // The new leader proposes in its own name.
  await editPolicy(clusterOf(world(), "cluster2"), { ttl: 742 });
  await waitForRef(world(), "amko/propose/cluster2/config", true);
  await land(world(), "amko/propose/cluster2/config", "rebase");
  await waitForPolicy(clusters, { ttl: 742 });
  await waitForRef(world(), "amko/propose/cluster2/config", false);
  await leadFrom(world(), "cluster1");
});
