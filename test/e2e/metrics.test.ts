import { createHmac } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { METRIC_PREFIX } from "../../src/observe/metric-table.ts";
import { calm, editPolicy, GDP, policyOf, waitForPolicy, withManifest } from "../support/federation.ts";
import { temporaryFolder } from "../support/git.ts";
import { readExposition, type Sample, seriesValue } from "../support/metrics.ts";
import { type WorldCluster, waitUntil } from "../support/world.ts";
import { tellLogs, useWorld } from "./use-world.ts";

const SECRET = "a secret that nobody knows";
const folder = await temporaryFolder();
const secretFile = join(folder.path, "secret");
await writeFile(secretFile, SECRET);
afterAll(() => folder[Symbol.asyncDispose]());

const world = useWorld({ agentFlags: { "webhook-secret": secretFile } });

afterEach(async () => {
  for (const { gitProxy, apiProxy } of world().clusters) {
    gitProxy.clear();
    apiProxy.clear();
  }
});

async function scrape({ ask }: WorldCluster): Promise<string> {
  return (await ask("/metrics")).text();
}

/** Without the prefix that all have: `state{state="held"}`. */
async function read(cluster: WorldCluster, series: string): Promise<number> {
  return seriesValue(await scrape(cluster), `${METRIC_PREFIX}${series}`) ?? 0;
}

async function waitForSeries(cluster: WorldCluster, series: string, isSo: (value: number) => boolean): Promise<void> {
  await waitUntil(`${series} of ${cluster.name} is as it should be`, async () => {
    const value = await read(cluster, series);
    return isSo(value) || `it is ${value}`;
  });
}

/** The clusters of the world: the leader, and its followers. */
function here(): { readonly leader: WorldCluster; readonly follower: WorldCluster; readonly third: WorldCluster } {
  const { leader, followers } = world();
  const [follower, third] = followers;
  if (follower === undefined || third === undefined) throw new TypeError("the world has too few clusters");
  return { leader, follower, third };
}

const readExports = (cluster: WorldCluster): Promise<number> =>
  read(cluster, `exports_total{kind="GlobalDeploymentPolicy",action="write"}`);
const readApplies = (cluster: WorldCluster): Promise<number> =>
  read(cluster, `applies_total{kind="GlobalDeploymentPolicy",action="write"}`);

/** Long enough that a look at a busy machine's agent does not miss the moment after a sign of life. */
const SILENCE_SECONDS = 5;

/** One row of the table: every label with its values, or null where they are not all told. */
interface Row {
  readonly type: string;
  readonly labels: ReadonlyMap<string, ReadonlySet<string> | null>;
}

async function readTable(): Promise<ReadonlyMap<string, Row>> {
  const text = await readFile(new URL("../../deploy/monitoring/README.md", import.meta.url), "utf8");
  const rows = [...text.matchAll(/^\| `(amko_gitops_\w+)` \| (\w+) \| (.*?) \| /gm)];
  return new Map(rows.map(([, name = "", type = "", labels = ""]) => [name, { type, labels: readLabels(labels) }]));
}

