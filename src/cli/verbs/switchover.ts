import { COMMIT_OPTIONS } from "../commit-options.ts";
import { REPOSITORY_OPTIONS } from "../source.ts";
import { runTakeover } from "../takeover.ts";
import { requiredCluster } from "../target.ts";
import { option, type Verb } from "../verb.ts";

/** Moves the leadership, planned: the former leader hands over, and nothing is lost. */
export const switchover: Verb = {
  explanation:
    "Writes one commit that flips isLeader in two manifests. Refuses a cluster that is not up to date, cannot apply, never reported or is no member, and while a change of the leader waits to be merged. When the leader is dead, use failover.",
  arguments: [],
  options: [
    option("to", "cluster", null, "the cluster that is to lead"),
    option("force", null, null, "also to a cluster that is behind or cannot apply"),
    ...COMMIT_OPTIONS,
    ...REPOSITORY_OPTIONS,
  ],
  examples: [
    "switchover --to cluster2 --dry-run",
    'switchover --to cluster2 --reason "CHG-4211 maintenance of site 1" --yes --propose',
  ],
  run: async (given, shell, house) =>
    await runTakeover(given, shell, house, {
      kind: "switchover",
      target: requiredCluster(given, "to"),
      controllerIp: null,
      handoverWithout: [],
      force: given.isSet("force"),
    }),
};
