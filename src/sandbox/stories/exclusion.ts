import {
  manifestPath,
  mergeBranch,
  type Story,
  showClusters,
  showCondition,
  topology,
  waitForCode,
  waitForStatus,
  waitForSync,
} from "./stage.ts";

const VALIDATION = "member cluster validation";

/** "The federation logic will not work if there's a version mismatch." Here it goes on for the others. */
export const versionMismatch: Story = {
  name: "version-mismatch",
  title: "A manifest names another AMKO version: that cluster is left out, the others go on",
  async play(stage) {
    const { narrator, federation } = stage;
    const { leader, followers } = await topology(stage);
    const member = followers.at(-1);
    if (member === undefined) throw new Error("nobody follows");
    const path = manifestPath(member.name);
    await mergeBranch(stage, "upgrade", `${member.name} runs AMKO 1.5.0`, {
      [path]: [{ path: ["spec", "version"], value: "1.5.0" }],
    });
    await waitForCode(member, "AG5007");
    await showCondition(stage, member, "Synced");
    await waitForStatus(leader, VALIDATION, "error in validating some member clusters");
    await showCondition(stage, leader, VALIDATION);
    narrator.say("The mended manifest stands ready as a proposal, since the cluster itself runs 1.4.2:");
    narrator.output(await federation.git("branch", "--list", "amko/propose/*"));
    narrator.say("Back to one version:");
    await mergeBranch(stage, "one-version", `${member.name} runs AMKO 1.4.2`, {
      [path]: [{ path: ["spec", "version"], value: "1.4.2" }],
    });
    await waitForSync(federation.clusters);
    await showClusters(stage);
  },
};

/** "Providing the wrong cluster context can cause undefined behavior." Here it is an error with a place. */
export const wrongContext: Story = {
  name: "wrong-context",
  title: "A manifest names a cluster context that is not its folder's",
  async play(stage) {
    const { federation } = stage;
    const { leader, followers } = await topology(stage);
    const member = followers.at(-1);
    if (member === undefined) throw new Error("nobody follows");
    const path = manifestPath(member.name);
    const context = (value: string) => ({ [path]: [{ path: ["spec", "clusterContext"], value }] });
    await mergeBranch(stage, "typo", "Name the wrong context", context("cluster33"));
    await waitForCode(member, "AG5010");
    await showCondition(stage, member, "Synced");
    await waitForStatus(leader, VALIDATION, "error in validating some member clusters");
    await showCondition(stage, leader, VALIDATION);
    await mergeBranch(stage, "no-typo", "Name the right context", context(member.name));
    await waitForSync(federation.clusters);
  },
};