function readLabels(cell: string): Row["labels"] {
  const labels = cell.split("; ").filter((one) => one !== "");
  return new Map(
    labels.map((label) => {
      const [, name = "", rest = ""] = /^`(\w+)`(?:: (.*))?$/.exec(label) ?? [];
      const values = [...rest.matchAll(/`([^`]+)`/g)].map(([, value = ""]) => value);
      return [name, values.length === 0 ? null : new Set(values)];
    }),
  );
}

/** How many series a metric has from the start on; null where that depends on what happens. */
function countSeries({ labels }: Row): number | null {
  let count = 1;
  for (const values of labels.values()) {
    if (values === null) return null;
    count *= values.size;
  }
  return count;
}

/** The bucket of a histogram makes no series of its own here. */
function labelsOf({ labels }: Sample): readonly (readonly [string, string])[] {
  return [...labels].filter(([label]) => label !== "le");
}

describe("what a running agent exposes", () => {
  test("is what the table in deploy/monitoring/README.md says: names, types, labels and their values", async () => {
    const table = await readTable();
    const exposed = [...readExposition(await scrape(here().leader))].filter(([name]) => name.startsWith(METRIC_PREFIX));
    const typesOf = (metrics: Iterable<readonly [string, { readonly type: string }]>) =>
      Object.fromEntries([...metrics].map(([name, { type }]) => [name, type]));
    expect(typesOf(exposed)).toEqual(typesOf(table));
    for (const [name, { samples }] of exposed) {
      const row = table.get(name) ?? { type: "", labels: new Map<string, ReadonlySet<string> | null>() };
      for (const [label, value] of samples.flatMap(labelsOf)) {
        expect([name, label, row.labels.has(label) && (row.labels.get(label)?.has(value) ?? true)]).toEqual([
          name,
          label,
          true,
        ]);
      }
      const series = new Set(samples.map((sample) => JSON.stringify(labelsOf(sample))));
      expect([name, series.size]).toEqual([name, countSeries(row) ?? series.size]);
    }
  });

  test("is Prometheus' text format, with the process's own figures, and no more series than a small agent should have", async () => {
    const answer = await here().leader.ask("/metrics");
    expect(answer.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await answer.text();
    const exposed = readExposition(text);
    for (const name of ["process_resident_memory_bytes", "process_cpu_seconds_total", "nodejs_eventloop_lag_seconds"]) {
      expect(exposed.get(name)?.samples).toHaveLength(1);
    }
    expect(text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length).toBeLessThan(500);
  });
});

describe("the numbers move when", () => {
  test("the leader exports, followers apply and acknowledge, and all is in sync", async () => {
    const { leader, follower } = here();
    tellLogs(world());
    const before = { exports: await readExports(leader), applies: await readApplies(follower) };
    await editPolicy(leader, { ttl: 21 });
    await waitForPolicy(world().followers, { ttl: 21 });
    await world().settled();
    expect(await readExports(leader)).toBe(before.exports + 1);
    expect(await readApplies(follower)).toBe(before.applies + 1);
    await waitForSeries(leader, 'members{state="holds"}', (count) => count === 2);
    const at = Number(await world().git("show", "--no-patch", "--format=%ct", "main"));
    for (const cluster of world().clusters) {
      // A pass tells how it ended only after it has told everybody else.
      await waitForSeries(cluster, "applied_revision_timestamp_seconds", (seconds) => seconds === at);
      expect(await read(cluster, "head_revision_timestamp_seconds")).toBe(at);
      expect(await read(cluster, "behind_seconds")).toBe(0);
      expect(await read(cluster, 'state{state="in-sync"}')).toBe(1);
      expect(await read(cluster, "acknowledgements_total")).toBeGreaterThan(0);
      expect(await read(cluster, `cluster_info{cluster="${cluster.name}"}`)).toBe(1);
    }
    expect([await read(leader, 'role{role="leader"}'), await read(follower, 'role{role="follower"}')]).toEqual([1, 1]);
    expect([await read(leader, "in_office"), await read(leader, "local_leader")]).toEqual([1, 1]);
    expect([await read(follower, "in_office"), await read(follower, "local_leader")]).toEqual([0, 0]);
  });

  test("somebody edits a follower, again and again", async () => {
    const { follower } = here();
    tellLogs(world());
    const corrections = 'drift_corrections_total{kind="GlobalDeploymentPolicy"}';
    const before = await read(follower, corrections);
    let ttl = 100;
    const { ttl: agreed } = await policyOf(follower);
    await waitUntil("the agent backs off", async () => {
      if ((await policyOf(follower))["ttl"] === agreed) {
        ttl += 1;
        await editPolicy(follower, { ttl });
      }
      return (await read(follower, 'problem{code="AG5019"}')) === 1;
    });
    expect(await read(follower, corrections)).toBeGreaterThanOrEqual(before + 3);
    expect(await read(follower, 'fight_rounds{kind="GlobalDeploymentPolicy"}')).toBeGreaterThanOrEqual(3);
    expect(await read(follower, 'rescues_total{kind="GlobalDeploymentPolicy",place="git"}')).toBeGreaterThanOrEqual(3);
    await waitForPolicy([follower], { ttl: agreed ?? null });
    await waitForSeries(follower, 'state{state="in-sync"}', (value) => value === 1);
  });

  test("a push loses a race", async () => {
    const { leader } = here();
    const { person } = world();
    tellLogs(world());
    const before = await read(leader, "push_races_total");
    const seen = leader.gitProxy.log().length;
    const push = { method: "POST", pathPattern: "git-receive-pack" };
    leader.gitProxy.setRules([{ match: { ...push, nth: 1 }, fault: { kind: "delay", ms: 5_000 } }]);
    await editPolicy(leader, { ttl: 22 });
    await waitUntil("the leader pushes", async () =>
      leader.gitProxy
        .log()
        .slice(seen)
        .some(({ method, url }) => method === "POST" && url.includes("receive-pack")),
    );
    await person.push({ "README.md": "Faster than the agent\n" }, "Be faster");
    await waitForPolicy(world().followers, { ttl: 22 });
    expect(await read(leader, "push_races_total")).toBeGreaterThan(before);
    expect(await read(leader, 'reconcile_errors_total{code="AG2003"}')).toBeGreaterThan(0);
  });

  test("git is down, and back again", async () => {
    const { follower } = here();
    const { person } = world();
    tellLogs(world());
    const errors = 'git_request_errors_total{code="AG2001"}';
    const before = await read(follower, errors);
    follower.gitProxy.setRules([{ match: {}, fault: { kind: "refuse" } }]);
    await waitForSeries(follower, 'state{state="git-away"}', (value) => value === 1);
    expect(await read(follower, errors)).toBeGreaterThan(before);
    expect(await read(follower, 'problem{code="AG2001"}')).toBe(1);
    expect(await read(follower, 'role{role="follower"}')).toBe(1);
    const lastWell = await read(follower, "last_successful_reconcile_timestamp_seconds");
    await person.push({ "README.md": "While it was away\n" }, "Go on without it");
    await waitForSeries(follower, errors, (value) => value > before + 2);
    expect(await read(follower, "last_successful_reconcile_timestamp_seconds")).toBe(lastWell);
    follower.gitProxy.clear();
    await waitForSeries(follower, 'state{state="in-sync"}', (value) => value === 1);
    expect(await read(follower, 'problem{code="AG2001"}')).toBe(0);
    expect(await read(follower, "last_successful_reconcile_timestamp_seconds")).toBeGreaterThan(lastWell);
  });

  test("the API server is away: watches fall silent, and the cluster falls behind", async () => {
    const { leader, follower } = here();
    tellLogs(world());
    const errors = 'kube_request_errors_total{code="AG3001"}';
    const before = await read(follower, errors);
    await follower.crash();
    await editPolicy(leader, { ttl: 23 });
    await waitForSeries(follower, 'state{state="failed"}', (value) => value === 1);
    await waitForSeries(follower, "watch_age_seconds", (seconds) => seconds > SILENCE_SECONDS);
    await waitForSeries(follower, "behind_seconds", (seconds) => seconds > 0);
    expect(await read(follower, errors)).toBeGreaterThan(before);
    expect(await read(follower, "head_revision_timestamp_seconds")).toBeGreaterThan(
      await read(follower, "applied_revision_timestamp_seconds"),
    );
    await follower.restart();
    await waitForSeries(follower, "watch_age_seconds", (seconds) => seconds < SILENCE_SECONDS);
    await waitForPolicy([follower], { ttl: 23 });
    await waitForSeries(follower, "behind_seconds", (seconds) => seconds === 0);
  });

  test("a person suspends the agent, and lets it go on", async () => {
    const { third } = here();
    tellLogs(world());
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const annotate = (annotations: Readonly<Record<string, string | null>>) =>
      third.objects.merge("AMKOCluster", "amkocluster-federation", { metadata: { annotations } });
    await annotate({ "amko-gitops.io/suspended-until": until, "amko-gitops.io/suspend-reason": "CHG-1" });
    await waitForSeries(third, "suspended", (value) => value === 1);
    expect(await read(third, 'role{role="none"}')).toBe(1);
    expect(await read(third, 'state{state="held"}')).toBe(1);
    await annotate({ "amko-gitops.io/suspended-until": null, "amko-gitops.io/suspend-reason": null });
    await waitForSeries(third, "suspended", (value) => value === 0);
    await waitForSeries(third, 'state{state="in-sync"}', (value) => value === 1);
  });

  test("the branch holds something that people should look at", async () => {
    const { follower } = here();
    const { person } = world();
    const warning = 'view_problems{code="AG1021",severity="warning"}';
    await person.push(
      withManifest("cluster3", { clusters: ["cluster1", "cluster3"] }),
      "List others than the leader does",
    );
    await waitForSeries(follower, warning, (count) => count === 1);
    await calm(world());
    expect(await scrape(follower)).not.toMatch(/^amko_gitops_view_problems\{/m);
  });
});

describe("a delivery to /hook", () => {
  const delivery = (ref: string, secret = SECRET): RequestInit => {
    const body = JSON.stringify({ ref, repository: { clone_url: "https://evil.example.com/x.git" } });
    const signature = createHmac("sha256", secret).update(body).digest("hex");
    const headers = {
      "content-type": "application/json",
      "x-github-event": "push",
      "x-hub-signature-256": `sha256=${signature}`,
    };
    return { method: "POST", body, headers };
  };

  test("makes an agent that hardly ever polls fetch at once; one of another branch, or without the secret, does not", async () => {
    const { third, leader } = here();
    tellLogs(world());
    await world().settled();
    await restart(third, { poll: "0 0 0 1 1 *" });
    await waitForSeries(third, 'state{state="in-sync"}', (value) => value === 1);
    await editPolicy(leader, { ttl: 24 });
    await waitForPolicy([leader], { ttl: 24 });
    const head = await waitForHead(24);
    const looks = await read(third, 'git_request_duration_seconds_count{operation="list"}');
    const acknowledgement = await third.ask("/hook", delivery("refs/heads/amko/applied/cluster2"));
    expect([acknowledgement.status, await acknowledgement.json()]).toMatchObject([202, { result: "ignored" }]);
    expect((await third.ask("/hook", delivery("refs/heads/main", "guessed"))).status).toBe(401);
    expect(await read(third, 'git_request_duration_seconds_count{operation="list"}')).toBe(looks);
    expect((await policyOf(third))["ttl"]).not.toBe(24);
    expect((await third.ask("/hook", delivery("refs/heads/main"))).status).toBe(202);
    await waitForPolicy([third], { ttl: 24 });
    await waitUntil("it has acknowledged", async () => (await world().refs()).get("amko/applied/cluster3") === head);
    for (const outcome of ["accepted", "ignored", "refused"]) {
      expect([outcome, await read(third, `webhook_deliveries_total{outcome="${outcome}"}`)]).toEqual([outcome, 1]);
    }
    await waitForSeries(third, 'wakes_total{reason="hook"}', (count) => count === 1);
    await restart(third);
  });
});

async function restart(cluster: WorldCluster, flags: Readonly<Record<string, string>> = {}): Promise<void> {
  await cluster.agent()?.stop();
  await waitUntil(`the agent of ${cluster.name} has ended`, async () => cluster.agent() === null);
  cluster.startAgent(flags);
}

/** The head, once the branch has that ttl. */
async function waitForHead(ttl: number): Promise<string> {
  const { git, head } = world();
  await waitUntil(`the branch says ttl: ${ttl}`, async () =>
    (await git("show", `main:federation/globaldeploymentpolicy/${GDP}.yaml`)).includes(`ttl: ${ttl}`),
  );
  return head();
}
