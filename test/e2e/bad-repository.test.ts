import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { CommitId, FederatedKind } from "../../src/core/model.ts";
import { editPolicy, ttlOf, waitForLog, waitForPolicy } from "../support/federation.ts";
import type { PersonalChange } from "../support/person.ts";
import { federationFiles, LEADER_OBJECTS, type WorldCluster, waitUntil } from "../support/world.ts";
import { tellLogs, useWorld } from "./use-world.ts";

const world = useWorld();
const GDP = "global-gdp";
const GDP_FILE = `federation/globaldeploymentpolicy/${GDP}.yaml`;
const CONFIG_FILE = "federation/gslbconfig/gc-1.yaml";
const MANIFEST_FILE = "clusters/cluster2/amkocluster.yaml";
const FILES = federationFiles();
const SOME_COMMIT = "1234567890123456789012345678901234567890" as CommitId;
const MIB = 1024 * 1024;
const LFS_POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${"a".repeat(64)}\nsize 12345\n`;

interface BadFile {
  readonly what: string;
  readonly code: string;
  /** The bad file, from the good one's text. */
  readonly bad: (good: string) => PersonalChange;
}

const BAD_FILES: readonly BadFile[] = [
  { what: "malformed YAML", code: "AG1005", bad: () => "apiVersion: [\nkind: {" },
  { what: "two documents", code: "AG1006", bad: (good) => `${good}\n---\n${good}` },
  { what: "a duplicate key", code: "AG1007", bad: (good) => good.replace("{", '{"kind": "Other", ') },
  { what: "an alias", code: "AG1008", bad: () => "a: &a {}\nb: *a\n" },
  { what: "a symlink", code: "AG1001", bad: () => ({ symlink: "../../README.md" }) },
  { what: "a submodule", code: "AG1001", bad: () => ({ submodule: SOME_COMMIT }) },
  { what: "a Git LFS pointer", code: "AG1003", bad: () => LFS_POINTER },
  { what: "a file over the limit", code: "AG1002", bad: (good) => `${good}\n#${"x".repeat(MIB)}\n` },
  { what: "a wrong kind", code: "AG1009", bad: (good) => good.replace(/"kind": ?"\w+"/, '"kind":"ConfigMap"') },
  { what: "bytes that are not UTF-8", code: "AG1004", bad: () => Buffer.from([0x61, 0x3a, 0x20, 0xff, 0xfe, 0x0a]) },
];

/** Text that is JSON, so that every case can be made of it. */
function goodText(path: string): string {
  if (path === GDP_FILE) return JSON.stringify(LEADER_OBJECTS.GlobalDeploymentPolicy);
  if (path === CONFIG_FILE) return JSON.stringify(LEADER_OBJECTS.GSLBConfig);
  return FILES[path] ?? "";
}

async function says({ name, condition }: WorldCluster, ...words: readonly string[]): Promise<void> {
  await waitUntil(`${name} says ${words.join(", ")}`, async () => {
    const { status, reason } = await condition("Synced");
    return (status !== "True" && words.every((word) => reason.includes(word))) || `${status} ${reason}`;
  });
}

let edits = 100;

/**
 * Edits the leader's GDP while everybody holds, mends the file, and shows that the edit was exported on top of the
 * mending and not before it, and reached everybody then.
 */
async function expectHeldUntilMended(broken: CommitId, mend: () => Promise<CommitId>): Promise<void> {
  const { leader, followers, settled, git } = world();
  edits += 1;
  const ttls = await Promise.all(followers.map(ttlOf));
  const looked = leader.apiProxy.log().length;
  await editPolicy(leader, { ttl: edits });
  await waitUntil("the leader's agent has seen the edit", async () => {
    return leader.apiProxy
      .log()
      .slice(looked)
      .some(({ url }) => url.includes("globaldeploymentpolicies?limit"));
  });
  expect(await Promise.all(followers.map(ttlOf))).toEqual(ttls);
  const mended = await mend();
  await waitForPolicy(followers, { ttl: edits });
  await settled();
  expect(await git("rev-parse", `${mended}^`)).toBe(broken);
  expect(await git("rev-parse", "main^")).toBe(mended);
}

/** After each test the agents are those that ran before it: none has ended, whatever it was given. */
const pids = new Map<string, number>();
afterEach(() => {
  for (const { name, agent } of world().clusters) {
    const pid = agent()?.pid;
    if (pid === undefined) continue;
    expect(pids.get(name) ?? pid).toBe(pid);
    pids.set(name, pid);
  }
});

describe("a manifest that may hold a claim and cannot be read", () => {
  test.each(BAD_FILES)("because of $what stops everybody, who say so, until it is mended", async ({ bad }) => {
    tellLogs(world());
    const { clusters, person, settled } = world();
    await settled();
    const good = goodText(MANIFEST_FILE);
    const broken = await person.slip({ [MANIFEST_FILE]: bad(good) }, "Break a manifest");
    for (const cluster of clusters) await says(cluster, "AG5003", MANIFEST_FILE);
    for (const cluster of clusters) await waitForLog(cluster, 0, ["AG5003"]);
    await expectHeldUntilMended(broken, () => person.push({ [MANIFEST_FILE]: good }, "Mend the manifest"));
  });

  test.each([
    {
      what: "with another version excludes its cluster",
      text: goodText(MANIFEST_FILE).replace("1.4.2", "1.5.0"),
      code: "AG5007",
    },
    {
      what: "with another cluster's context excludes its cluster",
      text: goodText(MANIFEST_FILE).replace('"clusterContext": "cluster2"', '"clusterContext": "cluster9"'),
      code: "AG5010",
    },
  ])("$what; the others go on", async ({ text, code }) => {
    tellLogs(world());
    const { leader, followers, person, settled } = world();
    await settled();
    const [second, third] = followers as readonly [WorldCluster, WorldCluster];
    expect(text).not.toBe(goodText(MANIFEST_FILE));
    await person.push({ [MANIFEST_FILE]: text }, "Break a manifest");
    await says(second, code);
    await waitForLog(second, 0, [code]);
    await waitUntil("the leader names the cluster", async () => {
      const { status, reason } = await leader.condition("member cluster validation");
      return (status === "error in validating some member clusters" && reason.includes("cluster2")) || reason;
    });
    edits += 1;
    const left = await ttlOf(second);
    await editPolicy(leader, { ttl: edits });
    await waitUntil("the third cluster holds the change", async () => (await ttlOf(third)) === edits);
    expect(await ttlOf(second)).toBe(left);
    await person.push({ [MANIFEST_FILE]: goodText(MANIFEST_FILE) }, "Mend the manifest");
    await settled();
    expect(await ttlOf(second)).toBe(edits);
  });
});

