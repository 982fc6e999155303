import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from "vitest";
import {
  clusterOf,
  editPolicy,
  flipTo,
  inSync,
  pushWhatDiffers,
  ttlOf,
  waitForPolicy,
  withManifest,
} from "../support/federation.ts";
import { RULES_FILE, readDashboardQueries } from "../support/monitoring.ts";
import { PROJECT } from "../support/process.ts";
import { AMKO_CLUSTER, federationFiles, startWorld, type World, waitUntil } from "../support/world.ts";
import { findPrometheus } from "./programs.ts";
import { type Prometheus, startPrometheus } from "./server.ts";

/** What Prometheus itself makes of what `deploy/monitoring` ships, first on paper and then over agents that are harmed. */

const PROGRAMS = await findPrometheus();
const START_MAX_MS = 120_000;

let world: World;
let prometheus: Prometheus;

beforeAll(async () => {
  world = await startWorld();
  prometheus = await startPrometheus(PROGRAMS.prometheus, join(world.folder, "prometheus"));
  await scrapeAgents();
}, START_MAX_MS);

afterAll(async () => {
  await prometheus?.stop();
  await world?.stop();
});

/** Those that run. */
async function scrapeAgents(): Promise<void> {
  const running = world.clusters.filter(({ agent }) => agent() !== null);
  const ports = running.map(async ({ log }) => (await log()).findLast(({ msg }) => msg === "started")?.["port"]);
  await prometheus.scrape((await Promise.all(ports)).map((port) => `127.0.0.1:${port}`));
}

describe("promtool", () => {
  it("takes the rules", () => promtool("check", "rules", RULES_FILE));

  it("takes the dashboard's queries, read as rules", async () => {
    const rules = (await readDashboardQueries()).map(({ expr }, index) => ({
      record: `dashboard:query:${index}`,
      expr,
    }));
    const file = join(world.folder, "queries.json");
    await writeFile(file, JSON.stringify({ groups: [{ name: "dashboard", rules }] }));
    await promtool("check", "rules", file);
  });

  it("sees each alert fire in its stories, and in no other", () =>
    promtool("test", "rules", join(PROJECT, "test/prometheus/rules.yaml")));
});

async function promtool(...args: readonly string[]): Promise<void> {
  const said = await new Promise<string>((resolve) => {
    execFile(PROGRAMS.promtool, [...args], (error, stdout, stderr) => resolve(error === null ? "" : stdout + stderr));
  });
  expect(said).toBe("");
}

describe("over a federation that is well", () => {
  it("no rule complains, and none fires", async () => {
    await expectAlerts([]);
    expect(await prometheus.complaints()).toEqual([]);
  });

  it("every query of the dashboard can be evaluated, and those about the present find every cluster", async () => {
    for (const { where, expr } of await readDashboardQueries()) {
      const found = await prometheus.query(expr);
      if (where === "Memory" || where === "State") {
        expect(found.map(({ cluster }) => cluster).toSorted()).toEqual(["cluster1", "cluster2", "cluster3"]);
      }
    }
  });
});

interface Harm {
  readonly what: string;
  harm(): Promise<unknown>;
  heal(): Promise<unknown>;
  /** `AmkoGitopsHeld cluster2 AG5007`; the last two where the alert has them. */
  readonly alerts: readonly string[];
}

const annotate = (cluster: string, annotations: Readonly<Record<string, string | null>>) =>
  clusterOf(world, cluster).objects.merge("AMKOCluster", AMKO_CLUSTER, { metadata: { annotations } });
const setSpec = (cluster: string, spec: Readonly<Record<string, string | boolean>>) =>
  clusterOf(world, cluster).objects.merge("AMKOCluster", AMKO_CLUSTER, { spec });
const SUSPENDED = {
  "amko-gitops.io/suspended-until": "2100-01-01T00:00:00Z",
  "amko-gitops.io/suspend-reason": "for the test",
};
const RESUMED = { "amko-gitops.io/suspended-until": null, "amko-gitops.io/suspend-reason": null };
const allWell = () => pushWhatDiffers(world, federationFiles());

