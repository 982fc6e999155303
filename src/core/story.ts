import { type ChangeEffect, findEffects } from "./change-effects.ts";
import type { ClusterName, CommitId, FederationView, Leadership, Revision, RevisionFile } from "./model.ts";
import type { Schemas } from "./resource-definition.ts";
import { readTold, type Told } from "./told.ts";
import { evaluate, type ViewCache } from "./view.ts";

/** A commit that a merge brought to the branch. */
export interface BroughtCommit {
  readonly commit: CommitId;
  readonly author: string;
  readonly told: Told;
}

/** One revision of the tracked branch's own line, with what it did to the federation. */
export interface StoryEntry {
  readonly commit: CommitId;
  /** Committer date, Unix time. */
  readonly atSeconds: number;
  readonly author: string;
  readonly told: Told;
  /** The cluster whose agent exported this; null where a person wrote it, or where the trailer is not true. */
  readonly from: ClusterName | null;
  /** Against the first parent, the weightiest first. */
  readonly effects: readonly ChangeEffect[];
  readonly leadership: Leadership;
  /** Newest first; empty unless this is a merge. */
  readonly brought: readonly BroughtCommit[];
}

/** Of one merge, so many commits are told. */
export const BROUGHT_MAX = 20;

export interface StoryReader {
  /** Takes the next revision, newest first, each before its parents. Returns the entries that are complete now. */
  take(revision: Revision): readonly StoryEntry[];
  /** The entries that are left when there are no more revisions. */
  end(): readonly StoryEntry[];
}

/**
 * Turns the branch's history into its story. The line of first parents is the branch; what a merge brought is told with
 * the merge, and not twice. Revisions that left the federation's folder as it was are no part of it.
 */
export function createStoryReader(head: CommitId, schemas: Schemas, cache: ViewCache): StoryReader {
  let next: CommitId | null = head;
  /** The revision of the line that waits for its first parent, and what it brought so far. */
  let waiting: Seen | null = null;
  /** Which merge of the line a commit beside it belongs to. */
  const mergeOf = new Map<CommitId, BroughtCommit[]>();

  function take(revision: Revision): readonly StoryEntry[] {
    if (revision.commit !== next) {
      noteBrought(revision, mergeOf);
      return [];
    }
    const [first = null, ...others] = revision.parents;
    const brought: BroughtCommit[] = [];
    for (const parent of others) if (!mergeOf.has(parent)) mergeOf.set(parent, brought);
    const seen: Seen = { revision, brought, view: viewOf(revision, waiting, schemas, cache) };
    const told = waiting === null ? [] : tell(waiting, seen.view, revision);
    waiting = seen;
    next = first;
    return told;
  }

  return {
    take,
    end: () => (waiting === null || next !== null ? [] : tell(waiting, evaluate([], schemas), null)),
  };
}

interface Seen {
  readonly revision: Revision;
  readonly view: FederationView;
  readonly brought: readonly BroughtCommit[];
}

function noteBrought(revision: Revision, mergeOf: Map<CommitId, BroughtCommit[]>): void {
  const brought = mergeOf.get(revision.commit);
  if (brought === undefined) return;
  mergeOf.delete(revision.commit);
  const { commit, author, message, parents } = revision;
  if (brought.length < BROUGHT_MAX) brought.push({ commit, author, told: readTold(message) });
  for (const parent of parents) if (!mergeOf.has(parent)) mergeOf.set(parent, brought);
}

function tell(
  { revision, view, brought }: Seen,
  before: FederationView,
  parent: Revision | null,
): readonly StoryEntry[] {
  if (parent !== null && parent.tree === revision.tree) return [];
  const { commit, committedAtSeconds, author, message } = revision;
  const told = readTold(message);
  const leader = before.leadership.kind === "leader" ? before.leadership.cluster : null;
  return [
    {
      commit,
      atSeconds: committedAtSeconds,
      author,
      told,
      from: leader !== null && told.from === leader ? leader : null,
      effects: findEffects(before, view),
      leadership: view.leadership,
      brought,
    },
  ];
}

/** Only what differs from the revision above is judged again: a federation of many clusters changes one file at a time. */
function viewOf(revision: Revision, above: Seen | null, schemas: Schemas, cache: ViewCache): FederationView {
  if (above === null) return evaluate(revision.files, schemas, cache);
  if (above.revision.tree === revision.tree) return above.view;
  if (!sameManifests(revision.files, above.revision.files)) return evaluate(revision.files, schemas, cache);
  const { kinds } = evaluate(revision.files.filter(isSnapshot), schemas, cache);
  return { ...above.view, kinds };
}

/** Both lists have the manifests first, and files that did not change are mostly the very same objects. */
function sameManifests(files: readonly RevisionFile[], others: readonly RevisionFile[]): boolean {
  for (let index = 0; ; index += 1) {
    const [file, other] = [manifestAt(files, index), manifestAt(others, index)];
    if (file === null && other === null) return true;
    if (file === other) continue;
    if (file?.id !== other?.id || file?.path !== other?.path || file?.type !== other?.type) return false;
  }
}

function manifestAt(files: readonly RevisionFile[], index: number): RevisionFile | null {
  const file = files[index];
  return file === undefined || isSnapshot(file) ? null : file;
}

function isSnapshot({ path }: RevisionFile): boolean {
  return path.startsWith("federation/");
}
