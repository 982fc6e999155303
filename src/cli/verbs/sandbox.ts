import { type Federation, startFederation } from "../../sandbox/federation.ts";
import { createNarrator } from "../../sandbox/narrator.ts";
import { playStories, STORIES } from "../../sandbox/stories/play.ts";
import { waitForSync } from "../../sandbox/stories/stage.ts";
import { wrongFlag } from "../given.ts";
import { OUTPUT_OPTION } from "../output.ts";
import type { Shell } from "../shell.ts";
import { EXIT, option, type Verb } from "../verb.ts";

/** Plays the story, or keeps a seeded federation running. Whatever happens, nothing of it is left behind. */
export const sandbox: Verb = {
  explanation: "With --keep and -o json it prints one line once all three clusters are in sync.",
  arguments: [],
  options: [
    option("keep", null, null, "play nothing: seed the federation and leave it running until it is stopped"),
    option("story", "name", null, "play one story; a name that is none lists them", { notWith: "keep" }),
    OUTPUT_OPTION,
  ],
  examples: ["sandbox --story switchover", "sandbox --keep"],
  async run(given, shell, house) {
    const output = given.oneOf("output", ["text", "json"]);
    const story = given.text("story");
    const names = STORIES.map(({ name }) => name);
    if (story !== null && !names.includes(story)) {
      throw wrongFlag("story", story, "no such story", `Use one of: ${names.join(", ")}.`);
    }
    const stopped = untilStopped();
    const federation = await startFederation({ definitions: await house.readCrds() });
    try {
      const playing = given.isSet("keep")
        ? keepRunning(federation, output, shell, stopped)
        : play(federation, story, shell);
      await Promise.race([playing, stopped]);
      return EXIT.ok;
    } catch (error) {
      shell.stderr.write(`${error instanceof Error ? error.message : String(error)}\nThe agents' logs:\n`);
      shell.stderr.write(`${await federation.logs()}\n`);
      return EXIT.failed;
    } finally {
      await federation.stop();
    }
  },
};

async function play(federation: Federation, story: string | null, { stdout }: Shell): Promise<void> {
  await playStories(federation, createNarrator({ write: stdout.write, colour: stdout.colour }), story);
}

async function keepRunning(
  federation: Federation,
  output: "text" | "json",
  { stdout }: Shell,
  stopped: Promise<void>,
): Promise<void> {
  await waitForSync(federation.clusters);
  const { kubeconfig, repository, clusters, folder } = federation;
  const contexts = clusters.map(({ name }) => name);
  stdout.write(
    output === "json"
      ? `${JSON.stringify({ kubeconfig, repository, contexts })}\n`
      : `Three clusters and their agents are running. Try, in another terminal:

  export KUBECONFIG=${kubeconfig}
  kubectl --context cluster1 get gslbconfig,gdp,amkocluster      # the leader
  kubectl --context cluster1 edit gdp global-gdp                 # becomes a commit
  kubectl --context cluster2 get gdp global-gdp -o yaml          # a follower has it a second later
  kubectl --context cluster2 describe amkocluster                # what the agent says
  git clone ${repository}                                        # read it, edit it, push it
  git log --graph --decorate --all                               # in the clone: who holds what
  npx amko-gitops status --watch --repo ${repository}
  npx amko-gitops switchover --to cluster2 --repo ${repository}

The agents' logs are in ${folder}/logs. Ctrl-C stops everything and removes it.
`,
  );
  await stopped;
}

function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve());
  });
}
