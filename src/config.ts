import type { AgentSettings } from "./agent/context.ts";
import { cronProblem } from "./agent/schedule.ts";
import { parseClusterName } from "./core/names.ts";
import { asFederationError } from "./errors.ts";
import { checkRefName } from "./git/ref-name.ts";
import { parseRepositoryUrl } from "./git/url.ts";
import { parseListen } from "./observe/listen.ts";
import type { LogLevel } from "./ports.ts";

/** Everything that the daemon is told, parsed once. */
export interface AgentConfig extends AgentSettings {
  readonly repo: string;
  readonly refPrefix: string;
  readonly kubeconfig: string | null;
  readonly context: string | null;
  readonly gitCredentials: string | null;
  /** `ignore` leaves the other clusters alone, whatever credentials there are. */
  readonly memberCredentials: "auto" | "ignore";
  /** A file in place of what AMKO has. */
  readonly membersKubeconfig: string | null;
  readonly poll: string;
  readonly resync: string;
  readonly gitTimeoutMs: number;
  readonly kubeTimeoutMs: number;
  readonly listen: string;
  /** A file; null where nothing is served at /hook. */
  readonly webhookSecret: string | null;
  readonly logLevel: LogLevel;
  readonly logFormat: "json" | "text";
}

/** A setting that cannot be used: which, what it was, why, and what to do. */
export interface ConfigProblem {
  readonly flag: string;
  readonly value: string | null;
  readonly cause: string;
  readonly remedy: string;
}

export interface SettingDescription {
  /** As it stands in help: `--repo <url>`. */
  readonly flag: string;
  readonly placeholder: string;
  readonly fallback: string | null;
  readonly description: string;
}

/** The agent's flags, in the order of the help. Each can also be given as AMKO_GITOPS_… in the environment. */
export const AGENT_SETTINGS: readonly SettingDescription[] = [
  setting("repo", "url", null, "federation repository, http or https, without credentials (required)"),
  setting("branch", "name", "main", "tracked branch"),
  setting("path", "folder", "", "the federation's folder in the repository; empty is the root"),
  setting("ref-prefix", "name", "amko", "prefix of the agent's own branches"),
  setting("cluster", "name", null, "this cluster's context name (default: the local AMKOCluster's clusterContext)"),
  setting("kubeconfig", "file", null, "kubeconfig (default: in-cluster, then the usual rules of kubectl)"),
  setting("context", "name", null, "context of the kubeconfig (default: its current one)"),
  setting("git-credentials", "folder", null, "files username and password, or bearerToken, and ca.crt"),
  setting("poll", "cron", "*/15 * * * * *", "when to look at the branch, cron with seconds"),
  setting("resync", "cron", "0 */10 * * * *", "when to look at everything, cron with seconds"),
  setting("publish", "mode", "direct", "how the leader commits: direct, or propose for review"),
  setting("drift", "mode", "correct", "what a follower does about local edits: correct or report"),
  setting("local-designation", "mode", "propose", "what a local edit of isLeader becomes: propose or commit"),
  setting("member-credentials", "mode", "auto", "whether a leader uses the members' kubeconfig: auto or ignore"),
  setting(
    "members-kubeconfig",
    "file",
    null,
    "the members' kubeconfig (default: what AMKO has in GSLB_CONFIG or Secret gslb-config-secret)",
  ),
  setting("history-rewrite", "mode", "halt", "what to do when the branch was rewritten: halt or follow"),
  setting("batch-window", "duration", "0s", "how long the first change waits for more"),
  setting("ack-interval", "duration", "5s", "at most one acknowledgement in this time"),
  setting("delete-grace", "duration", "30s", "how long an object must be gone before its deletion is federated"),
  setting(
    "handover-timeout",
    "duration",
    "60s",
    "how long a new leader waits for the former one, or never to wait for ever",
  ),
  setting("stale-after", "duration", "5m", "how long a member may lag before it counts as failed"),
  setting("git-timeout", "duration", "30s", "time limit of a request to the git server"),
  setting("kube-timeout", "duration", "15s", "time limit of a request to the API server"),
  setting("author", "name <email>", null, "author of commits (default: amko-gitops <amko-gitops@CLUSTER>)"),
  setting("listen", "address", ":8080", "where /healthz, /readyz, /metrics and /hook are served"),
  setting(
    "webhook-secret",
    "file",
    null,
    "file with the secret of the git host's webhook; without it there is no /hook",
  ),
  setting("log-level", "level", "info", "debug, info, warn or error"),
  setting("log-format", "format", "json", "json or text"),
];

