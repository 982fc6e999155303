import type { ClusterStatus, FederationStatus } from "../../core/federation-status.ts";
import { FEDERATED_KINDS } from "../../core/model.ts";
import { paint, type Stream } from "../shell.ts";
import type { WatchFailure } from "../watch.ts";
import { formatInstant } from "./instant.ts";
import { renderNotes } from "./notes.ts";
import { plainText, renderProblem } from "./problem.ts";
import { type Cell, renderTable } from "./table.ts";

export interface StatusTime {
  /** `main@4f1c09ab` */
  readonly revision: string;
  readonly refPrefix: string;
  readonly nowMs: number;
}

/** A headline, a table of the clusters, then what waits for people and what is wrong. */
export function renderStatus(status: FederationStatus, time: StatusTime, stream: Stream): string {
  const rows = status.clusters.map((cluster): readonly Cell[] => [
    plainText(cluster.cluster),
    cluster.role,
    plainText(cluster.version ?? "-"),
    cluster.applied?.slice(0, 8) ?? "-",
    cluster.behindSinceSeconds === null ? "-" : formatAge(time.nowMs - cluster.behindSinceSeconds * 1000),
    { text: plainText(stateOf(cluster)), style: cluster.well ? "green" : "yellow" },
  ]);
  const header = ["CLUSTER", "ROLE", "VERSION", "HOLDS", "BEHIND", "STATE"];
  const waiting = [...status.proposals, ...status.rescues].map((name) => {
    const ref = `${time.refPrefix}/${name}`;
    // Whoever may push a ref names it: only a plain name is made into a command to copy.
    return /^[\w./%@+-]+$/.test(ref) ? `${ref} (git fetch && git show origin/${ref})` : ref;
  });
  const problems = status.problems.map((problem) => renderProblem(problem, stream)).join("");
  const notes = renderNotes("Waiting for people", waiting, stream);
  const table = renderTable(header, rows, stream);
  return [`${paint(stream, "bold", headline(status, time.revision))}\n`, table, notes, problems]
    .filter((part) => part !== "")
    .join("\n");
}

function headline({ leadership, clusters }: FederationStatus, revision: string): string {
  const expected = clusters.filter(({ role }) => role !== "no member" && role !== "no manifest");
  const holding = expected.filter(({ kinds }) => FEDERATED_KINDS.every((kind) => kinds[kind] === "holds"));
  const who =
    leadership.kind === "leader" ? `${leadership.cluster} leads` : `nobody leads: ${leadership.problem.message}`;
  return plainText(`${who}, ${holding.length} of ${expected.length} clusters hold ${revision}`);
}

function stateOf({ kinds, errors }: ClusterStatus): string {
  if (errors.length > 0) return errors.join("; ");
  const states = new Set(FEDERATED_KINDS.map((kind) => kinds[kind]));
  if (states.has("unreported")) return "never reported";
  const behind = FEDERATED_KINDS.filter((kind) => kinds[kind] === "behind");
  return behind.length === 0 ? "in sync" : `behind: ${behind.join(", ")}`;
}

/** Since when what stands above is not of this moment, and why. */
export function renderStale({ error, sinceMs }: WatchFailure, nowMs: number, stream: Stream): string {
  const ago = nowMs - sinceMs < 1000 ? "" : ` (${formatAge(nowMs - sinceMs)})`;
  const since = paint(stream, "yellow", `No news since ${formatInstant(sinceMs)}${ago}:`);
  return `${since} ${error.code} ${plainText(error.message).replace(/\.$/, "")}. ${error.remedy}\n`;
}

/** `45s`, `12m`, `3h`, `5d`, as kubectl says it. */
function formatAge(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}
