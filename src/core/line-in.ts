import { readDocument } from "./document.ts";
import type { DocumentPath } from "./document-path.ts";
import type { RevisionFile } from "./model.ts";

/**
 * The line of a field in a revision's file, or of what stands nearest around the place where it is missing; null where
 * the file cannot be read. For verdicts about what a whole federation says, which no longer know where they read it.
 */
export function lineIn(files: readonly RevisionFile[], path: string, field: DocumentPath): number | null {
  const file = files.find((one) => one.path === path);
  const document = file === undefined ? null : readDocument(file);
  return document?.ok === true ? document.lineOf(field) : null;
}
