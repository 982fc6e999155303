import { type FieldPath, type FieldStep, keyedEntries } from "./diff.ts";
import { deepEqual, isObject } from "./json.ts";
import type { CommitId, Content, Json, JsonObject } from "./model.ts";

/** One revision after the base, with what its parents held: together they say what the revision touched. */
export interface Step {
  readonly commit: CommitId;
  /** Null where the kind had no living snapshot. */
  readonly after: Content | null;
  readonly before: readonly (Content | null)[];
}

export interface MergeInput {
  readonly base: Content;
  readonly live: Content;
  readonly head: Content;
  /** The revisions after the base up to the head, newest first. */
  readonly steps: readonly Step[];
}

export interface Merge {
  readonly content: Content;
  /** Fields that the cluster changed and that stand in `content`. */
  readonly fromCluster: readonly FieldPath[];
  /** Fields that git changed and the live object did not have. */
  readonly fromGit: readonly FieldPath[];
  /** Commits whose value the cluster's newer one overrides, newest first. */
  readonly supersedes: readonly CommitId[];
}

type Value = Json | undefined;

/** The same place in every document that takes part. */
interface Place {
  readonly path: FieldPath;
  readonly base: Value;
  readonly live: Value;
  readonly head: Value;
  readonly steps: readonly { readonly commit: CommitId; readonly after: Value; readonly before: readonly Value[] }[];
}

/**
 * Merges by field. A field was changed in git if any revision after the base touched it, even if it is back where it
 * was. It was changed in the cluster if it differs from the base and from every value that those revisions gave it:
 * otherwise the cluster holds an older state of git, and git wins. Changed on both sides, the cluster wins.
 */
export function mergeContent({ base, live, head, steps }: MergeInput): Merge {
  const document = (content: Content | null): Value =>
    content === null ? undefined : { annotations: content.annotations, spec: content.spec };
  const result = mergePlace({
    path: [],
    base: document(base),
    live: document(live),
    head: document(head),
    steps: steps.map(({ commit, after, before }) => ({ commit, after: document(after), before: before.map(document) })),
  });
  const merged = result.value as { readonly annotations?: Record<string, string>; readonly spec?: JsonObject };
  const supersedes = steps.map(({ commit }) => commit).filter((commit) => result.supersedes.has(commit));
  return { ...result, content: { annotations: merged.annotations ?? {}, spec: merged.spec ?? {} }, supersedes };
}

interface Merged {
  readonly value: Value;
  readonly fromCluster: readonly FieldPath[];
  readonly fromGit: readonly FieldPath[];
  readonly supersedes: ReadonlySet<CommitId>;
}

function mergePlace(place: Place): Merged {
  const shape = sharedShape(place);
  if (shape === null) return mergeValue(place);
  const inside = open(place, shape);
  const keys = new Set([...inside.live.keys(), ...inside.head.keys()]);
  const children = new Map([...keys].map((key) => [key, mergePlace(child(place, shape, inside, key))]));
  const stays = (key: string): boolean => children.get(key)?.value !== undefined;
  const present = shape === "map" ? [...keys].filter(stays) : orderEntries(inside, stays);
  const values = present.map((key) => [key, children.get(key)?.value as Json] as const);
  const value: Json = shape === "map" ? Object.fromEntries(values) : values.map(([, entry]) => entry);
  const parts = [...children.values()];
  const fromCluster = parts.flatMap((part) => part.fromCluster);
  const fromGit = parts.flatMap((part) => part.fromGit);
  return {
    value,
    // Where no entry differs from a side, the order may: then the list itself is what changed.
    fromCluster: fromCluster.length > 0 || deepEqual(value, place.head) ? fromCluster : [place.path],
    fromGit: fromGit.length > 0 || deepEqual(value, place.live) ? fromGit : [place.path],
    supersedes: new Set(parts.flatMap(({ supersedes }) => [...supersedes])),
  };
}