/** What was given, by flag without its dashes: `git-timeout`. */
export type GivenSettings = Readonly<Record<string, string | undefined>>;

/** The name of a setting in the environment: `git-timeout` is AMKO_GITOPS_GIT_TIMEOUT. */
export function environmentName(flag: string): string {
  return `AMKO_GITOPS_${flag.toUpperCase().replaceAll("-", "_")}`;
}

/** Everything usable, or everything that is wrong with it. */
export type ReadConfig =
  | { readonly config: AgentConfig; readonly problems: readonly [] }
  | { readonly config: null; readonly problems: readonly ConfigProblem[] };

/** Reads all settings; flags win over the environment, that over the defaults. Tells every problem, not only the first. */
export function readAgentConfig(flags: GivenSettings, env: GivenSettings): ReadConfig {
  const read = createReader(flags, env);
  const config: AgentConfig = {
    repo: read.required("repo", parseRepositoryUrl, "Give the federation repository's http or https URL."),
    branch: read.required("branch", checkedRefName, "Name the tracked branch."),
    path: read.parsed("path", parseFolder, "leaves the repository", "Give a folder inside the repository.") ?? "",
    refPrefix: read.required("ref-prefix", checkedRefName, "Name the prefix of the agent's branches."),
    cluster: read.parsed(
      "cluster",
      parseClusterName,
      "no usable context name",
      "Give the context name as AMKO knows it.",
    ),
    kubeconfig: read.text("kubeconfig"),
    context: read.text("context"),
    gitCredentials: read.text("git-credentials"),
    memberCredentials: read.oneOf("member-credentials", ["auto", "ignore"]),
    membersKubeconfig: read.text("members-kubeconfig"),
    poll: read.cron("poll"),
    resync: read.cron("resync"),
    publish: read.oneOf("publish", ["direct", "propose"]),
    drift: read.oneOf("drift", ["correct", "report"]),
    localDesignation: read.oneOf("local-designation", ["propose", "commit"]),
    historyRewrite: read.oneOf("history-rewrite", ["halt", "follow"]),
    batchWindowMs: read.duration("batch-window", WAITS),
    ackIntervalMs: read.duration("ack-interval", WAITS),
    deleteGraceMs: read.duration("delete-grace", WAITS),
    handoverTimeoutMs: read.text("handover-timeout") === "never" ? null : read.duration("handover-timeout", WAITS),
    staleAfterMs: read.duration("stale-after", WAITS),
    gitTimeoutMs: read.duration("git-timeout", REQUESTS),
    kubeTimeoutMs: read.duration("kube-timeout", REQUESTS),
    author: read.parsed("author", parseAuthor, "no author", 'Write "Name <email>".'),
    listen: read.parsed("listen", listenAddress, "no [host]:port", "Write :8080, 127.0.0.1:8080 or [::1]:8080.") ?? "",
    webhookSecret: read.text("webhook-secret"),
    logLevel: read.oneOf("log-level", ["info", "debug", "warn", "error"]),
    logFormat: read.oneOf("log-format", ["json", "text"]),
  };
  const problems = [...read.problems, ...findContradictions(config, read)];
  return problems.length === 0 ? { config, problems: [] } : { config: null, problems };
}

/** A setting as it was given, or its default; null where there is neither. An empty one counts as not given. */
export function textOf(flag: string, flags: GivenSettings, env: GivenSettings): string | null {
  const value = flags[flag] ?? env[environmentName(flag)] ?? "";
  return value === "" ? (AGENT_SETTINGS.find((one) => one.flag === flag)?.fallback ?? null) : value;
}

/** What a duration may be. */
export interface DurationRange {
  readonly minMs: number;
  readonly maxMs: number;
  readonly remedy: string;
}

/** What is awaited longer is forgotten, and Node's timers end after 24 days. */
export const WAITS: DurationRange = { minMs: 0, maxMs: 7 * 24 * 60 * 60_000, remedy: "Use 168h at most." };
/** The liveness probe takes a pass of ten minutes for one that hangs, and it makes several requests. */
const REQUESTS: DurationRange = { minMs: 1, maxMs: 2 * 60_000, remedy: "Use from 1ms to 2m." };

