import type { FederationView, FileChange, ObjectId, Problem, RevisionFile } from "./model.ts";
import type { Schemas } from "./resource-definition.ts";
import { evaluate } from "./view.ts";

/** What a commit would say: its files as if it had been made, and what is wrong afterwards and was not before. */
export interface Outcome {
  readonly files: readonly RevisionFile[];
  readonly view: FederationView;
  /** Errors that the commit would bring in. What was wrong before may stay wrong: that is another commit's business. */
  readonly newErrors: readonly Problem[];
}

export function judgeOutcome(
  before: FederationView,
  files: readonly RevisionFile[],
  changes: readonly FileChange[],
  schemas: Schemas,
): Outcome {
  const changed = new Set(changes.map(({ path }) => path));
  const written = changes.flatMap(({ path, bytes }) => (bytes === null ? [] : [fileOf(path, bytes)]));
  const after = [...files.filter(({ path }) => !changed.has(path)), ...written];
  const view = evaluate(after, schemas);
  const known = new Set(before.problems.map(identify));
  const excluded = excludedIn(before);
  const hidden = before.leadership.kind !== "leader";
  const newErrors = view.problems.filter((problem) => {
    if (problem.severity !== "error") return false;
    const [member] = [...view.members.values()].filter((one) => one.problem === problem);
    // While nobody leads nobody is excluded: that was hidden, and does not come with this commit.
    if (member !== undefined) return !hidden && !excluded.has(member.cluster);
    return !known.has(identify(problem));
  });
  return { files: after, view, newErrors };
}

/** It has no id yet: nothing that judges a file reads it. */
function fileOf(path: string, bytes: Uint8Array): RevisionFile {
  return { path, type: "file", id: "" as ObjectId, size: bytes.length, bytes };
}

function excludedIn({ members }: FederationView): ReadonlySet<string> {
  return new Set([...members.values()].filter(({ problem }) => problem !== null).map(({ cluster }) => cluster));
}

/** The line may differ: something may have been put above it. */
function identify({ code, path, message }: Problem): string {
  return JSON.stringify([code, path, message]);
}
