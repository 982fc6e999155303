import { stringify } from "yaml";
import type { SandboxCluster } from "../cluster.ts";
import { editOnLeader, type Story, showCondition, topology, waitForStatus, waitForSync } from "./stage.ts";

const INITIALISATION = "member cluster initialisation";

/** "If a member cluster given in spec.clusters is not found in the gslb-config-secret, this step would fail." */
export const memberSecret: Story = {
  name: "member-secret",
  title: "A member is missing in the Secret gslb-config-secret",
  async play(stage) {
    const { narrator, federation } = stage;
    const { leader, followers } = await topology(stage);
    narrator.say(
      "Federation needs no credentials of members. Where AMKO's Secret is there, it is checked all the same.",
    );
    narrator.command(
      `kubectl --context ${leader.name} create secret generic gslb-config-secret --from-file=gslb-members`,
    );
    await leader.client.putSecret("gslb-config-secret", { "gslb-members": kubeconfigOf(followers.slice(0, -1)) });
    await waitForStatus(leader, INITIALISATION, "some member cluster clients couldn't be fetched");
    await showCondition(stage, leader, INITIALISATION);
    narrator.say("The leader exports nothing until the Secret is complete:");
    await leader.client.putSecret("gslb-config-secret", { "gslb-members": kubeconfigOf(followers) });
    await waitForStatus(leader, INITIALISATION, "all cluster clients fetched");
    await showCondition(stage, leader, INITIALISATION);
    await waitForSync(federation.clusters);
    narrator.say("With it the leader also nudges its members, so they need not wait for their next poll:");
    await editOnLeader(stage, "GlobalDeploymentPolicy", { spec: { ttl: 45 } });
  },
};

function kubeconfigOf(clusters: readonly SandboxCluster[]): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: clusters.map(({ name, url }) => ({ name, cluster: { server: url } })),
    users: clusters.map(({ name }) => ({ name, user: {} })),
    contexts: clusters.map(({ name }) => ({ name, context: { cluster: name, user: name } })),
  });
}
