import { isEqual } from "../../core/revision-diff.ts";
import { type ComparedSource, type Comparison, compareRevisions } from "../comparison.ts";
import { type Given, wrongFlag } from "../given.ts";
import type { House } from "../house.ts";
import { compareLive, readLiveState } from "../live-comparison.ts";
import { OUTPUT_OPTION, printResult } from "../output.ts";
import { diffOutput, renderDiff } from "../render/diff.ts";
import type { Shell } from "../shell.ts";
import { REPOSITORY_OPTIONS, withSource } from "../source.ts";
import { CLUSTER_OPTIONS, openThisCluster } from "../this-cluster.ts";
import { EXIT, option, type Verb } from "../verb.ts";

/** What differs, by field: between two revisions, or between git and a cluster. It changes nothing. */
export const diff: Verb = {
  explanation:
    "Compares two revisions; one with the head; or without any the head with the revision before it.\n" +
    "With --context or --kubeconfig it compares a revision, the head unless one is named, with what that cluster holds.\n" +
    "Exits with 0 when they say the same, and with 1 when something differs.",
  arguments: [
    { name: "from", required: false, description: "a commit, main~3, or a branch below the prefix as amko/propose/…" },
    { name: "to", required: false, description: "the same (default: the tracked branch's head)" },
  ],
  options: [
    // Two revisions are meant unless somebody says otherwise, whatever the environment holds for other verbs.
    option("context", "name", null, "compare with the cluster of this context of the kubeconfig"),
    option(
      "kubeconfig",
      "file",
      null,
      "compare with a cluster of this kubeconfig (default: the usual rules of kubectl)",
    ),
    ...CLUSTER_OPTIONS.filter(({ flag }) => flag === "kube-timeout"),
    ...REPOSITORY_OPTIONS,
    OUTPUT_OPTION,
  ],
  examples: ["diff", "diff main~1 main", "diff main~1 -o json", "diff --context cluster2"],
  async run(given, shell, house) {
    const comparison = await compare(given, shell, house);
    printResult(given, shell, diffOutput(comparison), () => renderDiff(comparison, shell.stdout));
    return isEqual(comparison.diff) ? EXIT.ok : EXIT.failed;
  },
};

async function compare(given: Given, shell: Shell, house: House): Promise<Comparison> {
  const { signal } = shell;
  const schemas = await house.readSchemas();
  const sourceOf = (repository: ComparedSource["repository"]): ComparedSource => ({
    given,
    repository,
    schemas,
    signal,
  });
  const flag = ["context", "kubeconfig"].find((one) => given.text(one) !== null);
  if (flag === undefined) {
    return await withSource(given, shell, house, (repository) => compareRevisions(sourceOf(repository)));
  }
  if (given.argument(1) !== null) {
    const remedy = "Name one revision and a cluster, or two revisions.";
    throw wrongFlag(flag, given.text(flag), "two revisions were named too", remedy);
  }
  const live = await readLiveState(await openThisCluster(given, house), signal);
  return await withSource(given, shell, house, (repository) => compareLive(sourceOf(repository), live));
}