const BAD_SNAPSHOTS: readonly BadFile[] = [
  ...BAD_FILES,
  { what: "a wrong namespace", code: "AG1010", bad: (good) => good.replaceAll("avi-system", "default") },
  { what: "another name than its file's", code: "AG1011", bad: (good) => good.replace(/"name":"[^"]+"/, '"name":"x"') },
  { what: "a field that does not fit", code: "AG1012", bad: (good) => good.replace(/"ttl":\d+/, '"ttl":-1') },
];

/** One of each shape: a bad text, what is no file, and a good object in the wrong place. */
const HEALED = ["malformed YAML", "a symlink", "a submodule", "a file over the limit", "another name than its file's"];
const HEALED_SNAPSHOTS = BAD_SNAPSHOTS.filter(({ what }) => HEALED.includes(what));

const KIND: FederatedKind = "GlobalDeploymentPolicy";

/** A file for an object with other values in its spec. */
function textWith(kind: FederatedKind, changes: Readonly<Record<string, number>>): string {
  const object = LEADER_OBJECTS[kind];
  return JSON.stringify({ ...object, spec: { ...(object.spec as object), ...changes } });
}

describe("a snapshot that cannot be used, while no leader is there to heal it,", () => {
  beforeAll(async () => {
    await world().settled();
    await world().leader.agent()?.stop();
    pids.delete(world().leader.name);
  });

  afterAll(async () => {
    world().leader.startAgent();
    await world().settled();
  });

  test.each(BAD_SNAPSHOTS)(
    "because of $what changes nothing on followers, who say so; mended, it is applied",
    async ({ bad, code }) => {
      tellLogs(world());
      const { followers, person, settled } = world();
      await settled();
      edits += 1;
      const before = await Promise.all(followers.map(({ objects }) => objects.get(KIND, GDP)));
      // The other kind goes on, in the very same commit.
      await person.push(
        { [GDP_FILE]: bad(goodText(GDP_FILE)), [CONFIG_FILE]: textWith("GSLBConfig", { refreshInterval: edits }) },
        "Break the GDP, edit the GSLBConfig",
      );
      for (const follower of followers) await says(follower, code, GDP_FILE);
      for (const follower of followers) await waitForLog(follower, 0, [code]);
      for (const [index, { objects }] of followers.entries()) {
        expect((await objects.get(KIND, GDP))?.spec).toEqual(before[index]?.spec);
        expect((await objects.get("GSLBConfig", "gc-1"))?.spec).toMatchObject({ refreshInterval: edits });
      }
      await person.push({ [GDP_FILE]: textWith(KIND, { ttl: edits }) }, "Mend the GDP");
      await settled();
      expect(await Promise.all(followers.map(ttlOf))).toEqual([edits, edits]);
    },
  );
});

describe("a snapshot that cannot be used", () => {
  test.each(HEALED_SNAPSHOTS)(
    "because of $what is healed by the leader, and no follower ever changes",
    async ({ bad }) => {
      tellLogs(world());
      const { leader, followers, person, head, settled, git } = world();
      await settled();
      const wanted = (await leader.objects.get(KIND, GDP))?.spec;
      const versions = await Promise.all(followers.map(({ objects }) => objects.get(KIND, GDP)));
      const broken = await person.push({ [GDP_FILE]: bad(goodText(GDP_FILE)) }, "Break the GDP");
      await waitUntil("the leader's agent has exported over it", async () => (await head()) !== broken);
      await settled();
      expect(await git("log", "-1", "--format=%an", "main")).toBe("amko-gitops");
      expect(await git("ls-tree", "main", GDP_FILE)).toMatch(/^100644 blob /);
      for (const [index, { objects }] of followers.entries()) {
        const object = await objects.get(KIND, GDP);
        expect(object?.spec).toEqual(wanted);
        expect(object?.metadata.uid).toBe(versions[index]?.metadata.uid);
      }
    },
  );
});

describe("claims", () => {
  test("of two leaders stop everybody, who name both, until one is withdrawn", async () => {
    tellLogs(world());
    const { clusters, person, settled } = world();
    await settled();
    const claiming = goodText(MANIFEST_FILE).replace('"isLeader": false', '"isLeader": true');
    const broken = await person.slip({ [MANIFEST_FILE]: claiming }, "Claim leadership twice");
    for (const cluster of clusters) await says(cluster, "AG5002", "cluster1", "cluster2");
    const good = goodText(MANIFEST_FILE);
    await expectHeldUntilMended(broken, () => person.push({ [MANIFEST_FILE]: good }, "Withdraw the claim"));
  });
});
