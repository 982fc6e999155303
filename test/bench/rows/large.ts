import { commitChain } from "../../support/git.ts";
import { federationFiles } from "../../support/world.ts";
import { summarize } from "../figure.ts";
import type { Row } from "../row.ts";
import { lastArrivals, leaveToAgents, startStage } from "../stage.ts";

const RATIO_MAX = 1.2;

/** A long history and a large federation, of which two clusters run here. */
export const large: Row = {
  name: "large",
  explanation: "an edit in a repository with a long history and many clusters",
  on: "any",
  isInDesign: true,
  async run({ samples, commits, clusters }, say) {
    say("the small repository");
    const small = await measure(samples, 2, 0);
    say(`${commits} commits, ${clusters} clusters`);
    const measured = await measure(samples, clusters, commits);
    const ratio = measured.median / small.median;
    return [
      {
        what: `edit to 1 follower, ${commits} commits, ${clusters} clusters (beside it, in a small repository)`,
        unit: "ms",
        measured,
        floor: small,
        goal: `at most ${RATIO_MAX} x the small repository`,
        met: ratio <= RATIO_MAX,
      },
    ];
  },
};

async function measure(samples: number, clusters: number, commits: number) {
  // Two of them are in the federation set: each of the others is read and judged all the same.
  const names = Array.from({ length: clusters }, (_, index) => `cluster${index + 1}`);
  const stage = await startStage({
    followers: 1,
    files: federationFiles(names, names.slice(0, 2)),
    async seeded(repository, first) {
      if (commits > 0) await commitChain(repository, "main", { count: commits, from: first, path: "README.md" });
    },
  });
  try {
    return summarize(await lastArrivals(stage, leaveToAgents, stage.world.followers, samples));
  } finally {
    await stage.stop();
  }
}
