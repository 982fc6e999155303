import { WAITS } from "../../config.ts";
import { REQUESTED_REVISION_ANNOTATION } from "../../core/model.ts";
import { questionPatch, readSynced, type SyncedCondition } from "../../core/synced.ts";
import type { Cluster } from "../../ports.ts";
import { annotateAmkoCluster, contextNameOf, onFreshReading, readAmkoCluster, targetOf } from "../amko-cluster.ts";
import { OUTPUT_OPTION, printResult } from "../output.ts";
import { formatDuration } from "../render/instant.ts";
import { renderParagraphs } from "../render/paragraphs.ts";
import { plainText } from "../render/problem.ts";
import { paint, type Shell, type Stream } from "../shell.ts";
import { describeSuspension, suspensionInForce } from "../suspension.ts";
import { CLUSTER_OPTIONS, openThisCluster } from "../this-cluster.ts";
import { EXIT, option, type Verb } from "../verb.ts";

/** What `reconcile -o json` prints. */
export interface ReconcileReport {
  /** `spec.clusterContext` of the AMKOCluster; empty where it has none. */
  readonly cluster: string;
  /** RFC 3339, in UTC. */
  readonly requestedAt: string;
  /** What the agent answered; null where nobody waited for it, or it did not answer in time. */
  readonly synced: SyncedCondition | null;
}

const LOOK_EVERY_MS = 500;

/** Asks an agent to read git now and to act on it. */
export const reconcile: Verb = {
  explanation:
    "Without --wait it returns at once. With it, it exits with 0 when the cluster holds what the branch says, and with 1 when it does not or the agent does not answer.",
  arguments: [],
  options: [
    option("wait", null, null, "wait for the agent's answer, and print it"),
    option("timeout", "duration", "1m", "how long to wait", { onlyWith: "wait" }),
    ...CLUSTER_OPTIONS,
    OUTPUT_OPTION,
  ],
  examples: ["reconcile --context cluster2", "reconcile --context cluster2 --wait --timeout 90s"],
  async run(given, shell, house) {
    const timeoutMs = given.duration("timeout", WAITS) ?? 60_000;
    const waits = given.isSet("wait");
    const requestedAt = new Date(shell.nowMs()).toISOString();
    const question = `asked to reconcile at ${requestedAt}; the agent has not answered yet`;
    const cluster = await openThisCluster(given, house);
    if (waits) await ask(cluster, question, shell);
    const request = { [REQUESTED_REVISION_ANNOTATION]: requestedAt };
    const amkoCluster = await annotateAmkoCluster(cluster, () => request, shell.signal);
    const synced = waits ? await waitForAnswer(cluster, question, timeoutMs, shell) : null;
    const report: ReconcileReport = { cluster: contextNameOf(amkoCluster), requestedAt, synced };
    const suspension = suspensionInForce(amkoCluster, shell.nowMs());
    printResult(given, shell, report, () => {
      const name = report.cluster === "" ? "this cluster" : plainText(report.cluster);
      if (synced !== null) return renderAnswer(name, synced, shell.stdout);
      const asked = `Asked the agent of ${name} to read git now and to act on it.`;
      const late = `The agent of ${name} did not answer within ${formatDuration(timeoutMs)}. Look whether it runs: kubectl -n avi-system get pods, and its log.`;
      const held =
        suspension === null ? [] : [`It is suspended ${describeSuspension(suspension)}; it will do nothing but look.`];
      return renderParagraphs([waits ? late : asked, ...held], shell.stdout);
    });
    return !waits || synced?.status === "True" ? EXIT.ok : EXIT.failed;
  },
};

async function ask(cluster: Cluster, question: string, { signal }: Shell): Promise<void> {
  await onFreshReading(cluster, signal, async (amkoCluster) => {
    await cluster.patchStatus(targetOf(amkoCluster), questionPatch(amkoCluster, question), signal);
  });
}

/** Null where no answer came in time. */
async function waitForAnswer(
  cluster: Cluster,
  question: string,
  timeoutMs: number,
  { nowMs, sleep, signal }: Shell,
): Promise<SyncedCondition | null> {
  const deadlineMs = nowMs() + timeoutMs;
  const looksMax = Math.ceil(timeoutMs / LOOK_EVERY_MS) + 1;
  for (let look = 1; look <= looksMax && !signal.aborted; look += 1) {
    const synced = readSynced(await readAmkoCluster(cluster, signal));
    if (synced !== null && synced.reason !== question) return synced;
    if (nowMs() >= deadlineMs) return null;
    await sleep(LOOK_EVERY_MS);
  }
  return null;
}

function renderAnswer(name: string, { status, reason }: SyncedCondition, stream: Stream): string {
  const style = status === "True" ? "green" : status === "False" ? "red" : "yellow";
  const word = status === "True" ? "in sync" : status === "False" ? "not in sync" : "cannot tell";
  return `${name}: ${paint(stream, style, word)}\n${renderParagraphs([plainText(reason)], stream)}`;
}
