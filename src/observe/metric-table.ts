import { FEDERATED_KINDS } from "../core/model.ts";
import { AGENT_TOPICS } from "../core/records.ts";
import { MEMBER_STATES, PASS_STATES, WAKES } from "../core/telemetry.ts";

/** What stands before every name but those of the process itself. */
export const METRIC_PREFIX = "amko_gitops_";

const GIT_OPERATIONS = ["greet", "list", "fetch", "push"] as const;
const KUBE_VERBS = ["list", "get", "create", "patch", "delete", "watch"] as const;
const DELIVERY_OUTCOMES = ["accepted", "ignored", "refused", "limited", "unreadable", "unavailable"] as const;
export const AGENT_STATES = ["starting", ...PASS_STATES] as const;
export const AGENT_ROLES = ["leader", "follower", "none", "unknown"] as const;
const AMKO_KINDS = ["AMKOCluster", ...FEDERATED_KINDS] as const;

/** Why a request to the git server fails. */
const GIT_CODES = [
  ...["AG2001", "AG2002", "AG2004", "AG2006", "AG2008", "AG2009", "AG2010", "AG2013"],
  ...["AG4004", "AG9001"],
] as const;
/** Why a request to the API server fails. */
const KUBE_CODES = [
  ...["AG3001", "AG3002", "AG3003", "AG3004", "AG3005", "AG3006", "AG3007", "AG3009", "AG3010"],
  ...["AG3014", "AG3015", "AG3016", "AG4004", "AG4005", "AG9001"],
] as const;

/**
 * A label with all its values, so that every series is there from the start; or, where they are too many for that,
 * in words, which are "" for the codes of the catalogue. No label is ever a revision: each commit would make a new
 * series for ever.
 */
export type LabelValues = readonly string[] | string;

export interface MetricDescription {
  readonly type: "gauge" | "counter" | "histogram";
  readonly help: string;
  readonly labels: Readonly<Record<string, LabelValues>>;
}

const SOME_CODE = "";

/** Every metric of the agent. deploy/monitoring/README.md shows this table; a test compares them. */
export const METRICS = {
  build_info: gauge("Always 1.", { version: "the program's" }),
  cluster_info: gauge("Always 1. The one label whose values are not known beforehand; a process has one.", {
    cluster: "its own name, once it is known",
  }),
  state: gauge("1 for how the last pass ended, 0 for the others.", { state: AGENT_STATES }),
  problem: gauge("1 for the problem that keeps the cluster from being in sync, at most one.", { code: SOME_CODE }),
  role: gauge(
    "1 for the role that the branch gave this cluster last; `none` where it holds, `unknown` before the first judgement.",
    { role: AGENT_ROLES },
  ),
  in_office: gauge(
    "1 while this cluster's claim `amko/leading/<cluster>` stands in git: its AMKO may program the GSLB.",
  ),
  local_leader: gauge("1 while the AMKOCluster here says `isLeader: true`, which AMKO obeys."),
  suspended: gauge("1 while a person's suspension keeps the agent from acting."),
  view_problems: gauge("Problems of the newest revision that was read, as `validate` tells them.", {
    code: SOME_CODE,
    severity: ["error", "warning"],
  }),
  head_revision_timestamp_seconds: gauge("Committer date of the newest revision that was read; 0 before the first."),
  applied_revision_timestamp_seconds: gauge(
    "Committer date of the newest revision that the cluster was found to hold; 0 before the first.",
  ),
  behind_seconds: gauge(
    "Time since the committer date of the oldest revision that the cluster does not hold; 0 while it holds the newest that was read.",
  ),
  members: gauge(
    "Members as the leader counts them: `late` is behind for longer than `--stale-after`. All 0 where this cluster does not lead.",
    { state: MEMBER_STATES },
  ),
  fight_rounds: gauge(
    "How often in a row the object was put back; 0 after ten minutes of peace. From 4 on the agent waits between its corrections: somebody fights.",
    { kind: AMKO_KINDS },
  ),
  watch_age_seconds: gauge(
    "Time since the quietest of the three watches last showed a sign of life; a healthy one shows one each minute.",
  ),
  last_successful_reconcile_timestamp_seconds: gauge(
    "When a pass last read git and the cluster and reached its end, also one that held; 0 before the first.",
  ),
  reconcile_duration_seconds: histogram("Passes by how they ended; `rested` found nothing to do.", {
    outcome: ["rested", ...PASS_STATES],
  }),
  reconcile_errors_total: counter("Passes that an error ended, whoever it came from.", { code: SOME_CODE }),
  wakes_total: counter("Why passes ran.", { reason: WAKES }),
  exports_total: counter(
    "Objects that this cluster committed to the tracked branch as its leader; `entomb` is a deletion.",
    { kind: FEDERATED_KINDS, action: ["write", "entomb"] },
  ),
  proposals_total: counter("Proposals that were pushed, or brought up to date, for people to merge.", {
    topic: AGENT_TOPICS,
  }),
  applies_total: counter("Objects that were made here what git says.", {
    kind: FEDERATED_KINDS,
    action: ["write", "delete"],
  }),
  drift_corrections_total: counter(
    "Local edits that were put back; of the AMKOCluster also what git changed of its `clusters`.",
    { kind: AMKO_KINDS },
  ),
  rescues_total: counter("Contents that stood nowhere in git and were kept before they were overwritten.", {
    kind: FEDERATED_KINDS,
    place: ["git", "configmap"],
  }),
  acknowledgements_total: counter("Revisions that were acknowledged in git."),
  push_races_total: counter("Pushes that found their branch moved, and were decided afresh."),
  office_changes_total: counter("Times that this cluster took office, or stepped down.", { change: ["taken", "left"] }),
  git_request_duration_seconds: histogram("Requests to the git server, also failed ones.", {
    operation: GIT_OPERATIONS,
  }),
  git_request_errors_total: counter("Requests to the git server that failed, by cause.", { code: GIT_CODES }),
  git_bytes_total: counter("Bytes of the bodies of these requests, both ways.", { operation: GIT_OPERATIONS }),
  kube_request_duration_seconds: histogram("Requests to this cluster's API server; a watch until it begins.", {
    verb: KUBE_VERBS,
  }),
  kube_request_errors_total: counter(
    "Requests to this cluster's API server that failed, by cause; `AG3004` (conflict) and `AG3010` (does not exist) are part of normal life.",
    { code: KUBE_CODES },
  ),
  webhook_deliveries_total: counter(
    "Deliveries to `/hook`: another branch or event is `ignored`, a wrong signature `refused`, one too many `limited`; `unavailable` where the secret's file could not be read.",
    { outcome: DELIVERY_OUTCOMES },
  ),
} as const satisfies Readonly<Record<string, MetricDescription>>;

type Labels = MetricDescription["labels"];

function gauge<const L extends Labels>(help: string, labels?: L) {
  return describe("gauge", help, labels);
}

function counter<const L extends Labels>(help: string, labels?: L) {
  return describe("counter", help, labels);
}

function histogram<const L extends Labels>(help: string, labels?: L) {
  return describe("histogram", help, labels);
}

function describe<const T extends MetricDescription["type"], const L extends Labels>(
  type: T,
  help: string,
  labels?: L,
) {
  return { type, help, labels: labels ?? ({} as L) } as const;
}
