import type { ChangeEffect } from "../core/change-effects.ts";
import { describeEffect } from "../core/describe-effect.ts";
import { formatFieldPath } from "../core/diff.ts";
import type { CommitId, Json, Leadership } from "../core/model.ts";
import type { StoryEntry } from "../core/story.ts";
import type { LeaderTerm, TermMark } from "../core/terms.ts";
import { formatInstant } from "./render/instant.ts";

/** What `history -o json` prints. */
export interface HistoryReport {
  readonly repository: string;
  /** `main@sha1:…` */
  readonly head: string;
  /** Newest first. */
  readonly revisions: readonly RevisionReport[];
  /** False where `--limit` left older ones out. */
  readonly complete: boolean;
}

export interface RevisionReport {
  readonly commit: CommitId;
  /** Committer date, RFC 3339 in UTC. */
  readonly at: string;
  readonly author: string;
  readonly subject: string;
  /** The free text of the message; empty for none. */
  readonly reason: string;
  /** The cluster whose agent committed it; null where a person did. */
  readonly from: string | null;
  /** What changed the object there, as its API server recorded it. */
  readonly changedWith: readonly string[];
  readonly supersedes: readonly string[];
  /** Who leads as of this revision; null where nobody does, or nobody can tell. */
  readonly leader: string | null;
  readonly effects: readonly EffectReport[];
  /** What a merge brought, newest first. */
  readonly brought: readonly {
    readonly commit: CommitId;
    readonly author: string;
    readonly subject: string;
    readonly reason: string;
  }[];
  /** The clusters that hold this revision now. */
  readonly heldBy: readonly string[];
}

export interface EffectReport {
  readonly kind: ChangeEffect["kind"];
  /** In words, one sentence. */
  readonly text: string;
  /** For `fields`: each field, old and new; null is none. */
  readonly fields?: readonly { readonly field: string; readonly before: Json; readonly after: Json }[];
  readonly object?: string;
}

/** What `history --leaders -o json` prints. */
export interface LeadersReport {
  readonly repository: string;
  readonly head: string;
  /** Newest first. */
  readonly terms: readonly TermReport[];
}

export interface TermReport {
  readonly state: Leadership["kind"];
  readonly clusters: readonly string[];
  readonly began: MarkReport;
  readonly ended: MarkReport | null;
}

export type MarkReport = Omit<TermMark, "atSeconds"> & { readonly at: string };

export function reportRevision(entry: StoryEntry, heldBy: readonly string[]): RevisionReport {
  const { commit, author, told, from, leadership, effects, brought } = entry;
  return {
    commit,
    at: formatInstant(entry.atSeconds * 1000),
    author,
    subject: told.subject,
    reason: told.reason,
    from,
    changedWith: told.tools,
    supersedes: told.supersedes,
    leader: leadership.kind === "leader" ? leadership.cluster : null,
    effects: effects.map(reportEffect),
    brought: brought.map((one) => ({
      commit: one.commit,
      author: one.author,
      subject: one.told.subject,
      reason: one.told.reason,
    })),
    heldBy,
  };
}

export function reportTerm({ state, clusters, began, ended }: LeaderTerm): TermReport {
  return { state, clusters, began: reportMark(began), ended: ended === null ? null : reportMark(ended) };
}

function reportMark({ commit, atSeconds, author, subject, reason }: TermMark): MarkReport {
  return { commit, at: formatInstant(atSeconds * 1000), author, subject, reason };
}

function reportEffect(effect: ChangeEffect): EffectReport {
  const [text = ""] = describeEffect(effect);
  const object = "object" in effect ? { object: effect.object } : {};
  if (effect.kind !== "fields") return { kind: effect.kind, text, ...object };
  const fields = effect.fields.map(({ path, before, after }) => ({
    field: formatFieldPath(path),
    before: before ?? null,
    after: after ?? null,
  }));
  return { kind: effect.kind, text, ...object, fields };
}
