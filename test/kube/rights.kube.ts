import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { KINDS, type LiveObject, NAMESPACE } from "../../src/core/model.ts";
import { describeRight, RIGHTS, type Right } from "../../src/core/rights.ts";
import { startAgentProcess } from "../../src/sandbox/agent-process.ts";
import { createBareRepository } from "../../src/sandbox/bare-repository.ts";
import { type GitServer, startGitServer } from "../../src/sandbox/git-server.ts";
import { askAsAdmin } from "../kubernetes/gate.ts";
import { ManualClock, never, open, plainConnection } from "../kubernetes/support.ts";
import { globalDeploymentPolicy, gslbConfig, manifest, snapshotFile } from "../support/builders.ts";
import { branchHead, commitTree, setBranch } from "../support/git.ts";
import { type KubeCluster, kubeconfigOf, startKubeCluster } from "../support/kube-clusters.ts";
import { amkoClusterOf, federationFiles, LEADER_OBJECTS, waitUntil } from "../support/world.ts";
import { KUBE_ETCD_URL, told } from "./environment.ts";
import { requestAgentToken } from "./install.ts";
import { installAccountWithout } from "./rights.ts";

/**
 * With the shipped Role an agent lives a whole life and is refused nothing; with any one right taken out of it the same
 * life comes to a point where the API server refuses, and the agent says which right it lacks. Each life is one of a
 * leader that two people work with, one in git and one in the cluster, and that hands its office over.
 */

const CLUSTERS = ["cluster1", "cluster2"];
const [SELF, OTHER] = ["cluster1", "cluster2"];
const LIFE_MAX_MS = 240_000;

/** An Event is counted when it happens again after a minute: no life here is that long. It is looked at by itself. */
const COUNTING = "patch events";
const MINUTE_MS = 60_000;

const folder = mkdtempSync(join(tmpdir(), "kube-rights-"));
let cluster: KubeCluster;
let gitServer: GitServer;

beforeAll(async () => {
  cluster = await startKubeCluster(SELF ?? "", join(folder, "kube"), told(KUBE_ETCD_URL));
  await mkdir(join(folder, "git"));
  gitServer = await startGitServer({ root: join(folder, "git") });
});

afterAll(async () => {
  await gitServer?.stop({ abruptly: true });
  await cluster?.stop();
  rmSync(folder, { recursive: true });
});

describe("an agent's life", () => {
  it("comes to its end with the Role that is shipped, and nothing is refused", { timeout: LIFE_MAX_MS }, async () => {
    const life = await startLife("whole", await requestAgentToken(cluster.upstream));
    for (const step of STEPS) await life.take(step, () => false);
    expect(await life.complaints()).toEqual([]);
  });

  const rights = RIGHTS.map((right) => [describeRight(right), right] as const).filter(([name]) => name !== COUNTING);

  it.each(rights)("shows that it lacks the right to %s", { timeout: LIFE_MAX_MS }, async (_, right) => {
    const account = await installAccountWithout(cluster.upstream, right);
    const life = await startLife(account, await requestAgentToken(cluster.upstream, account));
    for (const step of STEPS) {
      if (await life.take(step, (complaints) => complaints.some((line) => names(line, right)))) return;
    }
    expect.unreachable("it was never missed");
  });
});

describe("an Event that happens again", () => {
  const record = async (account: string | undefined): Promise<void> => {
    await furnish();
    const [regarding] = await cluster.cluster.objects.list("AMKOCluster");
    const token = await requestAgentToken(cluster.upstream, account);
    const clock = new ManualClock();
    const connection = plainConnection(cluster.cluster.url, { token: { kind: "inline", bytes: Buffer.from(token) } });
    const agent = open(cluster.cluster.url, { connection, clock }).cluster;
    const event = { type: "Normal", reason: "InSync", message: "Again.", regarding: regarding as LiveObject } as const;
    await agent.recordEvent(event, never);
    clock.advance(MINUTE_MS);
    await agent.recordEvent(event, never);
  };

  it("is counted with the Role that is shipped", () => expect(record(undefined)).resolves.toBeUndefined());

  it(`shows that the right to ${COUNTING} is lacking`, async () => {
    const right = RIGHTS.find((one) => describeRight(one) === COUNTING) as Right;
    const lacking = record(await installAccountWithout(cluster.upstream, right));
    await expect(lacking).rejects.toMatchObject({
      code: "AG3003",
      message: expect.stringContaining('cannot patch resource "events"'),
    });
  });
});

/** Whether a line of the log says, with the code for missing rights, that it is this one. */
function names(line: string, { verb, resource }: Right): boolean {
  const asked = JSON.stringify(`cannot ${verb} resource "${resource}"`).slice(1, -1);
  return line.includes("AG3003") && line.includes(asked);
}

interface Step {
  readonly what: string;
  /** What somebody does; nothing where the agent only has to begin. */
  act?(life: Life): Promise<void>;
  holds(life: Life): Promise<boolean | string>;
}