/** A field that is one value on some side: it is taken whole, from one side or the other. */
function mergeValue({ path, base, live, head, steps }: Place): Merged {
  const giving = steps.filter(({ after, before }) => !before.some((value) => deepEqual(after, value)));
  const changedInCluster = !deepEqual(live, base) && !giving.some(({ after }) => deepEqual(after, live));
  const differs = !deepEqual(live, head);
  const last = giving[0];
  return {
    value: changedInCluster ? live : head,
    fromCluster: changedInCluster && differs ? [path] : [],
    fromGit: !changedInCluster && differs ? [path] : [],
    supersedes: new Set(changedInCluster && differs && last !== undefined ? [last.commit] : []),
  };
}

type Shape = "map" | "cluster" | "clusterContext";

/**
 * Maps and keyed lists are merged inside, if live and head are of that shape, and so is the base where it has the
 * field. An empty list is of the shape of every list.
 */
function sharedShape({ base, live, head }: Place): Shape | null {
  const shapes = new Set([live, head, ...(base === undefined ? [] : [base])].map(shapeOf));
  const isSomewhereEmpty = shapes.delete("empty");
  const [shape = null, ...others] = shapes;
  return others.length > 0 || shape === "empty" || (shape === "map" && isSomewhereEmpty) ? null : shape;
}

function shapeOf(value: Value): Shape | "empty" | null {
  if (value === undefined) return null;
  if (isObject(value)) return "map";
  if (Array.isArray(value) && value.length === 0) return "empty";
  return (keyedEntries(value)?.key as Shape | undefined) ?? null;
}

type Entries = ReadonlyMap<string, Json>;

/** What stands inside a place, by key. */
interface Inside {
  readonly base: Entries;
  readonly live: Entries;
  readonly head: Entries;
  readonly steps: readonly {
    readonly commit: CommitId;
    readonly after: Entries;
    readonly before: readonly Entries[];
  }[];
}

function open({ base, live, head, steps }: Place, shape: Shape): Inside {
  const entriesOf = (value: Value): Entries => {
    if (value === undefined) return new Map();
    if (shape === "map") return isObject(value) ? new Map(Object.entries(value)) : new Map();
    const keyed = keyedEntries(value);
    return keyed?.key === shape ? keyed.entries : new Map();
  };
  return {
    base: entriesOf(base),
    live: entriesOf(live),
    head: entriesOf(head),
    steps: steps.map(({ commit, after, before }) => ({
      commit,
      after: entriesOf(after),
      before: before.map(entriesOf),
    })),
  };
}

function child({ path }: Place, shape: Shape, { base, live, head, steps }: Inside, key: string): Place {
  const step: FieldStep = shape === "map" ? key : { entry: key };
  return {
    path: [...path, step],
    base: base.get(key),
    live: live.get(key),
    head: head.get(key),
    steps: steps.map(({ commit, after, before }) => ({
      commit,
      after: after.get(key),
      before: before.map((entries) => entries.get(key)),
    })),
  };
}

/**
 * The entries that stay, in the cluster's order where it changed that, by the same rule as a value: it is neither the
 * base's nor one that git had since. Otherwise in the head's, with what only the cluster has at the end.
 */
function orderEntries({ base, live, head, steps }: Inside, stays: (key: string) => boolean): readonly string[] {
  const isOlderState = steps.some(({ after }) => shared(after, live).length > 1 && sameOrder(after, live));
  const reordered = !sameOrder(base, live) && !isOlderState;
  // Entries that only the cluster has keep their places, if git did nothing to the list.
  const extended =
    deepEqual([...head.keys()], [...base.keys()]) &&
    sameOrder(head, live) &&
    [...head.keys()].every((key) => live.has(key) || !stays(key));
  const [first, second] = reordered || extended ? [live, head] : [head, live];
  return [...new Set([...first.keys(), ...second.keys()])].filter(stays);
}

function shared(entries: Entries, others: Entries): readonly string[] {
  return [...entries.keys()].filter((key) => others.has(key));
}

function sameOrder(a: Entries, b: Entries): boolean {
  return deepEqual(shared(a, b), shared(b, a));
}
