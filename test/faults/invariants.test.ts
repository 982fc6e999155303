import { rename } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { useWorld } from "../e2e/use-world.ts";
import { clusterOf, editPolicy, FILES, GDP } from "../support/federation.ts";
import { commitTree, setBranch } from "../support/git.ts";
import {
  branchGrewBy,
  deletedWithTombstone,
  type Finding,
  holdsRevision,
  isAcknowledged,
  leadsAlone,
  refsAreThose,
  repositoryIsSound,
  wasRescued,
} from "../support/invariants.ts";
import { AMKO_CLUSTER, federationFiles, LEADER_OBJECTS, type World } from "../support/world.ts";

/** Each check sees the harm that it is there for. Nobody mends anything here: the agents have ended. */

const NAMES = ["cluster1", "cluster2"];
const world = useWorld({ clusters: NAMES });

beforeAll(async () => {
  for (const { agent } of world().clusters) await agent()?.stop();
});

interface Harm {
  readonly what: string;
  readonly check: (world: World) => Promise<Finding>;
  /** Does the harm, and returns what takes it back. */
  readonly harm: (world: World) => Promise<() => Promise<unknown>>;
}

const follower = (of: World) => clusterOf(of, "cluster2");
const moveRef = (ref: string, to: (of: World) => Promise<string | null>) => async (of: World) => {
  const before = (await of.refs()).get(ref) ?? null;
  await setBranch(of.repositoryFolder, ref, (await to(of)) as typeof before);
  return () => setBranch(of.repositoryFolder, ref, before);
};
const anotherCommit = async ({ repositoryFolder, head }: World): Promise<string> =>
  commitTree(repositoryFolder, { files: { "README.md": "nothing else\n" }, parents: [await head()] });

/** Where git keeps an object that was written by itself. */
const fileOf = (repository: string, id: string): string => join(repository, "objects", id.slice(0, 2), id.slice(2));

const HARMS: readonly Harm[] = [
  {
    what: "a follower's object that is not what the branch says",
    check: (of) => holdsRevision(of, follower(of), "main"),
    async harm(of) {
      await editPolicy(follower(of), { ttl: 77 });
      return () => editPolicy(follower(of), { ttl: 10 });
    },
  },
  {
    what: "an object that is gone without a tombstone",
    check: (of) => deletedWithTombstone(of, follower(of)),
    async harm(of) {
      await follower(of).objects.remove("GlobalDeploymentPolicy", GDP);
      return () => follower(of).objects.create(LEADER_OBJECTS.GlobalDeploymentPolicy);
    },
  },
  {
    what: "two local leaders",
    check: (of) => leadsAlone(of, of.leader),
    async harm(of) {
      await follower(of).objects.merge("AMKOCluster", AMKO_CLUSTER, { spec: { isLeader: true } });
      return () => follower(of).objects.merge("AMKOCluster", AMKO_CLUSTER, { spec: { isLeader: false } });
    },
  },
  {
    what: "a revision that was not acknowledged",
    check: isAcknowledged,
    harm: moveRef("amko/applied/cluster2", anotherCommit),
  },
  {
    what: "a ref that nobody needs",
    check: (of) => refsAreThose(of, "cluster1"),
    harm: moveRef("amko/propose/cluster2/version", ({ head }) => head()),
  },
  {
    what: "a claim that is missing",
    check: (of) => refsAreThose(of, "cluster1"),
    harm: moveRef("amko/leading/cluster1", async () => null),
  },
  {
    what: "an object that git has lost",
    check: repositoryIsSound,
    async harm({ repositoryFolder, git }) {
      const file = fileOf(repositoryFolder, await git("rev-parse", `main:${FILES.GSLBConfig}`));
      await rename(file, `${file}.away`);
      return () => rename(`${file}.away`, file);
    },
  },
];

test.each(HARMS)("$what is found", async ({ check, harm }) => {
  expect(await check(world())).toBeNull();
  const mend = await harm(world());
  const finding = await check(world());
  await mend();
  expect(finding).not.toBeNull();
});

test("a commit that git does not have is no revision without files", async () => {
  const missing = "0123456789".repeat(4);
  await expect(holdsRevision(world(), follower(world()), missing)).rejects.toThrow(/invalid object name/);
  const empty = await commitTree(world().repositoryFolder, { files: { "README.md": "nothing\n" } });
  expect(await holdsRevision(world(), follower(world()), empty)).toBeNull();
});

test("a rescue is found by its words, and is missed where there is none", async () => {
  const { repositoryFolder } = world();
  const files = { [FILES.GlobalDeploymentPolicy]: "spec:\n  defaultDomain: drift-1.example.com\n" };
  const rescued = await commitTree(repositoryFolder, { files });
  await setBranch(repositoryFolder, "amko/rescue/cluster2/0123", rescued);
  expect(await wasRescued(world(), "cluster2", "drift-1.example.com")).toBeNull();
  expect(await wasRescued(world(), "cluster2", "drift-2.example.com")).not.toBeNull();
  await setBranch(repositoryFolder, "amko/rescue/cluster2/0123", null);
});

test("commits are counted by who made them, and an export by a cluster that did not lead is found", async () => {
  const { repositoryFolder, head } = world();
  const before = await head();
  const files = { ...federationFiles(NAMES), "README.md": "more\n" };
  const onTop = async (from: string): Promise<void> => {
    const message = `federation: update\n\nFederated-From: ${from}\n`;
    const commit = await commitTree(repositoryFolder, { files, parents: [before], message, author: "amko-gitops" });
    await setBranch(repositoryFolder, "main", commit);
  };
  await onTop("cluster1");
  expect(await branchGrewBy(world(), before, { people: 0, agents: 1 })).toBeNull();
  expect(await branchGrewBy(world(), before, { people: 1, agents: 0 })).not.toBeNull();
  await onTop("cluster2");
  expect(await branchGrewBy(world(), before, { people: 0, agents: 1 })).toContain("exported by cluster2");
  await setBranch(repositoryFolder, "main", before);
});