const HARMS: readonly Harm[] = [
  {
    what: "the git server cannot be reached from one cluster",
    harm: async () => clusterOf(world, "cluster2").gitProxy.setRules([{ match: {}, fault: { kind: "refuse" } }]),
    heal: async () => clusterOf(world, "cluster2").gitProxy.clear(),
    alerts: ["AmkoGitopsGitAway cluster2"],
  },
  {
    what: "the git server refuses an agent's credentials",
    harm: async () =>
      clusterOf(world, "cluster3").gitProxy.setRules([{ match: {}, fault: { kind: "status", status: 401 } }]),
    heal: async () => clusterOf(world, "cluster3").gitProxy.clear(),
    alerts: ["AmkoGitopsCredentialsRefused cluster3 AG2002"],
  },
  {
    what: "the API server answers with errors",
    async harm() {
      clusterOf(world, "cluster2").apiProxy.setRules([{ match: {}, fault: { kind: "status", status: 500 } }]);
      // A poll that finds nothing new asks no API server.
      await pushWhatDiffers(world, withManifest("cluster1", { isLeader: true, clusters: ["cluster1", "cluster2"] }));
    },
    async heal() {
      clusterOf(world, "cluster2").apiProxy.clear();
      await allWell();
    },
    alerts: ["AmkoGitopsFailing cluster2", "AmkoGitopsHeld cluster3 AG5005"],
  },
  {
    what: "two manifests claim",
    harm: () => pushWhatDiffers(world, withManifest("cluster2", { isLeader: true })),
    heal: allWell,
    alerts: ["AmkoGitopsLeadershipInDoubt AG5002"],
  },
  {
    what: "AMKO was upgraded in one cluster",
    harm: () => setSpec("cluster3", { version: "1.5.0" }),
    heal: () => setSpec("cluster3", { version: "1.4.2" }),
    alerts: ["AmkoGitopsHeld cluster3 AG5007"],
  },
  {
    what: "a member's manifest has another version",
    harm: () => pushWhatDiffers(world, withManifest("cluster2", { version: "1.3.1" })),
    heal: allWell,
    alerts: ["AmkoGitopsHeld cluster2 AG5007", "AmkoGitopsMembersNotFollowing cluster1"],
  },
  {
    what: "an agent is suspended, and its AMKO is told to lead",
    async harm() {
      await annotate("cluster2", SUSPENDED);
      await setSpec("cluster2", { isLeader: true });
    },
    async heal() {
      await setSpec("cluster2", { isLeader: false });
      await annotate("cluster2", RESUMED);
    },
    alerts: ["AmkoGitopsSuspendedLong cluster2", "AmkoGitopsTwoLeaders"],
  },
  {
    what: "the leader's agent is suspended, and the branch names another",
    async harm() {
      await annotate("cluster1", SUSPENDED);
      await pushWhatDiffers(world, flipTo("cluster2"));
    },
    async heal() {
      await pushWhatDiffers(world, flipTo("cluster1"));
      await annotate("cluster1", RESUMED);
    },
    alerts: ["AmkoGitopsLeaderNotInOffice cluster2", "AmkoGitopsSuspendedLong cluster1"],
  },
  {
    what: "the leader's agent is gone",
    async harm() {
      await world.leader.agent()?.kill();
      await scrapeAgents();
    },
    async heal() {
      world.leader.startAgent();
      await world.leader.ask("/healthz");
      await scrapeAgents();
    },
    alerts: ["AmkoGitopsAgentGone cluster1", "AmkoGitopsNobodyLeads"],
  },
  {
    what: "somebody edits a follower again and again",
    async harm() {
      const follower = clusterOf(world, "cluster2");
      const ttl = (await ttlOf(follower)) ?? null;
      for (let rounds = 1; rounds <= 4; rounds += 1) {
        await editPolicy(follower, { ttl: 200 + rounds });
        await waitForPolicy([follower], { ttl });
      }
    },
    heal: async () => undefined,
    alerts: ["AmkoGitopsFight cluster2", "AmkoGitopsRescued cluster2"],
  },
];

/** The last one leaves traces that fire for long. */
describe("over a federation where", () => {
  it.each(HARMS)("$what: $alerts", async ({ harm, heal, alerts }) => {
    onTestFailed(async () => void process.stderr.write(`${await world.logs()}\n`));
    await harm();
    await expectAlerts(alerts);
    await heal();
    if (alerts.some((alert) => alert.includes("Rescued"))) return;
    await expectAlerts([]);
    await inSync(world);
  });
});

/** Exactly these fire. */
async function expectAlerts(wanted: readonly string[]): Promise<void> {
  await waitUntil(`these fire: ${wanted.join(", ") || "none"}`, async () => {
    const firing = (await prometheus.firing()).map(({ alertname = "", cluster, code }) =>
      [alertname, cluster, code].filter((one) => one !== undefined && one !== "").join(" "),
    );
    const told = [...new Set(firing)].toSorted();
    return JSON.stringify(told) === JSON.stringify([...wanted].toSorted()) || told.join(", ");
  });
}
