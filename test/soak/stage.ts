import { isObject } from "../../src/core/json.ts";
import { type Json, type JsonObject, REQUESTED_REVISION_ANNOTATION } from "../../src/core/model.ts";
import { FILES, GDP } from "../support/federation.ts";
import { commitChain } from "../support/git.ts";
import { contextsOf, giveMembers } from "../support/members-secret.ts";
import { AMKO_CLUSTER, startWorld, type World, type WorldCluster } from "../support/world.ts";
import type { Dice } from "./dice.ts";

/** Of a TTL in the schema. The workload counts round and round below it. */
const TTL_MAX = 86_400;
/** Far longer than anything takes on a busy machine. */
const WAIT_MAX_MS = 120_000;
/** An event may have been missed: then this often somebody looks. */
const LOOK_EVERY_MS = 1_000;

/** What every agent is told beside the world's flags: a look at everything now and then belongs to a long life. */
const AGENT_FLAGS = { resync: "0 * * * * *", "delete-grace": "200ms" } as const;

/** A federation under load, with an eye on each cluster's GDP. */
export interface Stage {
  readonly world: World;
  readonly dice: Dice;
  /** Who leads now; a step that flips says so. */
  leader: WorldCluster;
  followers(): readonly WorldCluster[];
  /** A TTL that was not used lately. */
  nextTtl(): number;
  /** The snapshot in git, as text. */
  snapshot(): Promise<string>;
  /** Commits each text as the snapshot, one on top of the other, and tells the agents that the branch moved. */
  commit(texts: readonly string[]): Promise<void>;
  /** The same, and leaves it to them to find out. */
  commitUnheard(texts: readonly string[]): Promise<void>;
  /** As a webhook would: every agent fetches now. */
  nudge(): Promise<void>;
  /** Waits until each of the clusters' GDPs (null where there is none) is as it should be. */
  until(what: string, clusters: readonly WorldCluster[], isSo: (spec: JsonObject | null) => boolean): Promise<void>;
  /** Looks with new watches; the servers end old ones. */
  lookAgain(): Promise<void>;
  stop(): Promise<void>;
}

export async function openStage(dice: Dice): Promise<Stage> {
  const world = await startWorld({ direct: true, running: false, agentFlags: AGENT_FLAGS });
  const { clusters } = world;
  for (const cluster of clusters) {
    await cluster.install();
    await giveMembers(cluster, contextsOf(clusters));
    cluster.startAgent();
  }
  await world.settled();
  const seen = new Map<string, JsonObject | null>();
  const waiting = new Set<() => void>();
  const note = (name: string, spec: Json | undefined): void => {
    seen.set(name, isObject(spec) ? spec : null);
    for (const look of waiting) look();
  };
  const look = async ({ name, objects }: WorldCluster): Promise<void> =>
    note(name, (await objects.get("GlobalDeploymentPolicy", GDP))?.spec);
  let leave: (() => Promise<void>)[] = [];
  const stopLooking = async (): Promise<void> => void (await Promise.all(leave.splice(0).map((stop) => stop())));
  let ttl = 100;
  const stage: Stage = {
    world,
    dice,
    leader: world.leader,
    followers: () => clusters.filter((cluster) => cluster !== stage.leader),
    nextTtl() {
      ttl = (ttl + 1) % TTL_MAX;
      return ttl;
    },
    snapshot: () => world.git("show", `main:${FILES.GlobalDeploymentPolicy}`),
    async commit(texts) {
      await stage.commitUnheard(texts);
      await stage.nudge();
    },
    async commitUnheard(texts) {
      const chain = { count: texts.length, from: await world.head(), path: FILES.GlobalDeploymentPolicy };
      await commitChain(world.repositoryFolder, "main", { ...chain, text: (index) => texts[index] ?? "" });
    },
    async nudge() {
      const annotations = { [REQUESTED_REVISION_ANNOTATION]: await world.head() };
      const patch = { metadata: { annotations } };
      await Promise.all(clusters.map(({ objects }) => objects.merge("AMKOCluster", AMKO_CLUSTER, patch)));
    },
    async until(what, some, isSo) {
      const endMs = performance.now() + WAIT_MAX_MS;
      const late = (): WorldCluster | undefined => some.find(({ name }) => !isSo(seen.get(name) ?? null));
      while (late() !== undefined) {
        if (performance.now() > endMs) throw new Error(`${late()?.name}: gave up waiting until ${what}`);
        if (!(await nextEvent(waiting))) await Promise.all(some.map(look));
      }
    },
    async lookAgain() {
      await stopLooking();
      leave = await Promise.all(
        clusters.map(({ name, objects }) =>
          objects.watch("GlobalDeploymentPolicy", ({ type, object }) =>
            note(name, type === "DELETED" ? undefined : object.spec),
          ),
        ),
      );
      await Promise.all(clusters.map(look));
    },
    async stop() {
      await stopLooking();
      await world.stop();
    },
  };
  await stage.lookAgain();
  return stage;
}

/** False when none came for a while. */
function nextEvent(waiting: Set<() => void>): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (came: boolean) => (): void => {
      clearTimeout(timer);
      waiting.delete(onEvent);
      resolve(came);
    };
    const timer = setTimeout(end(false), LOOK_EVERY_MS);
    const onEvent = end(true);
    waiting.add(onEvent);
  });
}
