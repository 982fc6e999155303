import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parseMessage } from "../../src/core/message.ts";
import type { FederatedKind, Json, LiveObject } from "../../src/core/model.ts";
import { contentOf } from "../../src/core/snapshot.ts";
import { globalDeploymentPolicy, gslbConfig, UUID } from "../support/builders.ts";
import {
  LEADER_OBJECTS,
  objectFrom,
  POLL_REQUESTS_MAX,
  type World,
  type WorldCluster,
  waitUntil,
} from "../support/world.ts";
import { tellLogs, useWorld } from "./use-world.ts";

const world = useWorld();
const GDP = "global-gdp";
const FILES: Readonly<Record<FederatedKind, string>> = {
  GSLBConfig: "federation/gslbconfig/gc-1.yaml",
  GlobalDeploymentPolicy: `federation/globaldeploymentpolicy/${GDP}.yaml`,
};

/** Waits until every cluster is in sync with a head other than `before`, and the followers' objects equal the leader's. */
async function federated(
  { settled, head, leader, followers }: World,
  before: string,
  kind: FederatedKind,
  name: string,
) {
  await waitUntil("the leader's agent has committed", async () => (await head()) !== before);
  const commit = await settled();
  const wanted = await leader.objects.get(kind, name);
  for (const { objects } of followers) expect(contentIn(await objects.get(kind, name))).toEqual(contentIn(wanted));
  return commit;
}

function contentIn(object: LiveObject | null) {
  return object === null ? null : contentOf(object);
}

async function messageOf({ git }: World, commit: string): Promise<string> {
  return git("show", "--no-patch", "--format=%B", commit);
}

async function fileAt({ git }: World, commit: string, path: string): Promise<Json> {
  return parse(await git("show", `${commit}:${path}`), { version: "1.1" }) as Json;
}

