import type { FileChange, RevisionFile } from "./model.ts";

/** What one revision's files have to be changed by to be another one's. */
export function changesBetween(before: readonly RevisionFile[], after: readonly RevisionFile[]): readonly FileChange[] {
  const past = new Map(before.map(({ path, id }) => [path, id]));
  const now = new Set(after.map(({ path }) => path));
  const gone = before.filter(({ path }) => !now.has(path)).map(({ path }) => ({ path, bytes: null }));
  return [...after.filter(({ path, id }) => past.get(path) !== id), ...gone];
}

/** Whether the files of one revision are those of another one with these changes, and no others. */
export function isAllThatChanged(
  changes: readonly FileChange[],
  before: readonly RevisionFile[],
  after: readonly RevisionFile[],
): boolean {
  const wanted = new Set(changes.map(({ path }) => path));
  const found = new Map(after.map(({ path, bytes }) => [path, bytes]));
  const stands = ({ path, bytes }: FileChange): boolean => equalBytes(bytes, found.get(path) ?? null);
  return changes.every(stands) && changesBetween(before, after).every(({ path }) => wanted.has(path));
}

/** Null is a file that is not there, or was not read. */
export function equalBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
