import { problem } from "./catalogue.ts";
import { type FederatedKind, KINDS, type KindState, type Problem, type RevisionFile } from "./model.ts";
import type { ReadSnapshot } from "./snapshot.ts";

/** How far back the newest usable content of a kind is looked for, and content that is about to be overwritten. */
export const SEARCH_MAX_REVISIONS = 500;

export interface JudgedKind {
  readonly state: KindState;
  /** Errors and warnings about the kind's files. */
  readonly problems: readonly Problem[];
}

/** What the files of one revision say of one kind. `read` is handed in, since its results are kept between revisions. */
export function judgeKind(
  kind: FederatedKind,
  files: readonly RevisionFile[],
  read: (file: RevisionFile) => ReadSnapshot,
): JudgedKind {
  const blocked = files.filter((file) => standsForFolder(file, KINDS[kind].folder));
  if (blocked.length > 0) return unusable(blocked.map(({ path, type }) => blockedProblem(path, type)));
  const candidates = files.filter(({ path }) => isCandidate(path, KINDS[kind].folder));
  const readings = candidates.map(read);
  const [first, ...others] = readings;
  const path = candidates[0]?.path;
  if (first === undefined || path === undefined) return { state: { kind: "absent" }, problems: [] };
  if (others.length > 0) return unusable([severalProblem(kind, candidates), ...readings.flatMap(problemsOf)]);
  if (!first.ok) return unusable(first.problems);
  const { snapshot, warnings } = first;
  return { state: { kind: snapshot.deleted === null ? "present" : "deleted", snapshot, path }, problems: warnings };
}

function unusable(problems: readonly Problem[]): JudgedKind {
  return { state: { kind: "unusable", problems }, problems };
}

/** `federation` and `federation/gslbconfig` must be folders: what a link there points to is not looked for. */
function standsForFolder({ path, type }: RevisionFile, folder: string): boolean {
  return type !== "file" && (path === folder || folder.startsWith(`${path}/`));
}

/** A `.yml` counts too, to be told that it is named wrongly; a README does not. */
function isCandidate(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`) && /^[^/]+\.ya?ml$/.test(path.slice(folder.length + 1));
}

function blockedProblem(path: string, type: RevisionFile["type"]): Problem {
  return problem("AG1001", `a ${type} stands in the place of a folder`, { path });
}

function severalProblem(kind: FederatedKind, [first, second, ...more]: readonly RevisionFile[]): Problem {
  const rest = more.length === 0 ? "" : ` and ${more.length} more`;
  const message = `more than one ${kind} objects are present: ${first?.path}, ${second?.path}${rest}`;
  return problem("AG1015", message, { path: second?.path ?? null });
}

function problemsOf(reading: ReadSnapshot): readonly Problem[] {
  return reading.ok ? reading.warnings : reading.problems;
}
