import { describeStanding } from "../../core/standing.ts";
import type { TakeoverFacts, TakeoverPlan } from "../../core/takeover.ts";
import type { TopologyEntry } from "../../core/topology.ts";
import { paint, type Stream } from "../shell.ts";
import { describeChanges, renderChanges } from "./changes.ts";
import { renderNotes } from "./notes.ts";
import { plainText } from "./problem.ts";
import { type Cell, renderTable } from "./table.ts";

/** More than this and those that nothing happens to are counted and not listed. */
const ROWS_ALL = 12;

/** Who leads today and afterwards, what the commit changes, and what to know before saying yes. */
export function renderTakeover(
  plan: TakeoverPlan,
  { files, schemas, standings }: Pick<TakeoverFacts, "files" | "schemas" | "standings">,
  base: string,
  stream: Stream,
): string {
  const title = paint(stream, "bold", plainText(sentence(plan.subject)));
  const changes = renderChanges(describeChanges(files, plan.changes, schemas), stream);
  const table = renderTopology(plan, standings, stream);
  return `${title}, on ${base}\n\n${table}\n${changes}\n${renderNotes("Before you say yes", plan.warnings, stream)}`;
}

function renderTopology(
  { before, after }: TakeoverPlan,
  standings: TakeoverFacts["standings"],
  stream: Stream,
): string {
  const today = new Map(before.map((entry) => [entry.cluster, entry]));
  const rows = after.map((entry) => ({
    entry,
    former: today.get(entry.cluster),
    standing: standings.get(entry.cluster) ?? ({ kind: "unreported" } as const),
  }));
  const telling = rows.filter(
    ({ entry, former, standing }) => entry.role !== former?.role || entry.reason !== null || standing.kind !== "holds",
  );
  const shown = rows.length <= ROWS_ALL ? rows : telling;
  const cells = shown.map(({ entry, former, standing }): readonly Cell[] => [
    plainText(entry.cluster),
    former?.role ?? "unknown",
    afterwards(entry, former),
    entry.reason === null
      ? { text: plainText(describeStanding(standing)), style: standing.kind === "holds" ? "green" : "yellow" }
      : { text: plainText(entry.reason), style: "yellow" },
  ]);
  const rest = rows.length - shown.length;
  const more = rest === 0 ? "" : `and ${rest} more, all up to date, for which nothing changes\n`;
  return `${renderTable(["CLUSTER", "TODAY", "AFTERWARDS", "STATE"], cells, stream)}${more}`;
}

function afterwards({ role }: TopologyEntry, former: TopologyEntry | undefined): Cell {
  return role === former?.role ? role : { text: role, style: "bold" };
}

function sentence(subject: string): string {
  return `${subject.charAt(0).toUpperCase()}${subject.slice(1)}`;
}
