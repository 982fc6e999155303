import { type ChangeEffect, findEffects } from "./change-effects.ts";
import { trailerText } from "./message.ts";
import {
  type ClusterName,
  type CommitId,
  type FederatedKind,
  type FederationView,
  KINDS,
  type Leadership,
  type Revision,
  type RevisionFile,
} from "./model.ts";
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
const BROUGHT_MAX = 20;

export interface StoryReader {
  /** Takes the next revision, newest first, each before its parents. Returns the entries that are complete now. */
  take(revision: Revision): readonly StoryEntry[];
  /** The entries that are left when there are no more revisions. */
  end(): readonly StoryEntry[];
}

/** How much of the story is wanted; what is not wanted is not judged, which takes nearly all the time. */
export interface StoryScope {
  /** Changes of other kinds are not told. Who led, and who took part, always is. */
  readonly kinds: readonly FederatedKind[];
  /** Unix time in seconds, both included; null has no end. */
  readonly since: number | null;
  readonly until: number | null;
}

/** What a story is judged with. */
export interface StoryContext {
  readonly schemas: Schemas;
  readonly cache: ViewCache;
  readonly scope: StoryScope;
}

/**
 * Turns the branch's history into its story. The line of first parents is the branch; what a merge brought is told with
 * the merge, and not twice. Revisions that left the federation's folder as it was are no part of it.
 */
export function createStoryReader(head: CommitId, context: StoryContext): StoryReader {
  const viewOf = createViewer(context);
  let next: CommitId | null = head;
  /** The revision of the line that waits for its first parent, and what it brought so far. */
  let waiting: Seen | null = null;
  /** Which merge of the line a commit beside it belongs to. */
  const mergeOf = new Map<CommitId, BroughtCommit[]>();

  function tell({ revision, brought }: Seen, parent: Revision | null): readonly StoryEntry[] {
    if (parent?.tree === revision.tree || !isWithin(revision.committedAtSeconds, context.scope)) return [];
    const view = viewOf(revision);
    return [entryOf({ revision, brought, view, before: viewOf(parent) })];
  }

  return {
    take(revision) {
      if (revision.commit !== next) {
        noteBrought(revision, mergeOf);
        return [];
      }
      const [first = null, ...others] = revision.parents;
      const brought: BroughtCommit[] = [];
      for (const parent of others) if (!mergeOf.has(parent)) mergeOf.set(parent, brought);
      const told = waiting === null ? [] : tell(waiting, revision);
      waiting = { revision, brought };
      next = first;
      return told;
    },
    end: () => (waiting === null || next !== null ? [] : tell(waiting, null)),
  };
}

/** Whether something that happened then is wanted. */
export function isWithin(atSeconds: number, { since, until }: Pick<StoryScope, "since" | "until">): boolean {
  return (since === null || atSeconds >= since) && (until === null || atSeconds <= until);
}

interface Seen {
  readonly revision: Revision;
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

interface Judged {
  readonly view: FederationView;
  readonly before: FederationView;
}

function entryOf({ revision, brought, view, before }: Seen & Judged): StoryEntry {
  const { commit, committedAtSeconds, author, message } = revision;
  const told = readTold(message);
  const leader = before.leadership.kind === "leader" ? before.leadership.cluster : null;
  return {
    commit,
    atSeconds: committedAtSeconds,
    author,
    told,
    from: leader !== null && told.from === trailerText(leader) ? leader : null,
    effects: findEffects(before, view),
    leadership: view.leadership,
    brought,
  };
}

/**
 * Views of one revision after the other; null is the nothing before the first one. Only what differs from the last one
 * is judged again: a federation of many clusters changes one file at a time.
 */
function createViewer({ schemas, cache, scope }: StoryContext): (revision: Revision | null) => FederationView {
  const folders = scope.kinds.map((kind) => `${KINDS[kind].folder}/` as const);
  const isWanted = (file: RevisionFile): boolean => folders.some((folder) => standsIn(file, folder));
  let last: { readonly revision: Revision; readonly view: FederationView } | null = null;

  function judge(revision: Revision): FederationView {
    if (last?.revision.tree === revision.tree) return last.view;
    const snapshots = revision.files.filter(isWanted);
    if (last !== null && sameManifests(revision.files, last.revision.files)) {
      return { ...last.view, kinds: evaluate(snapshots, schemas, cache).kinds };
    }
    const manifests = revision.files.filter((file) => !isSnapshot(file));
    return evaluate([...manifests, ...snapshots], schemas, cache);
  }

  return (revision) => {
    if (revision === null) return evaluate([], schemas);
    const view = judge(revision);
    last = { revision, view };
    return view;
  };
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

function isSnapshot(file: RevisionFile): boolean {
  return standsIn(file, "federation/");
}

/** Also what stands in the place of the folder, or of one around it. A long history is asked this millions of times. */
function standsIn({ path }: RevisionFile, folder: `${string}/`): boolean {
  return path.startsWith(folder) || (path.length < folder.length && folder.startsWith(`${path}/`));
}
