import type { Edit } from "../../core/edit.ts";
import type { SandboxCluster } from "../cluster.ts";
import {
  editOnLeader,
  isLeader,
  manifestPath,
  mergeBranch,
  nameOf,
  type Stage,
  type Story,
  showClusters,
  showCondition,
  topology,
  waitForCode,
  waitForLeader,
  waitForSync,
} from "./stage.ts";

const LEAD: Edit = { path: ["spec", "isLeader"], value: true };
const FOLLOW: Edit = { path: ["spec", "isLeader"], value: false };

/** The one commit that moves the leadership. */
function flip(from: string, to: string): Readonly<Record<string, readonly Edit[]>> {
  return { [manifestPath(from)]: [FOLLOW], [manifestPath(to)]: [LEAD] };
}

async function pair(stage: Stage): Promise<{ readonly leader: SandboxCluster; readonly next: SandboxCluster }> {
  const { leader, followers } = await topology(stage);
  const [next] = followers;
  if (next === undefined) throw new Error("nobody follows");
  return { leader, next };
}

/** Planned: everybody is alive. */
export const switchover: Story = {
  name: "switchover",
  title: "A planned switchover: a branch that flips the leader is merged",
  async play(stage) {
    const { narrator, federation } = stage;
    const { leader, next } = await pair(stage);
    await mergeBranch(stage, `lead-from-${next.name}`, `Switch over to ${next.name}`, flip(leader.name, next.name));
    await waitForLeader(federation.clusters, next.name);
    narrator.say(`${leader.name} stepped down first, then ${next.name} took office. At no moment did both say leader.`);
    await waitForSync(federation.clusters);
    narrator.say(`From now on edits count in ${next.name}:`);
    await editOnLeader(stage, "GlobalDeploymentPolicy", { spec: { ttl: 30 } });
    await showClusters(stage);
  },
};

/** "Scenario: Cluster Failure", and "Old Leader AMKO Boots Up". */
export const clusterFailure: Story = {
  name: "cluster-failure",
  title: "The leader's cluster dies, another one takes over, and the old leader comes back",
  async play(stage) {
    const { leader, next } = await pair(stage);
    await failOver(stage, leader, next, {});
    await comeBack(stage, leader, next);
  },
};

/** "If the site where the leader AMKO was deployed and which hosted the Avi GSLB leader, fails." */
export const siteFailure: Story = {
  name: "site-failure",
  title: "A whole site dies, with the Avi controller: the same commit names the new controller",
  async play(stage) {
    const { leader, next } = await pair(stage);
    const name = await nameOf(stage, "GSLBConfig");
    const controller: Edit = { path: ["spec", "gslbLeader", "controllerIP"], value: "10.20.20.20" };
    await failOver(stage, leader, next, { [`federation/gslbconfig/${name}.yaml`]: [controller] });
    const config = await next.client.get("GSLBConfig", name);
    stage.narrator.output(`${next.name}  GSLBConfig ${name}: ${JSON.stringify(config?.spec)}`);
    await comeBack(stage, leader, next);
  },
};

async function failOver(
  stage: Stage,
  leader: SandboxCluster,
  next: SandboxCluster,
  more: Readonly<Record<string, readonly Edit[]>>,
): Promise<void> {
  const { narrator, federation } = stage;
  narrator.say(`${leader.name} is gone: its agent and its API server are killed.`);
  await leader.powerOff({ abruptly: true });
  const alive = federation.clusters.filter((cluster) => cluster !== leader);
  const edits = { ...flip(leader.name, next.name), ...more };
  await mergeBranch(stage, `fail-over-to-${next.name}`, `Fail over to ${next.name}: ${leader.name} is down`, edits);
  await waitForCode(next, "AG5011");
  narrator.say(`${next.name} waits for ${leader.name} to step down, at most --handover-timeout:`);
  await showCondition(stage, next, "Synced");
  await waitForLeader(alive, next.name);
  await waitForSync(alive);
  narrator.say(`${leader.name} did not answer, so ${next.name} took office.`);
  await showClusters(stage, alive);
}

async function comeBack(stage: Stage, old: SandboxCluster, leader: SandboxCluster): Promise<void> {
  const { narrator, federation } = stage;
  narrator.say(`${old.name} boots up again. Its AMKOCluster still says isLeader: ${await powerUp(old)}.`);
  await waitForLeader(federation.clusters, leader.name);
  await waitForSync(federation.clusters);
  narrator.say(`Its agent read the branch before it did anything, and stepped down. Nobody had to edit an object.`);
  await showClusters(stage);
}

async function powerUp(cluster: SandboxCluster): Promise<boolean> {
  await cluster.powerOn();
  return isLeader(cluster);
}

/** "If there are two leaders at any point, federation will stop and the error will be written to the status." */
export const twoLeaders: Story = {
  name: "two-leaders",
  title: "A commit makes two clusters leaders",
  async play(stage) {
    const { narrator, federation } = stage;
    const { leader, next } = await pair(stage);
    await mergeBranch(stage, "two-leaders", `Make ${next.name} a leader too`, { [manifestPath(next.name)]: [LEAD] });
    for (const cluster of federation.clusters) await waitForCode(cluster, "AG5002");
    narrator.say("Federation stops everywhere; every cluster stays as it is and says why:");
    for (const cluster of federation.clusters) await showCondition(stage, cluster, "member cluster validation");
    narrator.say("A commit that leaves one claim resolves it.");
    await mergeBranch(stage, "one-leader", `${leader.name} stays the leader`, { [manifestPath(next.name)]: [FOLLOW] });
    await waitForSync(federation.clusters);
    await showClusters(stage);
  },
};
