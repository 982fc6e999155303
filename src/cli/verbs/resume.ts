import { type Suspension, suspensionChanges } from "../../core/suspension.ts";
import { annotateAmkoCluster, contextNameOf } from "../amko-cluster.ts";
import { OUTPUT_OPTION, printResult } from "../output.ts";
import { renderParagraphs } from "../render/paragraphs.ts";
import { plainText } from "../render/problem.ts";
import { describeSuspension, suspensionInForce } from "../suspension.ts";
import { CLUSTER_OPTIONS, openThisCluster } from "../this-cluster.ts";
import { EXIT, type Verb } from "../verb.ts";

/** What `resume -o json` prints. */
export interface ResumeReport {
  /** `spec.clusterContext` of the AMKOCluster; empty where it has none. */
  readonly cluster: string;
  /** The suspension that ended with this; null where the agent was not suspended. */
  readonly ended: Suspension | null;
}

/** Ends a suspension. It needs no git. */
export const resume: Verb = {
  explanation: "Says so, and does nothing, where the agent is not suspended. It needs no git.",
  arguments: [],
  options: [...CLUSTER_OPTIONS, OUTPUT_OPTION],
  examples: ["resume --context cluster2"],
  async run(given, shell, house) {
    const cluster = await openThisCluster(given, house);
    const before = await annotateAmkoCluster(cluster, () => suspensionChanges(null), shell.signal);
    const former = suspensionInForce(before, shell.nowMs());
    const name = contextNameOf(before);
    const report: ResumeReport = { cluster: name, ended: former && { until: former.until, reason: former.reason } };
    printResult(given, shell, report, () => {
      const shown = name === "" ? "this cluster" : plainText(name);
      const told =
        former === null
          ? [`The agent of ${shown} is not suspended: nothing to do.`]
          : [
              `Resumed the agent of ${shown}. It was suspended ${describeSuspension(former)}`,
              "It acts on what git says now; what was edited here by hand is kept in git before it is overwritten.",
            ];
      return renderParagraphs(told, shell.stdout);
    });
    return EXIT.ok;
  },
};
