import type { AmkoKind } from "../../core/model.ts";
import type { StoryEntry, StoryScope } from "../../core/story.ts";
import { filterEntry, type StoryFilter, scopeOf } from "../../core/story-filter.ts";
import { findTerms } from "../../core/terms.ts";
import { type Given, wrongFlag } from "../given.ts";
import { readHead } from "../head.ts";
import { type HistoryReport, type LeadersReport, reportRevision, reportTerm } from "../history-report.ts";
import { readMoment } from "../moment.ts";
import { OUTPUT_OPTION, printResult } from "../output.ts";
import { createProgress } from "../progress.ts";
import { renderEntry, renderTerms } from "../render/history.ts";
import { REPOSITORY_OPTIONS, withSource } from "../source.ts";
import { holders, readStory } from "../story.ts";
import { EXIT, option, type Verb } from "../verb.ts";

const KINDS: Readonly<Record<string, AmkoKind>> = {
  gslbconfig: "GSLBConfig",
  gdp: "GlobalDeploymentPolicy",
  globaldeploymentpolicy: "GlobalDeploymentPolicy",
  amkocluster: "AMKOCluster",
};

/** A term may have begun long before the time that is asked about. */
const LEADERS: StoryScope = { kinds: [], since: null, until: null };

/** Terms of office are found in all revisions, and only the times choose among them. */
const REVISIONS_ONLY = { notWith: "leaders" } as const;

/** The federation's story from git: who led, what changed, who did it and why. */
export const history: Verb = {
  explanation:
    "Reads merges, squashes and commits by hand as well as the agents'. A revision is told with what it changed against its first parent, and a merge with what it brought. Messages are shown as people wrote them; what changed is always read from the content.",
  arguments: [],
  options: [
    option("leaders", null, null, "only who led when and why"),
    option("kind", "kinds", null, "only these: gslbconfig, gdp, amkocluster", { repeats: true, ...REVISIONS_ONLY }),
    option("cluster", "name", null, "only what comes from this cluster or is about it", REVISIONS_ONLY),
    option("field", "path", null, "only fields that begin so: spec.trafficSplit", REVISIONS_ONLY),
    option("since", "time", null, "only from then on: 7d, 24h, or 2026-01-15T09:00:00Z"),
    option("until", "time", null, "only until then"),
    option("limit", "number", "50", "at most so many revisions; 0 is all", REVISIONS_ONLY),
    ...REPOSITORY_OPTIONS,
    OUTPUT_OPTION,
  ],
  examples: ["history", "history --leaders", "history --kind gdp --field spec.trafficSplit --since 30d -o json"],
  async run(given, shell, house) {
    const filter = readFilter(given, shell.nowMs());
    const limit = readLimit(given);
    const schemas = await house.readSchemas();
    return await withSource(given, shell, house, async (repository) => {
      const head = await readHead(given, repository, schemas, shell.signal);
      const progress = createProgress(shell);
      const entries: StoryEntry[] = [];
      let complete = true;
      const all = given.isSet("leaders");
      const scope = all ? LEADERS : scopeOf(filter);
      try {
        for await (const entry of readStory(repository, head, scope, progress, shell.signal)) {
          const wanted = all ? entry : filterEntry(entry, filter);
          if (wanted === null) continue;
          complete = all || entries.length < limit;
          if (!complete) break;
          entries.push(wanted);
        }
      } finally {
        progress.end();
      }
      const about = { repository: repository.url, head: head.name };
      if (all) {
        const terms = findTerms(entries).filter((term) =>
          isWithin(term.began.atSeconds, term.ended?.atSeconds ?? null, filter),
        );
        const report: LeadersReport = { ...about, terms: terms.map(reportTerm) };
        printResult(given, shell, report, () => renderTerms(terms, shell.nowMs(), shell.stdout));
        return EXIT.ok;
      }
      const held = holders(head.refs);
      const revisions = entries.map((entry) => reportRevision(entry, held.get(entry.commit) ?? []));
      const report: HistoryReport = { ...about, revisions, complete };
      printResult(given, shell, report, () => {
        const told = entries.map((entry) => renderEntry(entry, held.get(entry.commit) ?? [], shell.stdout));
        const rest = complete ? "" : `There is more; --limit 0 shows all.\n`;
        return told.length === 0
          ? "Nothing in the history is like that.\n"
          : [...told, ...(rest === "" ? [] : [rest])].join("\n");
      });
      return EXIT.ok;
    });
  },
};

function isWithin(began: number, ended: number | null, { since, until }: StoryFilter): boolean {
  return (until === null || began <= until) && (since === null || ended === null || ended >= since);
}

function readFilter(given: Given, nowMs: number): StoryFilter {
  const kinds = given.texts("kind").map((text) => {
    const kind = KINDS[text.toLowerCase()];
    if (kind === undefined) throw wrongFlag("kind", text, "no such kind", "Use gslbconfig, gdp or amkocluster.");
    return kind;
  });
  return {
    kinds,
    cluster: given.cluster("cluster"),
    field: given.text("field"),
    since: readMoment(given, "since", nowMs),
    until: readMoment(given, "until", nowMs),
  };
}

function readLimit(given: Given): number {
  const text = given.text("limit") ?? "50";
  if (!/^\d{1,6}$/.test(text)) throw wrongFlag("limit", text, "no number", "Give a number; 0 is all.");
  return text === "0" ? Number.POSITIVE_INFINITY : Number(text);
}
