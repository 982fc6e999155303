import { ACCEPT_REWRITE_ANNOTATION, type CommitId, type FederationView, type Revision } from "../../core/model.ts";
import { formatRevision, parseCommitId, parseRecords } from "../../core/records.ts";
import type { Schemas } from "../../core/resource-definition.ts";
import { type HistoryVerdict, judgeHistory } from "../../core/rewrite.ts";
import { evaluate } from "../../core/view.ts";
import { hasCode } from "../../errors.ts";
import { annotateAmkoCluster, contextNameOf, readAmkoCluster } from "../amko-cluster.ts";
import { wrongFlag } from "../given.ts";
import { type Head, readHead } from "../head.ts";
import type { OpenRepository } from "../house.ts";
import { OUTPUT_OPTION, printResult } from "../output.ts";
import { askYes } from "../questions.ts";
import { type CommittedFile, describeChanges, renderChanges } from "../render/changes.ts";
import { renderParagraphs } from "../render/paragraphs.ts";
import { plainText } from "../render/problem.ts";
import { paint, type Stream } from "../shell.ts";
import { REPOSITORY_OPTIONS, withSource } from "../source.ts";
import { CLUSTER_OPTIONS, openThisCluster } from "../this-cluster.ts";
import { EXIT, option, type Verb } from "../verb.ts";

/** What `accept-rewrite -o json` prints. */
export interface RewriteReport {
  readonly cluster: string;
  /** `unchanged`: nothing is halted here, or it was accepted already. */
  readonly outcome: "accepted" | "unchanged" | "declined" | "dry-run";
  /** What happened to the branch; null where nothing is halted. */
  readonly how: "put-back" | "rewritten" | null;
  /** The revision that the agent judged last, `main@sha1:…`; null for none. */
  readonly before: string | null;
  /** The branch's head. */
  readonly head: string;
  /** Who led, and who leads, in words; null where the former revision cannot be read any more, or nothing is halted. */
  readonly leader: { readonly before: string | null; readonly after: string } | null;
  /** What differs; null as with `leader.before`. */
  readonly files: readonly CommittedFile[] | null;
}

/** A person's consent to a tracked branch that was rewritten, in one cluster. */
export const acceptRewrite: Verb = {
  explanation:
    "An agent halts when the tracked branch does not descend from what it judged before. This shows what would change and, after a yes, lets the agent of this one cluster go on with the branch as it is now.",
  arguments: [],
  options: [
    option("yes", null, null, "do not ask"),
    option("dry-run", null, null, "show what would be accepted, and stop"),
    ...CLUSTER_OPTIONS,
    ...REPOSITORY_OPTIONS,
    OUTPUT_OPTION,
  ],
  examples: ["accept-rewrite --context cluster2 --dry-run", "accept-rewrite --context cluster2 --yes"],
  async run(given, shell, house) {
    const { signal } = shell;
    const json = given.oneOf("output", ["text", "json"]) === "json";
    const { branch } = given.place();
    const cluster = await openThisCluster(given, house);
    const amkoCluster = await readAmkoCluster(cluster, signal);
    const data = (await cluster.readConfigMap(signal))?.data ?? {};
    const before = parseRecords(data).head;
    checkBranch(branch, data["head"] ?? "", before);
    const schemas = await house.readSchemas();
    return await withSource(given, shell, house, async (repository) => {
      const head = await readHead(given, repository, schemas, signal);
      const accepted = parseCommitId(amkoCluster.metadata.annotations?.[ACCEPT_REWRITE_ANNOTATION] ?? "");
      const verdict = await judgeHistory({ before, head: head.commit, accepted }, (ancestor, descendant) =>
        repository.relation(ancestor, descendant, signal),
      );
      const difference = verdict.kind === "halted" ? await compare(repository, verdict.before, head, signal) : null;
      const tell = (outcome: RewriteReport["outcome"], text: string): void => {
        const report: RewriteReport = {
          cluster: contextNameOf(amkoCluster),
          outcome,
          how: verdict.kind === "halted" ? verdict.how : null,
          before: before && formatRevision(branch, before),
          head: head.name,
          leader: difference && { before: difference.leaderBefore, after: difference.leaderAfter },
          files: difference?.changes?.map(({ path, fields, lines }) => ({ path, fields, lines })) ?? null,
        };
        printResult(given, shell, report, () => renderParagraphs([text], shell.stdout));
      };
      if (verdict.kind !== "halted" || difference === null) {
        tell("unchanged", nothingHalted(verdict, before));
        return EXIT.ok;
      }
      const stream = json ? shell.stderr : shell.stdout;
      stream.write(renderRewrite(branch, verdict, head, difference, stream));
      if (given.isSet("dry-run")) {
        tell("dry-run", "Dry run: nothing was accepted.");
        return EXIT.ok;
      }
      if (!(await askYes(given, shell, "Let the agent here go on with this branch?", null))) {
        tell("declined", "Nothing was accepted. To put the branch back, push the former revision to it.");
        return EXIT.failed;
      }
      await annotateAmkoCluster(cluster, () => ({ [ACCEPT_REWRITE_ANNOTATION]: head.commit }), signal);
      const next = "The agent here goes on by itself; each other cluster that halted asks for its own consent.";
      tell("accepted", `Accepted ${head.commit.slice(0, 8)}. ${next}`);
      return EXIT.ok;
    });
  },
};

