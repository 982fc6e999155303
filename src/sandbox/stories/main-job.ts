import { isObject } from "../../core/json.ts";
import type { FederatedKind, Json } from "../../core/model.ts";
import { waitUntil } from "../wait.ts";
import {
  editOnLeader,
  fresh,
  KUBECTL_NAMES,
  nameOf,
  type Stage,
  type Story,
  showClusters,
  showCommit,
  topology,
  waitForEqual,
} from "./stage.ts";

/** The main job: create, update and delete of both kinds on the leader, seen in git and on the followers. */
export const mainJob: Story = {
  name: "main-job",
  title: "The leader's edits become commits, and every follower holds them",
  async play(stage) {
    const { narrator } = stage;
    const { leader } = await topology(stage);
    narrator.say(`${leader.name} leads: its manifest in the repository says isLeader: true. The others follow.`);
    await showClusters(stage);
    narrator.say("Somebody edits the GDP in the leader's cluster, and says why in an annotation.");
    await editPolicy(stage);
    narrator.say("Somebody edits the GSLBConfig.");
    await editOnLeader(stage, "GSLBConfig", { spec: { logLevel: "DEBUG" } });
    await deleteAndCreate(stage, "GlobalDeploymentPolicy");
    await deleteAndCreate(stage, "GSLBConfig");
    await showClusters(stage);
  },
};

async function editPolicy(stage: Stage): Promise<void> {
  const { leader } = await topology(stage);
  const object = await leader.client.get("GlobalDeploymentPolicy", await nameOf(stage, "GlobalDeploymentPolicy"));
  const split = isObject(object?.spec) ? (object.spec["trafficSplit"] ?? []) : [];
  await editOnLeader(stage, "GlobalDeploymentPolicy", {
    metadata: { annotations: { "amko-gitops.io/change-reason": "CHG-4211 move traffic to the second site" } },
    spec: { trafficSplit: reweigh(split), ttl: null },
  });
}

/** The first site gets less, the others more. */
function reweigh(split: Json): Json {
  if (!Array.isArray(split)) return split;
  return (split as readonly Json[]).map((entry, index) => {
    if (!isObject(entry)) return entry;
    return index === 0 ? { ...entry, weight: 5 } : { ...entry, weight: 10 + index };
  });
}

async function deleteAndCreate(stage: Stage, kind: FederatedKind): Promise<void> {
  const { federation, narrator } = stage;
  const { leader, followers } = await topology(stage);
  const name = await nameOf(stage, kind);
  const object = await leader.client.get(kind, name);
  if (object === null) throw new Error(`${kind} ${name} is not there`);
  const word = KUBECTL_NAMES[kind];
  const before = await federation.git("rev-parse", "main");
  narrator.say(`Somebody deletes the ${kind}. Only when it has been gone for --delete-grace is that a deletion.`);
  narrator.command(`kubectl --context ${leader.name} delete ${word} ${name}`);
  await leader.client.remove(kind, name);
  const tombstone = await showCommit(stage, before);
  narrator.say("No file is missing in git: a tombstone says that it was deleted. The followers delete it too.");
  for (const { name: cluster, client } of followers) {
    await waitUntil(`${cluster} has deleted ${kind} ${name}`, async () => (await client.get(kind, name)) === null);
  }
  narrator.say("It is created again.");
  narrator.command(`kubectl --context ${leader.name} create -f ${word}.yaml`);
  await leader.client.create(fresh(object));
  await showCommit(stage, tombstone);
  await waitForEqual(leader, followers, kind, name);
  narrator.say("The followers have it again.");
}