/** Settings of which each is usable, and both together are not. */
function findContradictions(
  { branch, refPrefix, ackIntervalMs, staleAfterMs }: AgentConfig,
  { problems, text }: ReturnType<typeof createReader>,
): readonly ConfigProblem[] {
  const areRead = (...flags: string[]): boolean => !problems.some(({ flag }) => flags.includes(flag));
  const found: ConfigProblem[] = [];
  if (areRead("--branch", "--ref-prefix") && isWithinPrefix(branch, refPrefix)) {
    found.push({
      flag: "--branch",
      value: branch,
      cause: `not apart from --ref-prefix (${refPrefix}), below which the agents keep their own branches`,
      remedy: "Name another branch, or another prefix.",
    });
  }
  if (areRead("--ack-interval", "--stale-after") && ackIntervalMs >= staleAfterMs) {
    found.push({
      flag: "--ack-interval",
      value: text("ack-interval"),
      cause: `not shorter than --stale-after (${text("stale-after")}): members would count as failed before they tell`,
      remedy: "Shorten --ack-interval, or lengthen --stale-after.",
    });
  }
  return found;
}

/** Reads one setting after the other; where one cannot be used it notes why and goes on with something harmless. */
function createReader(flags: GivenSettings, env: GivenSettings) {
  const problems: ConfigProblem[] = [];
  const text = (flag: string): string | null => textOf(flag, flags, env);
  const fail = (flag: string, cause: string, remedy: string): void => {
    // A repository's address may hold a password: it is not repeated.
    problems.push({ flag: `--${flag}`, value: flag === "repo" ? null : text(flag), cause, remedy });
  };
  const parsed = <T>(flag: string, parse: (value: string) => T | null, cause: string, remedy: string): T | null => {
    const value = text(flag);
    const result = value === null ? null : parse(value);
    if (value !== null && result === null) fail(flag, cause, remedy);
    return result;
  };
  return {
    problems: problems as readonly ConfigProblem[],
    text,
    parsed,
    required(flag: string, check: (value: string) => string, remedy: string): string {
      const value = text(flag);
      if (value === null) {
        fail(flag, "missing", remedy);
        return "";
      }
      try {
        return check(value);
      } catch (error) {
        const known = asFederationError(error);
        fail(flag, known.message, known.remedy);
        return "";
      }
    },
    oneOf<T extends string>(flag: string, allowed: readonly [T, ...T[]]): T {
      const known = (value: string): T | null => allowed.find((one) => one === value) ?? null;
      return parsed(flag, known, "no such choice", `Use one of: ${allowed.join(", ")}.`) ?? allowed[0];
    },
    duration(flag: string, { minMs, maxMs, remedy }: DurationRange): number {
      const durationMs = parsed(
        flag,
        parseDuration,
        "no duration",
        "Write a number and ms, s, m or h: 500ms, 30s, 5m.",
      );
      if (durationMs !== null && durationMs < minMs) fail(flag, "too short", remedy);
      if (durationMs !== null && durationMs > maxMs) fail(flag, "too long", remedy);
      return durationMs ?? 0;
    },
    cron(flag: string): string {
      const expression = text(flag) ?? "";
      const cause = cronProblem(expression);
      if (cause !== null) fail(flag, cause, 'Write a cron expression with seconds: "*/15 * * * * *".');
      return expression;
    },
  };
}

function listenAddress(text: string): string | null {
  return parseListen(text) === null ? null : text;
}

function checkedRefName(name: string): string {
  checkRefName(name, "AG4002");
  return name;
}

/** As git writes it: `prod` for `./prod/`, empty for the root. Null where it would leave the repository. */
export function parseFolder(text: string): string | null {
  const segments = text.split("/").filter((segment) => segment !== "" && segment !== ".");
  return segments.includes("..") ? null : segments.join("/");
}

/** Whether git cannot hold both, or one is among the other's own: `amko` or `amko/x` beside the prefix `amko`. */
export function isWithinPrefix(branch: string, refPrefix: string): boolean {
  return `${branch}/`.startsWith(`${refPrefix}/`) || `${refPrefix}/`.startsWith(`${branch}/`);
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `500ms`, `30s`, `5m`, `1h`, `0` in milliseconds; null for anything else. */
export function parseDuration(text: string): number | null {
  if (text === "0") return 0;
  const match = /^(\d{1,9})(ms|s|m|h)$/.exec(text);
  const unit = UNITS_MS[match?.[2] ?? ""];
  return match === null || unit === undefined ? null : Number(match[1]) * unit;
}

/** `Name <email>`; null for anything else. */
export function parseAuthor(text: string): { readonly name: string; readonly email: string } | null {
  const match = /^([^<>\p{Cc}]+?)\s*<([^<>\s\p{Cc}]+)>$/u.exec(text.trim());
  return match === null ? null : { name: match[1] ?? "", email: match[2] ?? "" };
}

function setting(flag: string, placeholder: string, fallback: string | null, description: string): SettingDescription {
  return { flag, placeholder, fallback, description };
}
