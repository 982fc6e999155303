import { join } from "node:path";
import { cloneRepository } from "../clone.ts";
import type { Federation } from "../federation.ts";
import type { Narrator } from "../narrator.ts";
import { versionMismatch, wrongContext } from "./exclusion.ts";
import { followerEdit } from "./follower-edit.ts";
import { clusterFailure, siteFailure, switchover, twoLeaders } from "./leadership.ts";
import { mainJob } from "./main-job.ts";
import { memberSecret } from "./member-secret.ts";
import { type Stage, type Story, waitForAcknowledgements, waitForSync } from "./stage.ts";

/** Every story, in the order in which they make sense. */
export const STORIES: readonly Story[] = [
  mainJob,
  followerEdit,
  switchover,
  clusterFailure,
  siteFailure,
  twoLeaders,
  versionMismatch,
  wrongContext,
  memberSecret,
];

/** What is played where nobody asks for one by name. */
const MAIN_STORIES: readonly Story[] = [mainJob, followerEdit, switchover, clusterFailure, twoLeaders];

/** Plays one story by its name, or the main ones; ends with the whole history. @throws Error where one does not end well. */
export async function playStories(federation: Federation, narrator: Narrator, name: string | null): Promise<void> {
  const stories = name === null ? MAIN_STORIES : STORIES.filter((story) => story.name === name);
  const stage: Stage = {
    federation,
    narrator,
    clone: await cloneRepository(federation.repository, join(federation.folder, "clone")),
  };
  narrator.say("Three clusters, one git repository, an agent in each cluster. The leader's cluster holds a GSLBConfig");
  narrator.say("and a GDP; the followers' are empty, until their agents have read the branch.");
  await waitForSync(federation.clusters);
  for (const story of stories) {
    narrator.heading(story.title);
    await story.play(stage);
  }
  narrator.heading("The audit trail");
  await waitForAcknowledgements(stage, federation.clusters);
  narrator.command("git log --graph --decorate --all");
  narrator.output(await federation.git("log", "--graph", "--decorate", "--all", "--date=iso"));
}
