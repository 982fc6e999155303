import { waitUntil } from "../wait.ts";
import { nameOf, type Story, topology, waitForEqual } from "./stage.ts";

/** The document's caveat: federation goes one way. */
export const followerEdit: Story = {
  name: "follower-edit",
  title: "Somebody edits the GDP in a follower's cluster",
  async play(stage) {
    const { narrator, federation } = stage;
    const { leader, followers } = await topology(stage);
    const [follower] = followers;
    if (follower === undefined) throw new Error("nobody follows");
    const name = await nameOf(stage, "GlobalDeploymentPolicy");
    narrator.command(`kubectl --context ${follower.name} patch gdp ${name} --type=merge -p '{"spec":{"ttl":4711}}'`);
    await follower.client.merge("GlobalDeploymentPolicy", name, { spec: { ttl: 4711 } });
    await waitForEqual(leader, [follower], "GlobalDeploymentPolicy", name);
    const rescued = async (): Promise<string> => federation.git("branch", "--list", `amko/rescue/${follower.name}/*`);
    await waitUntil("what was overwritten is in git", async () => (await rescued()) !== "");
    narrator.say("The agent put it back. What the person wrote stood nowhere in git, so it was kept first:");
    narrator.output(await rescued());
  },
};
