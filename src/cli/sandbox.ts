import type { Json } from "../core/model.ts";
import { type Federation, startFederation } from "../sandbox/federation.ts";
import { createNarrator } from "../sandbox/narrator.ts";
import { playStories, STORIES } from "../sandbox/stories/play.ts";
import { waitForSync } from "../sandbox/stories/stage.ts";

export interface SandboxChoice {
  readonly keep: boolean;
  readonly output: string;
  /** Null plays the main ones. */
  readonly story: string | null;
}

const USAGE = 2;

/** Plays the story, or keeps a seeded federation running. Whatever happens, nothing of it is left behind. */
export async function runSandbox(
  { keep, output, story }: SandboxChoice,
  definitions: readonly Json[],
): Promise<number> {
  if (output !== "text" && output !== "json") {
    process.stderr.write(`AG4002 --output "${output}": no such choice. Use text or json.\n`);
    return USAGE;
  }
  const names = STORIES.map(({ name }) => name);
  if (story !== null && !names.includes(story)) {
    process.stderr.write(`AG4002 --story "${story}": no such story. Use one of: ${names.join(", ")}.\n`);
    return USAGE;
  }
  const stopped = untilStopped();
  const federation = await startFederation({ definitions });
  try {
    await Promise.race([keep ? keepRunning(federation, output, stopped) : play(federation, story), stopped]);
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\nThe agents' logs:\n`);
    process.stderr.write(`${await federation.logs()}\n`);
    return 1;
  } finally {
    await federation.stop();
  }
}

async function play(federation: Federation, story: string | null): Promise<void> {
  const colour = process.stdout.isTTY && (process.env["NO_COLOR"] ?? "") === "";
  await playStories(federation, createNarrator({ write: (text) => void process.stdout.write(text), colour }), story);
}

async function keepRunning(federation: Federation, output: string, stopped: Promise<void>): Promise<void> {
  await waitForSync(federation.clusters);
  const { kubeconfig, repository, clusters, folder } = federation;
  const contexts = clusters.map(({ name }) => name);
  process.stdout.write(
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