interface Difference {
  /** Null where the former revision cannot be read any more, as with `changes`. */
  readonly leaderBefore: string | null;
  readonly leaderAfter: string;
  readonly changes: ReturnType<typeof describeChanges> | null;
}

/** The record names the branch that the agent follows: consent to another one would mean nothing. */
function checkBranch(branch: string, record: string, before: CommitId | null): void {
  if (before === null || record === formatRevision(branch, before)) return;
  const followed = plainText(record.slice(0, record.lastIndexOf("@sha1:")));
  throw wrongFlag("branch", branch, `the agent here follows ${followed}`, `Give --branch ${followed}.`);
}

function nothingHalted({ kind }: HistoryVerdict, before: CommitId | null): string {
  if (kind === "accepted") return "This head was accepted already: its agent goes on by itself.";
  if (before === null) return "The agent here has judged no revision yet: there is nothing to accept.";
  return "The branch descends from what the agent here judged last: nothing is halted.";
}

async function compare(
  repository: OpenRepository,
  before: CommitId,
  head: Head,
  signal: AbortSignal,
): Promise<Difference> {
  const former = await readFormer(repository, before, signal);
  return {
    leaderBefore: former && leaderIn(evaluate(former.files, head.schemas)),
    leaderAfter: leaderIn(head.view),
    changes: former && changesBetween(former, head.revision, head.schemas),
  };
}

/** A server may have thrown away what no branch holds any more. */
async function readFormer(repository: OpenRepository, before: CommitId, signal: AbortSignal): Promise<Revision | null> {
  try {
    return await repository.read(before, signal);
  } catch (error) {
    if (hasCode(error, "AG2012", "AG2008")) return null;
    throw error;
  }
}

function leaderIn({ leadership }: FederationView): string {
  return leadership.kind === "leader" ? leadership.cluster : leadership.problem.message;
}

function changesBetween(former: Revision, head: Revision, schemas: Schemas): ReturnType<typeof describeChanges> {
  const ids = new Map(former.files.map(({ path, id }) => [path, id]));
  const paths = new Set(head.files.map(({ path }) => path));
  const gone = former.files.filter(({ path }) => !paths.has(path)).map(({ path }) => ({ path, bytes: null }));
  const changed = head.files.filter(({ path, id }) => ids.get(path) !== id);
  return describeChanges(former.files, [...changed, ...gone], schemas);
}

function renderRewrite(
  branch: string,
  { how, before }: HistoryVerdict & { readonly kind: "halted" },
  head: Head,
  { leaderBefore, leaderAfter, changes }: Difference,
  stream: Stream,
): string {
  const title = `Branch ${branch} was ${how === "put-back" ? "put back to an older revision" : "rewritten"}`;
  const leader =
    leaderBefore === leaderAfter ? `${leaderAfter}, as before` : `${leaderBefore ?? "?"} -> ${leaderAfter}`;
  const facts = [
    `  was at   ${formatRevision(branch, before)}`,
    `  is at    ${head.name}`,
    `  leader   ${plainText(leader)}`,
  ];
  const shown =
    changes === null
      ? "The former revision cannot be read any more: what differs is not known.\n"
      : changes.length === 0
        ? "Nothing differs in the federation's files.\n"
        : renderChanges(changes, stream);
  return `${paint(stream, "bold", title)}\n${facts.join("\n")}\n\n${shown}\n`;
}
