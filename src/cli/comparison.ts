import type { ClusterName, CommitId, Revision } from "../core/model.ts";
import { formatRevision } from "../core/records.ts";
import type { Schemas } from "../core/resource-definition.ts";
import { diffRevisions, type FederationDiff } from "../core/revision-diff.ts";
import { evaluate } from "../core/view.ts";
import { FederationError, hasCode } from "../errors.ts";
import type { Given } from "./given.ts";
import { shortRevision } from "./head.ts";
import type { OpenRepository } from "./house.ts";
import { resolveTracked } from "./tracked-revision.ts";

/** What was compared with what; renderers turn it into text and data. */
export interface Comparison {
  readonly from: ComparedSide;
  readonly to: ComparedSide;
  readonly diff: FederationDiff;
}

/** One side of a comparison. Without a commit it is the nothing before the first revision. */
export type ComparedSide =
  | { readonly kind: "revision"; readonly commit: CommitId | null; readonly title: string }
  | { readonly kind: "cluster"; readonly cluster: ClusterName; readonly title: string };

/** What a comparison is made with. */
export interface ComparedSource {
  readonly given: Given;
  readonly repository: OpenRepository;
  readonly schemas: Schemas;
  readonly signal: AbortSignal;
}

/** A revision that a person named, or the head, with how it is called. */
export interface NamedRevision {
  readonly revision: Revision;
  readonly title: string;
}

/**
 * Compares two revisions: those that were named, the one that was named with the head, or the head with its first
 * parent.
 * @throws FederationError AG4009 for a name that means none, AG2005 while the branch has no commit
 */
export async function compareRevisions(source: ComparedSource): Promise<Comparison> {
  const { given, schemas } = source;
  const [first, second] = [given.argument(0), given.argument(1)];
  const to = await readNamed(source, second);
  const from = first === null ? await readParent(source, to) : await readNamed(source, first);
  return {
    from: sideOf(from),
    to: sideOf(to),
    diff: diffRevisions(evaluate(from?.revision.files ?? [], schemas), evaluate(to.revision.files, schemas)),
  };
}

/** @throws as {@link compareRevisions} */
export async function readNamed(source: ComparedSource, name: string | null): Promise<NamedRevision> {
  const { given, repository, signal } = source;
  const { branch } = given.place();
  if (name === null || name === branch) {
    const { head } = await repository.list("branch", signal);
    if (head === null) throw new FederationError("AG2005", `${repository.url} has no commit on ${branch}`);
    const title = shortRevision({ commit: head, name: formatRevision(branch, head) });
    return { revision: await repository.read(head, signal), title };
  }
  const commit = await resolveTracked(repository, branch, name, signal);
  try {
    return { revision: await repository.read(commit, signal), title: titleOf(commit, name) };
  } catch (error) {
    if (!hasCode(error, "AG2012")) throw error;
    throw new FederationError("AG4009", `${repository.url} has no revision "${name}"`, { cause: error });
  }
}

/** A side of the comparison for a revision; null stands for the nothing before the first one. */
export function sideOf(named: NamedRevision | null): ComparedSide {
  if (named === null) return { kind: "revision", commit: null, title: "nothing, before the first revision" };
  return { kind: "revision", commit: named.revision.commit, title: named.title };
}

/** Null for the first revision, which has no parent. */
async function readParent(
  { given, repository, signal }: ComparedSource,
  { revision }: NamedRevision,
): Promise<NamedRevision | null> {
  const [parent] = revision.parents;
  if (parent === undefined) return null;
  const title = titleOf(parent, `${given.place().branch}~1`);
  return { revision: await repository.read(parent, signal), title };
}

/** By its first digits, and as the person called it where that says more. */
function titleOf(commit: CommitId, name: string): string {
  const digits = commit.slice(0, 8);
  return name.includes(digits) || commit.startsWith(name) ? digits : `${digits} (${name})`;
}
