import type { CommitId } from "../core/model.ts";
import type { HistoryRange } from "../ports.ts";
import type { Commit } from "./commit.ts";

/** Commits that are here, by id. A parent without an entry is not here: the clone is shallow there. */
export type Graph = ReadonlyMap<CommitId, Commit>;

/** The ids that can be reached from `start`, it included, and those parents among them that are not here. */
export interface Past {
  readonly commits: ReadonlySet<CommitId>;
  readonly missing: ReadonlySet<CommitId>;
}

export function pastOf(graph: Graph, start: CommitId, stopAt: ReadonlySet<CommitId> = new Set()): Past {
  const commits = new Set<CommitId>();
  const missing = new Set<CommitId>();
  const pending = [start];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (commits.has(id) || stopAt.has(id)) continue;
    const commit = graph.get(id);
    if (commit === undefined) {
      missing.add(id);
      continue;
    }
    commits.add(id);
    pending.push(...commit.parents);
  }
  return { commits, missing };
}

export type RangeVerdict =
  /** These, and no others, are in the range; `missing` are parents among them that are not here. */
  | { readonly kind: "known"; readonly commits: ReadonlySet<CommitId>; readonly missing: ReadonlySet<CommitId> }
  /** Some commit could be in the range or not; more of the past decides. */
  | { readonly kind: "deepen" }
  /** `until` is not in the past of `from`, and the whole past is here. */
  | { readonly kind: "outside" };

/**
 * The commits that `from` is made of and `until` is not, with no trust in dates. While `until`'s past is not wholly
 * here, a commit beside it might still belong to it. It cannot where it descends from every commit at which that past
 * breaks off: it would be its own ancestor.
 */
export function resolveRange(graph: Graph, { from, until }: HistoryRange): RangeVerdict {
  if (until === null) return { kind: "known", ...pastOf(graph, from) };
  const excluded = pastOf(graph, until);
  const included = pastOf(graph, from, excluded.commits);
  if (!reaches(graph, from, until)) {
    return included.missing.size === 0 ? { kind: "outside" } : { kind: "deepen" };
  }
  const unclear = [...included.missing].some((id) => !excluded.missing.has(id));
  if (unclear) return { kind: "deepen" };
  const breaks = [...excluded.commits].filter((id) => graph.get(id)?.parents.some((parent) => !graph.has(parent)));
  const settled = breaks.every((end) => isSubset(included.commits, descendantsOf(graph, end)));
  return settled ? { kind: "known", commits: included.commits, missing: new Set() } : { kind: "deepen" };
}

/**
 * Newest first by date, but each commit before its parents, whatever its date says. Ends early behind a commit with a
 * parent that is not here, since the commits behind it cannot be put into order yet.
 */
export function* newestFirst(
  graph: Graph,
  commits: ReadonlySet<CommitId>,
  done: ReadonlySet<CommitId>,
): Generator<CommitId> {
  const left = [...commits].filter((id) => !done.has(id));
  const children = countChildren(graph, left);
  const ready = left.filter((id) => !children.has(id));
  for (let id = takeNewest(graph, ready); id !== undefined; id = takeNewest(graph, ready)) {
    yield id;
    const parents = new Set(graph.get(id)?.parents);
    for (const parent of parents) {
      const remaining = (children.get(parent) ?? 0) - 1;
      children.set(parent, remaining);
      if (remaining === 0 && commits.has(parent)) ready.push(parent);
    }
    if ([...parents].some((parent) => !graph.has(parent))) return;
  }
}

function countChildren(graph: Graph, ids: readonly CommitId[]): Map<CommitId, number> {
  const children = new Map<CommitId, number>();
  for (const id of ids) {
    for (const parent of new Set(graph.get(id)?.parents)) children.set(parent, (children.get(parent) ?? 0) + 1);
  }
  return children;
}

function takeNewest(graph: Graph, ready: CommitId[]): CommitId | undefined {
  const dateOf = (id: CommitId | undefined): number => (id && graph.get(id)?.committedAtSeconds) ?? 0;
  let newest = 0;
  for (let index = 1; index < ready.length; index += 1) {
    if (dateOf(ready[index]) > dateOf(ready[newest])) newest = index;
  }
  return ready.splice(newest, 1)[0];
}

function reaches(graph: Graph, from: CommitId, target: CommitId): boolean {
  return pastOf(graph, from).commits.has(target);
}

/** Every commit here that has `ancestor` in its past, and itself. */
function descendantsOf(graph: Graph, ancestor: CommitId): ReadonlySet<CommitId> {
  const children = new Map<CommitId, CommitId[]>();
  for (const [id, { parents }] of graph) {
    for (const parent of parents) {
      const siblings = children.get(parent);
      if (siblings === undefined) children.set(parent, [id]);
      else siblings.push(id);
    }
  }
  const found = new Set<CommitId>();
  const pending = [ancestor];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    pending.push(...(children.get(id) ?? []));
  }
  return found;
}

function isSubset(part: ReadonlySet<CommitId>, whole: ReadonlySet<CommitId>): boolean {
  return [...part].every((id) => whole.has(id));
}
