import type { DurationRange } from "../../config.ts";
import { failedReason } from "../../core/failed-reason.ts";
import { type ClusterStatus, type FederationStatus, federationStatus } from "../../core/federation-status.ts";
import type { ClusterName } from "../../core/model.ts";
import { refsByCluster } from "../../core/refs.ts";
import type { RepositoryReader } from "../../ports.ts";
import type { Given } from "../given.ts";
import { type Head, readHead, shortRevision } from "../head.ts";
import { readHeldRevisions } from "../held-revisions.ts";
import { OUTPUT_OPTION, printResult } from "../output.ts";
import { formatInstant } from "../render/instant.ts";
import { renderStale, renderStatus } from "../render/status.ts";
import type { Shell } from "../shell.ts";
import { REPOSITORY_OPTIONS, withSource } from "../source.ts";
import { EXIT, type ExitCode, option, type Verb } from "../verb.ts";
import { type WatchFailure, watch } from "../watch.ts";

/** Oftener only burdens the git server; Node's timers end after 24 days. */
const INTERVALS: DurationRange = { minMs: 100, maxMs: 60 * 60_000, remedy: "Use from 100ms to 1h." };
const CLEAR = "\u001b[H\u001b[2J";

/** Where every cluster stands, from git alone. */
export const status: Verb = {
  explanation:
    "Needs git and no cluster. Exits 0 when it could read; with --check it exits 1 unless somebody leads and every cluster of the federation holds what the branch says.\n" +
    "With --watch it goes on while the repository cannot be read, says why, and ends with Ctrl-C. With -o json that is one line for each change.",
  arguments: [],
  options: [
    ...REPOSITORY_OPTIONS,
    OUTPUT_OPTION,
    option("check", null, null, "exit 1 unless everything is in sync and well"),
    option("watch", null, null, "show it again and again, until Ctrl-C", { short: "w" }),
    option("interval", "duration", "2s", "time between two readings with --watch", { onlyWith: "watch" }),
  ],
  examples: ["status", "status --check -o json"],
  async run(given, shell, house) {
    const schemas = await house.readSchemas();
    const intervalMs = given.duration("interval", INTERVALS) ?? 2000;
    return await withSource(given, shell, house, async (repository) => {
      const read = async (): Promise<ReadStatus> =>
        await readStatus(given, shell, repository, await readHead(given, repository, schemas, shell.signal));
      if (!given.isSet("watch")) {
        const { data, text } = await read();
        printResult(given, shell, data, text);
        return exitOf(given, data);
      }
      const last = await watch(shell, { read, show: createStatusScreen(given, shell), intervalMs });
      return last === null ? EXIT.ok : exitOf(given, last.data);
    });
  },
};

interface ReadStatus {
  readonly data: StatusReport;
  /** What is known, without ages, which grow by themselves. */
  readonly state: string;
  readonly text: () => string;
}

/** On a terminal the table is drawn anew each time; elsewhere it is printed where something changed. */
function createStatusScreen(
  given: Given,
  { stdout, stderr, nowMs }: Shell,
): (reading: ReadStatus, failure: WatchFailure | null) => void {
  const isData = given.oneOf("output", ["text", "json"]) === "json";
  const redraws = stdout.isTerminal && !isData;
  let shown = "";
  let complaint = "";
  return ({ data, state, text }, failure) => {
    if (redraws) {
      stdout.write(`${CLEAR}${text()}${failure === null ? "" : `\n${renderStale(failure, nowMs(), stdout)}`}`);
      return;
    }
    if (state !== shown) stdout.write(isData ? `${JSON.stringify(data)}\n` : text());
    shown = state;
    const said = failure === null ? "" : renderStale(failure, failure.sinceMs, stderr);
    if (said !== complaint) stderr.write(said === "" ? "The repository can be read again.\n" : said);
    complaint = said;
  };
}

function exitOf(given: Given, { well }: StatusReport): ExitCode {
  return given.isSet("check") && !well ? EXIT.failed : EXIT.ok;
}

/** The shape of `status -o json`. */
export interface StatusReport extends Omit<FederationStatus, "clusters"> {
  /** `main@sha1:…` */
  readonly revision: string;
  /** `behindSince` is RFC 3339: the committer date of the oldest revision that the cluster lacks; null for none. */
  readonly clusters: readonly (Omit<ClusterStatus, "behindSinceSeconds"> & { readonly behindSince: string | null })[];
}

async function readStatus(given: Given, shell: Shell, repository: RepositoryReader, head: Head): Promise<ReadStatus> {
  const facts = await readFacts(repository, head, shell);
  const result = federationStatus({ head: head.revision, view: head.view, refs: head.refs, ...facts });
  const data: StatusReport = {
    revision: head.name,
    ...result,
    clusters: result.clusters.map(({ behindSinceSeconds: since, ...cluster }) => ({
      ...cluster,
      behindSince: since === null ? null : formatInstant(since * 1000),
    })),
  };
  const { refPrefix } = given.place();
  const time = { revision: shortRevision(head), refPrefix, nowMs: shell.nowMs() };
  return { data, state: JSON.stringify(data), text: () => renderStatus(result, time, shell.stdout) };
}

async function readFacts(repository: RepositoryReader, { revision, refs }: Head, shell: Shell) {
  const applied = new Set(refsByCluster(refs, "applied").values());
  const held = await readHeldRevisions(repository, revision, applied, shell);
  const failures = new Map<ClusterName, string>();
  for (const [cluster, commit] of refsByCluster(refs, "failed")) {
    failures.set(cluster, failedReason(await repository.readFiles(commit, shell.signal)));
  }
  return { held, failures };
}
