import { claimantsOf } from "./claimants.ts";
import type { ClusterName, CommitId, Leadership } from "./model.ts";
import type { StoryEntry } from "./story.ts";

/** A time in which one cluster led, or nobody could. */
export interface LeaderTerm {
  readonly state: Leadership["kind"];
  /** Who led; several in a conflict, nobody where nobody claimed or nobody could tell. */
  readonly clusters: readonly ClusterName[];
  readonly began: TermMark;
  /** Null while it lasts. */
  readonly ended: TermMark | null;
}

/** The revision that began or ended a term. */
export interface TermMark {
  readonly commit: CommitId;
  readonly atSeconds: number;
  readonly author: string;
  readonly subject: string;
  readonly reason: string;
}

/** Who led when and why, newest first. `entries` are the whole story, newest first. */
export function findTerms(entries: readonly StoryEntry[]): readonly LeaderTerm[] {
  const terms: LeaderTerm[] = [];
  let ended: TermMark | null = null;
  for (const [index, entry] of entries.entries()) {
    const below = entries[index + 1];
    if (below !== undefined && nameOf(below.leadership) === nameOf(entry.leadership)) continue;
    const began = markOf(entry);
    terms.push({ state: entry.leadership.kind, clusters: claimantsOf(entry.leadership) ?? [], began, ended });
    ended = began;
  }
  return terms;
}

/** The merge's own words, or those of what it brought: whoever wrote the flip says why. */
function markOf({ commit, atSeconds, author, told, brought }: StoryEntry): TermMark {
  const words = [told, ...brought.map((one) => one.told)].find(({ reason }) => reason !== "");
  return { commit, atSeconds, author, subject: told.subject, reason: words?.reason ?? "" };
}

function nameOf(leadership: Leadership): string {
  return JSON.stringify([leadership.kind, claimantsOf(leadership)]);
}
