import { isObject } from "../../core/json.ts";
import type { LiveObject } from "../../core/model.ts";
import { planSuspension, type Suspension, suspensionChanges } from "../../core/suspension.ts";
import { annotateAmkoCluster, contextNameOf } from "../amko-cluster.ts";
import { type Given, wrongFlag } from "../given.ts";
import { OUTPUT_OPTION, printResult } from "../output.ts";
import { formatDuration, formatInstant } from "../render/instant.ts";
import { renderParagraphs } from "../render/paragraphs.ts";
import { plainText } from "../render/problem.ts";
import { paint } from "../shell.ts";
import { describeSuspension, suspensionInForce } from "../suspension.ts";
import { CLUSTER_OPTIONS, commandHere, openThisCluster } from "../this-cluster.ts";
import { EXIT, option, type Verb } from "../verb.ts";

/** What `suspend -o json` prints. */
export interface SuspendReport {
  /** `spec.clusterContext` of the AMKOCluster; empty where it has none. */
  readonly cluster: string;
  /** RFC 3339, in UTC. */
  readonly until: string;
  readonly reason: string;
  /** The suspension that stood until now; null for none. */
  readonly replaced: Suspension | null;
}

/** Keeps an agent's hands off its cluster for a while. It needs no git. */
export const suspend: Verb = {
  explanation:
    "A suspension always ends, at least a minute and at most 7 days ahead (--force allows up to a year), and always has a reason. It needs no git.",
  arguments: [],
  options: [
    option("for", "duration", null, "how long: 30m, 2h, 48h"),
    option("until", "time", null, "until when instead, with its time zone: 2026-01-15T14:00:00Z"),
    option("reason", "text", null, "why, for whoever finds it suspended"),
    option("force", null, null, "also for longer than 7 days"),
    ...CLUSTER_OPTIONS,
    OUTPUT_OPTION,
  ],
  examples: [
    'suspend --context cluster2 --for 2h --reason "CHG-4211 migration of the GSLB pool"',
    'suspend --context cluster2 --for 30m --reason "git is down, emergency edit" -o json',
  ],
  async run(given, shell, house) {
    const nowMs = shell.nowMs();
    const wish = {
      nowMs,
      forMs: given.duration("for", null),
      untilMs: readInstant(given),
      reason: given.text("reason"),
      force: given.isSet("force"),
    };
    const plan = planSuspension(wish);
    if (plan.kind === "refused") throw wrongFlag(plan.flag, given.text(plan.flag), plan.cause, plan.remedy);
    const suspension: Suspension = { until: formatInstant(plan.untilMs), reason: plan.reason };
    const cluster = await openThisCluster(given, house);
    const before = await annotateAmkoCluster(cluster, () => suspensionChanges(suspension), shell.signal);
    const former = suspensionInForce(before, nowMs);
    const report: SuspendReport = {
      cluster: contextNameOf(before),
      ...suspension,
      replaced: former && { until: former.until, reason: former.reason },
    };
    printResult(given, shell, report, () => {
      const title = `Suspended the agent of ${nameOf(report)} until ${suspension.until}, which is in ${formatDuration(plan.untilMs - nowMs)}.`;
      const replaced = former === null ? [] : [`This replaces the suspension ${describeSuspension(former)}`];
      const rest = [...replaced, ...whatItMeans(before), `To end it earlier: ${commandHere(given, "resume")}`];
      return `${paint(shell.stdout, "bold", title)}\n${renderParagraphs(rest, shell.stdout)}`;
    });
    return EXIT.ok;
  },
};

function nameOf({ cluster }: SuspendReport): string {
  return cluster === "" ? "this cluster" : plainText(cluster);
}

/** As the agent judges a suspended cluster: nothing is written but the status, and the office stays as it is. */
function whatItMeans({ spec }: LiveObject): readonly string[] {
  const leads = isObject(spec) && spec["isLeader"] === true;
  return [
    "Until then the agent reads git and keeps the status, and nothing else: it applies, corrects and exports nothing here, and edits by hand stand.",
    leads
      ? "This cluster leads. Its changes reach no other cluster until then, and it does not step down: before you make another cluster the leader, resume this one."
      : "It does not take the leadership either: before you make this cluster the leader, resume it.",
    "When it ends, git wins; what was edited here by hand is kept in git before it is overwritten.",
  ];
}

/** RFC 3339 with its zone: without one nobody can tell whose clock is meant. */
function readInstant(given: Given): number | null {
  const text = given.text("until");
  if (text === null) return null;
  const isInstant = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$/.test(text);
  const atMs = isInstant ? Date.parse(text.replace(" ", "T").toUpperCase()) : Number.NaN;
  if (Number.isNaN(atMs)) {
    throw wrongFlag("until", text, "no time", "Write it with its time zone: 2026-01-15T14:00:00Z.");
  }
  return atMs;
}