describe("at the start", () => {
  test("followers without objects receive both kinds, with the UUID", async () => {
    tellLogs(world());
    for (const { objects } of world().clusters) {
      for (const object of Object.values(LEADER_OBJECTS)) {
        const found = await objects.get(object.kind as FederatedKind, object.metadata.name);
        expect(found?.spec).toEqual(object.spec);
        expect(found?.metadata.annotations).toMatchObject(object.metadata.annotations ?? {});
      }
    }
  });

  test("nothing is committed while the leader's cluster equals git", async () => {
    expect(await world().git("rev-list", "--count", "main")).toBe("1");
  });

  test("every cluster has one acknowledgement and one identity, the leader alone its claim, and nobody anything else", async () => {
    const { refs, head, git } = world();
    const found = await refs();
    expect([...found.keys()].toSorted()).toEqual([
      "amko/applied/cluster1",
      "amko/applied/cluster2",
      "amko/applied/cluster3",
      "amko/identity/cluster1",
      "amko/identity/cluster2",
      "amko/identity/cluster3",
      "amko/leading/cluster1",
      "main",
    ]);
    const main = await head();
    for (const [ref, commit] of found) {
      if (ref.startsWith("amko/applied/")) expect(commit).toBe(main);
      // An orphan: it shares nothing with the branch.
      if (/^amko\/(identity|leading)\//.test(ref)) expect(await git("rev-list", "--count", commit)).toBe("1");
    }
  });

  test("an identity tells the namespace's UID, the branch and the folder", async () => {
    for (const { name, objects } of world().clusters) {
      const { body } = await objects.request("GET", "/api/v1/namespaces/avi-system");
      const namespace = body as unknown as LiveObject;
      expect(await fileAt(world(), `amko/identity/${name}`, "identity.yaml")).toEqual({
        branch: "main",
        namespaceUid: namespace.metadata.uid,
        path: "",
      });
    }
  });

  test("the leader says in AMKO's words that all is well, a follower that it does not lead", async () => {
    const { leader, followers } = world();
    const well = "federated to all valid clusters successfully";
    await waitUntil("the leader knows that both followers hold everything", async () => {
      const { status, reason } = await leader.condition("GDP Federation");
      return status === well || `${status} ${reason}`;
    });
    expect(await leader.condition("GSLBConfig Federation")).toEqual({ status: well, reason: "" });
    expect(await leader.condition("current AMKOCluster Validation")).toMatchObject({
      status: "valid AMKOCluster object",
    });
    expect(await leader.condition("member cluster validation")).toMatchObject({
      status: "validated all member clusters",
    });
    for (const follower of followers) {
      expect(await follower.condition("current AMKOCluster Validation")).toEqual({
        status: "won't federate objects",
        reason: "AMKO not a leader",
      });
    }
  });
});

describe("a change on the leader", () => {
  test("of the GDP becomes a commit that names fields, reason, author and object, and reaches every follower", async () => {
    tellLogs(world());
    const { leader, head, git } = world();
    const before = await head();
    await leader.objects.merge("GlobalDeploymentPolicy", GDP, {
      metadata: { annotations: { "amko-gitops.io/change-reason": "CHG-4211 move traffic to the second site" } },
      spec: { trafficSplit: [{ cluster: "cluster1", weight: 3, priority: 10 }, { cluster: "cluster2" }], ttl: null },
    });
    const commit = await federated(world(), before, "GlobalDeploymentPolicy", GDP);
    expect(await git("show", "--no-patch", "--format=%P", commit)).toBe(before);
    expect(await git("show", "--no-patch", "--format=%an <%ae>|%cn <%ce>", commit)).toBe(
      "amko-gitops <amko-gitops@cluster1>|amko-gitops <amko-gitops@cluster1>",
    );
    const message = await messageOf(world(), commit);
    const { subject, trailers } = parseMessage(message);
    expect(subject).toBe("federation: update GlobalDeploymentPolicy global-gdp");
    expect(message).toContain("spec.ttl: 10 -> (removed)\n");
    expect(message).toContain("spec.trafficSplit[cluster1].weight: 5 -> 3\n");
    expect(message).toContain("\nCHG-4211 move traffic to the second site\n");
    expect(trailers).toEqual([
      { key: "Federated-From", value: "cluster1" },
      { key: "Amko-Version", value: "1.4.2" },
      { key: "Changed-With", value: "kubectl-edit" },
      { key: "Object", value: "GlobalDeploymentPolicy avi-system/global-gdp" },
      { key: "Export-Id", value: expect.stringMatching(/^[0-9a-f]{32}$/) },
    ]);
    expect(await git("diff-tree", "-r", "--name-status", before, commit)).toBe(`M\t${FILES.GlobalDeploymentPolicy}`);
    // The reason was for this one commit: the snapshot holds what is federated and nothing else.
    expect(await fileAt(world(), commit, FILES.GlobalDeploymentPolicy)).toMatchObject({
      metadata: { name: GDP, namespace: "avi-system" },
    });
  });

  test("of the GSLBConfig does the same, and keeps the UUID", async () => {
    tellLogs(world());
    const { leader, followers, head } = world();
    const before = await head();
    await leader.objects.merge("GSLBConfig", "gc-1", { spec: { logLevel: "DEBUG", gslbLeader: { tenant: null } } });
    const commit = await federated(world(), before, "GSLBConfig", "gc-1");
    const message = await messageOf(world(), commit);
    expect(message).toContain('spec.gslbLeader.tenant: "admin" -> (removed)\n'.replaceAll('"', ""));
    expect(message).toContain("spec.logLevel: INFO -> DEBUG\n");
    for (const { objects } of followers) {
      const object = await objects.get("GSLBConfig", "gc-1");
      expect(object?.metadata.annotations).toMatchObject({ "amko.vmware.com/amko-uuid": UUID });
    }
  });

  test.each<{ kind: FederatedKind; name: string }>([
    { kind: "GlobalDeploymentPolicy", name: GDP },
    { kind: "GSLBConfig", name: "gc-1" },
  ])(
    "that deletes the $kind is a tombstone in git and a deletion on every follower; creating it again undoes both",
    async ({ kind, name }) => {
      tellLogs(world());
      const { leader, clusters, followers, head, settled } = world();
      const before = await head();
      await leader.objects.remove(kind, name);
      const entombed = await federated(world(), before, kind, name);
      for (const { objects } of followers) expect(await objects.get(kind, name)).toBeNull();
      expect(await messageOf(world(), entombed)).toContain(`federation: delete ${kind} ${name}\n`);
      expect(await fileAt(world(), entombed, FILES[kind])).toMatchObject({
        metadata: { annotations: { "amko-gitops.io/deleted": "deleted on cluster1" } },
      });
      await leader.objects.create(LEADER_OBJECTS[kind]);
      const created = await federated(world(), entombed, kind, name);
      expect(await messageOf(world(), created)).toContain(`federation: create ${kind} ${name}\n`);
      for (const { objects } of clusters) {
        expect(contentIn(await objects.get(kind, name))).toMatchObject({ spec: LEADER_OBJECTS[kind].spec as Json });
      }
      await settled();
    },
  );

  test("of both kinds at once reaches the followers, in one commit or two", async () => {
    const { leader, head } = world();
    const before = await head();
    await Promise.all([
      leader.objects.merge("GSLBConfig", "gc-1", { spec: { refreshInterval: 900 } }),
      leader.objects.merge("GlobalDeploymentPolicy", GDP, { spec: { ttl: 33 } }),
    ]);
    await waitUntil("git holds both", async () => {
      const config = JSON.stringify(await fileAt(world(), "main", FILES.GSLBConfig));
      const policy = JSON.stringify(await fileAt(world(), "main", FILES.GlobalDeploymentPolicy));
      return config.includes('"refreshInterval":900') && policy.includes('"ttl":33');
    });
    await federated(world(), before, "GSLBConfig", "gc-1");
    await federated(world(), before, "GlobalDeploymentPolicy", GDP);
  });
});

/** The spec that each update makes of the GDP, one after the other. */
const UPDATES: readonly (readonly [what: string, spec: Json])[] = [
  ["adds fields", { ...policy(), healthMonitorRefs: ["hm-1", "hm-2"], defaultDomain: "example.com" }],
  ["changes fields", { ...policy(), ttl: 0, healthMonitorRefs: ["hm-2"], defaultDomain: "example.org" }],
  ["removes fields", { matchRules: { appSelector: { label: { app: "gslb" } } } }],
  [
    "adds array elements and leaves weight and priority to their defaults",
    {
      ...policy(),
      trafficSplit: [{ cluster: "cluster1" }, { cluster: "cluster2", weight: 20 }, { cluster: "cluster3" }],
    },
  ],
  [
    "changes array elements and gives a default where it was left out",
    {
      ...policy(),
      trafficSplit: [
        { cluster: "cluster1", weight: 1, priority: 10 },
        { cluster: "cluster2", weight: 2 },
      ],
    },
  ],
  ["reorders and removes array elements", { ...policy(), trafficSplit: [{ cluster: "cluster2", weight: 2 }] }],
  ["empties lists and maps", { ...policy(), trafficSplit: [], matchRules: { appSelector: { label: {} } } }],
  [
    "holds strings that YAML 1.1 would read as something else",
    {
      ...policy(),
      matchRules: {
        appSelector: { label: { on: "yes", no: "off", "012": "0x1F", "12:30": "1_000", null: "~", "": "true" } },
        namespaceSelector: { label: { "a.b/c": "2001-01-01", "1e3": ".inf", "<<": "=", y: "n" } },
      },
      healthMonitorRefs: ["- x", "# y", "a: b", "'", '"', "\\", "%", "@", "`", "!tag", "&a", "*a", "|", ">", "{", "["],
    },
  ],
  [
    "holds strings of every script, with line breaks, tabs and blanks at their ends",
    {
      ...policy(),
      healthMonitorTemplate: " führend\tund folgend\n\nzweite Zeile \r\n",
      sitePersistenceRef: "日本語 العربية 🙂 \u{1F9D1}\u200D\u{1F680}",
      defaultDomain: "\u0085\u2028\ufeff",
      healthMonitorRefs: ["", " ", "x".repeat(5000)],
    },
  ],
  ["comes back to where it was", policy()],
];

function policy() {
  return { ...globalDeploymentPolicy().spec };
}

describe("the followers' object equals the leader's", () => {
  test.each(UPDATES)("after an update that %s", async (_, spec) => {
    tellLogs(world());
    const { leader, head } = world();
    const before = await head();
    const object = await leader.objects.get("GlobalDeploymentPolicy", GDP);
    if (object === null) throw new TypeError("the leader has no GDP");
    await leader.objects.replace({ ...object, spec });
    const commit = await federated(world(), before, "GlobalDeploymentPolicy", GDP);
    const stored = await leader.objects.get("GlobalDeploymentPolicy", GDP);
    expect(await fileAt(world(), commit, FILES.GlobalDeploymentPolicy)).toMatchObject({ spec: stored?.spec });
  });

  test("after somebody commits a snapshot that leaves out what has a default, and nothing is exported back", async () => {
    tellLogs(world());
    const { person, settled, clusters, head, polls } = world();
    const spec = { ...policy(), trafficSplit: [{ cluster: "cluster1" }, { cluster: "cluster2", weight: 7 }] };
    const text = JSON.stringify(objectFrom(globalDeploymentPolicy({ spec })));
    const commit = await person.push({ [FILES.GlobalDeploymentPolicy]: text });
    expect(await settled()).toBe(commit);
    for (const { objects } of clusters) {
      const object = await objects.get("GlobalDeploymentPolicy", GDP);
      expect(object?.spec).toMatchObject({
        trafficSplit: [
          { cluster: "cluster1", weight: 1, priority: 10 },
          { cluster: "cluster2", weight: 7, priority: 10 },
        ],
      });
    }
    await polls(2);
    expect(await head()).toBe(commit);
  });

  test("after somebody commits a new GSLBConfig, also on the leader", async () => {
    const { person, settled, clusters } = world();
    const spec = { ...gslbConfig().spec, logLevel: "ERROR" };
    await person.push({ [FILES.GSLBConfig]: JSON.stringify(objectFrom(gslbConfig({ spec }))) });
    await settled();
    for (const { objects } of clusters) {
      expect((await objects.get("GSLBConfig", "gc-1"))?.spec).toMatchObject({ logLevel: "ERROR" });
    }
  });

  test("after somebody edits it on a follower, whose edit is kept in a rescue branch", async () => {
    tellLogs(world());
    const { followers, leader, refs, git } = world();
    const [follower] = followers;
    if (follower === undefined) throw new TypeError("the world has no follower");
    await follower.objects.merge("GlobalDeploymentPolicy", GDP, { spec: { ttl: 4242 } });
    await waitUntil("the follower's object is the leader's again", async () => {
      const [wanted, found] = await Promise.all(
        [leader, follower].map(({ objects }) => objects.get("GlobalDeploymentPolicy", GDP)),
      );
      return JSON.stringify(found?.spec) === JSON.stringify(wanted?.spec);
    });
    const rescued = [...(await refs()).keys()].filter((ref) => ref.startsWith(`amko/rescue/${follower.name}/`));
    expect(rescued).toHaveLength(1);
    expect(await git("show", `${rescued[0]}:${FILES.GlobalDeploymentPolicy}`)).toContain("ttl: 4242");
  });
});

test("an edit on the leader counts also where git once had that very value and was put back", async () => {
  tellLogs(world());
  const { leader, followers, person, settled, head } = world();
  await settled();
  const now = 4300;
  const text = (ttl: number): string =>
    JSON.stringify(objectFrom(globalDeploymentPolicy({ spec: { ...policy(), ttl } })));
  await person.push({ [FILES.GlobalDeploymentPolicy]: text(now) }, "Have one value");
  await settled();
  // Both at once, so that no agent ever held what stood in between.
  await leader.agent()?.stop();
  await person.push({ [FILES.GlobalDeploymentPolicy]: text(now + 1) }, "Have another value");
  await person.push({ [FILES.GlobalDeploymentPolicy]: text(now) }, "Put it back");
  leader.startAgent();
  const before = await settled();
  await leader.objects.merge("GlobalDeploymentPolicy", GDP, { spec: { ttl: now + 1 } });
  await federated(world(), before, "GlobalDeploymentPolicy", GDP);
  for (const { objects } of [leader, ...followers]) {
    expect((await objects.get("GlobalDeploymentPolicy", GDP))?.spec).toMatchObject({ ttl: now + 1 });
  }
  expect(await head()).not.toBe(before);
});

interface Counted {
  readonly writes: readonly string[];
  readonly reads: readonly string[];
  readonly git: readonly string[];
}

/** What an agent asked for since `mark`. */
function requestsSince(
  { apiProxy, gitProxy }: WorldCluster,
  mark: { readonly api: number; readonly git: number },
): Counted {
  const api = apiProxy.log().slice(mark.api);
  const show = ({ method, url }: { readonly method: string; readonly url: string }): string => `${method} ${url}`;
  return {
    // A dry run is a question.
    writes: api.filter(({ method, url }) => method !== "GET" && !url.includes("dryRun=All")).map(show),
    reads: api.filter(({ method, url }) => method === "GET" && !url.includes("watch=true")).map(show),
    git: gitProxy.log().slice(mark.git).map(show),
  };
}

function mark({ apiProxy, gitProxy }: WorldCluster): { readonly api: number; readonly git: number } {
  return { api: apiProxy.log().length, git: gitProxy.log().length };
}

describe("at rest", () => {
  const POLLS = 2;

  test("an agent asks the git server at most twice a poll, and its API server nothing", async () => {
    tellLogs(world());
    const { clusters, settled, polls, leader } = world();
    await settled();
    await waitUntil("the leader knows that both followers hold everything", async () => {
      const { status, reason } = await leader.condition("GDP Federation");
      return status === "federated to all valid clusters successfully" || reason;
    });
    // What was under way when the last acknowledgement arrived comes to its end.
    await polls(2);
    const marks = clusters.map(mark);
    const startedAtSeconds = Math.floor(Date.now() / 1000);
    await polls(POLLS);
    const counted = clusters.map((cluster, index) => requestsSince(cluster, marks[index] ?? { api: 0, git: 0 }));
    const ticks = Math.floor(Date.now() / 1000) - startedAtSeconds + 1;
    for (const { writes, reads, git } of counted) {
      expect(writes).toEqual([]);
      expect(reads).toEqual([]);
      // A poll is due once a second at most, so more than this would be more than two requests for one.
      expect(git.length).toBeGreaterThan(0);
      expect(git.length).toBeLessThanOrEqual(POLL_REQUESTS_MAX * ticks);
      expect(git.join("\n")).not.toContain("git-receive-pack");
    }
  });

  test("a reconcile that finds nothing new writes nothing anywhere", async () => {
    tellLogs(world());
    const { clusters, settled, polls, git } = world();
    const commit = await settled();
    const before = await git("for-each-ref");
    const marks = clusters.map(mark);
    // A label is nobody's business here, but its change wakes every agent.
    for (const { objects } of clusters) {
      await objects.merge("GlobalDeploymentPolicy", GDP, { metadata: { labels: { "example.com/touched": "yes" } } });
    }
    for (const [index, cluster] of clusters.entries()) {
      await waitUntil(`the agent of ${cluster.name} has looked`, async () => {
        return requestsSince(cluster, marks[index] ?? mark(cluster)).reads.length > 0;
      });
    }
    await polls(POLLS);
    for (const [index, cluster] of clusters.entries()) {
      const { writes, git: asked } = requestsSince(cluster, marks[index] ?? mark(cluster));
      expect(writes).toEqual([]);
      expect(asked.join("\n")).not.toContain("git-receive-pack");
    }
    expect(await git("for-each-ref")).toBe(before);
    expect(await settled()).toBe(commit);
  });

  test("an agent that starts anew with nothing new writes nothing anywhere", async () => {
    tellLogs(world());
    const { clusters, settled, polls, git } = world();
    const commit = await settled();
    await polls(2);
    const before = await git("for-each-ref");
    for (const cluster of clusters) {
      await cluster.agent()?.stop();
      const from = mark(cluster);
      cluster.startAgent();
      await polls(POLLS);
      const { writes, reads, git: asked } = requestsSince(cluster, from);
      expect(reads.length).toBeGreaterThan(0);
      expect(writes).toEqual([]);
      expect(asked.join("\n")).not.toContain("git-receive-pack");
    }
    expect(await git("for-each-ref")).toBe(before);
    expect(await settled()).toBe(commit);
  }, 120_000);
});
