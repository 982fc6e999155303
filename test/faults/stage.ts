import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeKubeconfig } from "../../src/sandbox/api-server/kubeconfig.ts";
import { type Fault, type FaultProxy, type InterceptedRequest, startFaultProxy } from "../support/fault-proxy.ts";
import { clusterOf, GDP } from "../support/federation.ts";
import { startWorld, type World, type WorldCluster } from "../support/world.ts";
import { judgeWrite } from "./judge-write.ts";
import { type Outcome, waitForOutcome } from "./outcome.ts";
import { nameRequest, type Side } from "./request-name.ts";

/** What a cluster is when a step begins: a switchover makes a leader of the follower. */
export type Role = "leader" | "follower";

export const ROLES: readonly Role[] = ["leader", "follower"];

/** One request of an agent, by words that find it again in another run of the same step. */
export interface Asked {
  readonly role: Role;
  readonly side: Side;
  /** As {@link nameRequest} says. */
  readonly name: string;
  /** Which one of that name since the step began, from 1. */
  readonly nth: number;
}

/** What is done to a step while it plays. */
export interface Trouble {
  /** As soon as it begins. */
  began(): void;
  /** Before the server hears of it. */
  arrived(asked: Asked): Promise<Fault | null>;
  /** After the server did it. Of an answer that gets lost the agent has heard nothing yet. */
  answered(asked: Asked): Promise<void>;
  /** Waits until the worst is over; true where there is something to recover from that it was not told of before. */
  over(): Promise<boolean>;
  /** Of whose request's fault the agent has to say something before the step is over; null where it need not. */
  heard(): Asked | null;
  /** What else it may come to, where it is meant to come to `wanted`. */
  alternatives(wanted: Outcome): readonly Outcome[];
}

/** A federation of two clusters whose every request passes under our eyes. */
export interface Stage {
  readonly world: World;
  /** Who leads by the branch. */
  leads(): WorldCluster;
  follows(): WorldCluster;
  /** From now on the other one is meant to lead. */
  swap(): void;
  /** Whether the GDP is there, where nothing goes on. */
  policy(): Promise<"there" | "deleted">;
  /** A number that was never there before: every edit is another one. */
  next(): number;
  kill(cluster: WorldCluster): Promise<void>;
  start(cluster: WorldCluster): void;
  /** Agents that are not the process that was started last. */
  lost(): readonly string[];
  /** From now on requests are counted anew, and meet the trouble; returns the function that ends it with what was found wrong. */
  trouble(trouble: Trouble): () => Promise<readonly string[]>;
  stop(): Promise<void>;
}

const NAMES = ["cluster1", "cluster2"] as const;

/** Long enough for a busy machine, and short enough to wait for thousands of times. */
const TIME_LIMIT = "3s";
const AGENT_FLAGS = {
  // A poll is a git process at the server. Each second, they would take a fifth of the machine from those that play.
  poll: "*/2 * * * * *",
  "git-timeout": TIME_LIMIT,
  "kube-timeout": TIME_LIMIT,
  "ack-interval": "50ms",
  "delete-grace": "200ms",
  "log-level": "debug",
} as const;