interface Life {
  /** Takes a step, and waits for what comes of it or for a complaint that `ends` it. True if it was the complaint. */
  take(step: Step, ends: (complaints: readonly string[]) => boolean): Promise<boolean>;
  /** The lines of the agent's log about missing rights. */
  complaints(): Promise<readonly string[]>;
  /** Puts a commit with these files on top of the branch. */
  commit(files: Readonly<Record<string, string>>): Promise<void>;
  readonly repository: string;
}

const FILES = federationFiles(CLUSTERS);
const TOMBSTONES = filesOf(
  snapshotFile(gslbConfig({ deleted: "for the test" })),
  snapshotFile(globalDeploymentPolicy({ deleted: "for the test" })),
);
const FLIPPED = filesOf(
  manifest(SELF ?? "", { isLeader: false, clusters: CLUSTERS }),
  manifest(OTHER ?? "", { isLeader: true, clusters: CLUSTERS }),
);

const STEPS: readonly Step[] = [
  {
    what: "it is in office and in sync",
    async holds({ repository }) {
      if ((await branchHead(repository, `amko/leading/${SELF}`)) === null) return "not in office";
      const [amkoCluster] = await cluster.cluster.objects.list("AMKOCluster");
      const status = JSON.stringify(amkoCluster?.status ?? null);
      return (await events()) > 0 && /"status":"True","type":"Synced"|"type":"Synced","status":"True"/.test(status)
        ? true
        : status;
    },
  },
  {
    what: "what somebody deleted in git is gone here",
    act: (life) => life.commit({ ...FILES, ...TOMBSTONES }),
    holds: async () => (await countObjects()) === 0,
  },
  {
    what: "what somebody put back in git is here again",
    act: (life) => life.commit(FILES),
    holds: async () => (await countObjects()) === 2,
  },
  {
    what: "it steps down for the other cluster",
    act: (life) => life.commit({ ...FILES, ...FLIPPED }),
    holds: async ({ repository }) => (await branchHead(repository, `amko/leading/${SELF}`)) === null,
  },
];

async function startLife(name: string, token: string): Promise<Life> {
  await furnish();
  const repository = await createBareRepository(join(folder, "git"), name);
  const commit = async (files: Readonly<Record<string, string>>): Promise<void> => {
    const head = await branchHead(repository, "main");
    const parents = head === null ? [] : [head];
    await setBranch(repository, "main", await commitTree(repository, { files, parents }));
  };
  await commit(FILES);
  const kubeconfig = join(folder, `${name}.kubeconfig`);
  await writeFile(kubeconfig, JSON.stringify(kubeconfigOf([{ ...cluster.context, token }])), { mode: 0o600 });
  const logFile = join(folder, `${name}.log`);
  const flags = {
    ...{ repo: gitServer.url(name), kubeconfig, poll: "* * * * * *", listen: "127.0.0.1:0" },
    "ack-interval": "200ms",
  };
  const agent = startAgentProcess({ flags, logFile });
  onTestFinished(() => agent.kill());
  const complaints = async (): Promise<readonly string[]> => {
    const text = await readFile(logFile, "utf8").catch(() => "");
    return text.split("\n").filter((line) => line.includes("AG3003"));
  };
  const life: Life = {
    repository,
    commit,
    complaints,
    async take(step, ends) {
      await step.act?.(life);
      let ended = false;
      await waitUntil(step.what, async () => {
        ended = ends(await complaints());
        return ended || (await step.holds(life));
      });
      return ended;
    },
  };
  return life;
}

/** Makes the namespace what it is after AMKO's chart was installed on a leader. */
async function furnish(): Promise<void> {
  const { upstream, cluster: test } = cluster;
  const collections = Object.values(KINDS).map(
    ({ apiVersion, plural }) => `/apis/${apiVersion}/namespaces/${NAMESPACE}/${plural}`,
  );
  for (const path of [...collections, EVENTS]) await askAsAdmin(upstream, "DELETE", path);
  await askAsAdmin(upstream, "DELETE", `/api/v1/namespaces/${NAMESPACE}/configmaps/amko-gitops`);
  for (const object of [amkoClusterOf(SELF ?? "", CLUSTERS), ...Object.values(LEADER_OBJECTS)]) {
    await test.objects.create(object);
  }
}

const EVENTS = `/api/v1/namespaces/${NAMESPACE}/events`;

async function events(): Promise<number> {
  const { body } = await askAsAdmin(cluster.upstream, "GET", EVENTS);
  return body.items.length;
}

async function countObjects(): Promise<number> {
  const { objects } = cluster.cluster;
  const lists = await Promise.all([objects.list("GSLBConfig"), objects.list("GlobalDeploymentPolicy")]);
  return lists.flat().length;
}

function filesOf(...files: readonly { readonly path: string; readonly bytes: Uint8Array | null }[]) {
  return Object.fromEntries(files.map(({ path, bytes }) => [path, new TextDecoder().decode(bytes ?? undefined)]));
}
