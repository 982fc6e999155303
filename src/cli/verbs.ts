import type { Verb } from "./verb.ts";

/** A verb as the list of verbs shows it; the rest is loaded when it is called. */
export interface VerbEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Verb>;
}

/** In the order of the help: running it, looking at it, changing who leads, changing what is federated, agents. */
export const VERBS: readonly VerbEntry[] = [
  entry("agent", "runs the daemon of one cluster", async () => (await import("./verbs/agent.ts")).agent),
  entry(
    "sandbox",
    "plays a whole federation on this machine: three clusters, a git server, three agents",
    async () => (await import("./verbs/sandbox.ts")).sandbox,
  ),
  entry(
    "init",
    "creates a federation repository, from flags or from live clusters",
    async () => (await import("./verbs/init.ts")).init,
  ),
  entry(
    "validate",
    "judges a checkout or a revision, and a change before it is merged",
    async () => (await import("./verbs/validate.ts")).validate,
  ),
  entry(
    "status",
    "shows where each cluster stands: role, version, revision held, errors",
    async () => (await import("./verbs/status.ts")).status,
  ),
  entry(
    "history",
    "tells the federation's story: who led when and why, and every change by field",
    async () => (await import("./verbs/history.ts")).history,
  ),
  entry(
    "diff",
    "compares two revisions, or git with a live cluster, by field",
    async () => (await import("./verbs/diff.ts")).diff,
  ),
  entry(
    "switchover",
    "hands the leadership to another cluster, planned, in one commit",
    async () => (await import("./verbs/switchover.ts")).switchover,
  ),
  entry(
    "failover",
    "makes another cluster the leader after a disaster, in one commit",
    async () => (await import("./verbs/failover.ts")).failover,
  ),
  entry(
    "rollback",
    "puts the snapshots of an older revision on top of the branch, as a new commit",
    async () => (await import("./verbs/rollback.ts")).rollback,
  ),
  entry(
    "adopt",
    "turns what a cluster holds and git does not into a proposal",
    async () => (await import("./verbs/adopt.ts")).adopt,
  ),
  entry(
    "check",
    "looks whether a cluster and the repository are ready for an agent",
    async () => (await import("./verbs/check.ts")).check,
  ),
  entry(
    "reconcile",
    "asks an agent to read git now and to act on it",
    async () => (await import("./verbs/reconcile.ts")).reconcile,
  ),
  entry(
    "suspend",
    "keeps an agent from acting in its cluster, until a time and for a reason",
    async () => (await import("./verbs/suspend.ts")).suspend,
  ),
  entry("resume", "ends a suspension", async () => (await import("./verbs/resume.ts")).resume),
  entry(
    "accept-rewrite",
    "lets an agent go on after the tracked branch was rewritten",
    async () => (await import("./verbs/accept-rewrite.ts")).acceptRewrite,
  ),
  entry(
    "accept-identity",
    "gives a cluster's name to this cluster, after a rebuild",
    async () => (await import("./verbs/accept-identity.ts")).acceptIdentity,
  ),
  entry("completion", "prints a script that completes verbs and flags in a shell", async () =>
    (await import("./verbs/completion.ts")).createCompletion(() => VERBS),
  ),
  entry(
    "pre-receive",
    "judges a push on the git server: who may move which branch",
    async () => (await import("./verbs/pre-receive.ts")).preReceive,
  ),
  entry("version", "prints the version", async () => (await import("./verbs/version.ts")).version),
];

function entry(name: string, summary: string, load: VerbEntry["load"]): VerbEntry {
  return { name, summary, load };
}