export async function openStage(): Promise<Stage> {
  const world = await startWorld({ clusters: NAMES, agentFlags: AGENT_FLAGS, running: false });
  const ways = await Promise.all(world.clusters.map((cluster) => openWay(world, cluster)));
  const stop = async (): Promise<void> => {
    await world.stop();
    for (const { proxy } of ways) await proxy.stop();
  };
  try {
    await Promise.all(world.clusters.map((cluster) => cluster.install()));
    const stage = begin(world, ways, stop);
    await waitForOutcome(world, FIRST_OUTCOME);
    return stage;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Where a federation begins. */
const FIRST_OUTCOME: Outcome = {
  leader: NAMES[0],
  commits: { people: 0, agents: 0 },
  policy: { ttl: 10 },
  rescued: null,
};

/** How one cluster's agent reaches the other clusters. */
interface Way {
  readonly cluster: WorldCluster;
  readonly proxy: FaultProxy;
}

const SECRETS = "/api/v1/namespaces/avi-system/secrets";

/** Gives it the members' kubeconfig as AMKO has it, with a proxy in the way to the other cluster. */
async function openWay({ clusters, folder }: World, cluster: WorldCluster): Promise<Way> {
  const others = clusters.filter((one) => one !== cluster);
  const [other] = others;
  if (other === undefined) throw new TypeError("a stage has two clusters");
  const proxy = await startFaultProxy({ target: other.url });
  const kubeconfig = join(folder, `members-${cluster.name}`);
  await writeKubeconfig(kubeconfig, [{ context: other.name, url: proxy.url, token: other.token }]);
  const { status } = await cluster.objects.request("POST", SECRETS, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "gslb-config-secret" },
    stringData: { "gslb-members": await readFile(kubeconfig, "utf8") },
  });
  if (status !== 201) throw new Error(`the members' Secret was answered ${status}`);
  return { cluster, proxy };
}

/** What plays now. */
interface Scene {
  readonly trouble: Trouble;
  readonly roles: ReadonlyMap<WorldCluster, Role>;
  readonly counts: Map<string, number>;
  readonly wrongs: string[];
  readonly judging: Promise<void>[];
}

function begin(world: World, ways: readonly Way[], stop: () => Promise<void>): Stage {
  let leader: string = NAMES[0];
  let number = 100;
  let scene: Scene | null = null;
  const pids = new Map<WorldCluster, number>();
  const leads = (): WorldCluster => clusterOf(world, leader);
  const follows = (): WorldCluster => clusterOf(world, leader === NAMES[0] ? NAMES[1] : NAMES[0]);

  function start(cluster: WorldCluster): void {
    cluster.startAgent();
    pids.set(cluster, cluster.agent()?.pid ?? 0);
  }

  function watch(cluster: WorldCluster, side: Side, proxy: FaultProxy): void {
    const met = new Map<InterceptedRequest, readonly [Scene, Asked]>();
    proxy.intercept({
      async arrived(request) {
        if (scene === null) return null;
        const role = scene.roles.get(cluster) ?? "leader";
        const name = nameRequest(side, request);
        const key = `${role} ${side} ${name}`;
        const nth = (scene.counts.get(key) ?? 0) + 1;
        scene.counts.set(key, nth);
        const asked = { role, side, name, nth };
        met.set(request, [scene, asked]);
        return scene.trouble.arrived(asked);
      },
      async answered(request) {
        const [then, asked] = met.get(request) ?? [null, null];
        met.delete(request);
        if (then === null) return;
        const judged = judgeWrite(world, cluster, side, request).then((wrong) => {
          if (wrong !== null) then.wrongs.push(wrong);
        });
        then.judging.push(judged);
        await then.trouble.answered(asked);
      },
    });
  }

  for (const { cluster, proxy } of ways) {
    watch(cluster, "git", cluster.gitProxy);
    watch(cluster, "api", cluster.apiProxy);
    watch(cluster, "members", proxy);
  }
  for (const cluster of world.clusters) start(cluster);

  return {
    world,
    leads,
    follows,
    swap() {
      leader = follows().name;
    },
    async policy() {
      return (await leads().objects.get("GlobalDeploymentPolicy", GDP)) === null ? "deleted" : "there";
    },
    next() {
      number += 1;
      return number;
    },
    async kill(cluster) {
      await cluster.agent()?.kill();
    },
    start,
    lost: () => world.clusters.filter((one) => one.agent()?.pid !== pids.get(one)).map(({ name }) => name),
    trouble(trouble) {
      const roles = new Map<WorldCluster, Role>([
        [leads(), "leader"],
        [follows(), "follower"],
      ]);
      const mine: Scene = { trouble, roles, counts: new Map(), wrongs: [], judging: [] };
      scene = mine;
      trouble.began();
      return async () => {
        scene = null;
        await Promise.all(mine.judging);
        return mine.wrongs;
      };
    },
    stop,
  };
}
