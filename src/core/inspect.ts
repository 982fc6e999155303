import { type ErrorCode, problem } from "./catalogue.ts";
import { applyDefaults } from "./defaults.ts";
import type { ReadableDocument } from "./document.ts";
import { type DocumentPath, describePath } from "./document-path.ts";
import { isObject, member } from "./json.ts";
import type { Problem } from "./model.ts";
import { prune } from "./prune.ts";
import type { Schema } from "./schema.ts";
import { validate } from "./validate.ts";

/** What is told of one file and one rule. People mend a file and look again; nobody reads a thousand lines. */
export const FINDINGS_MAX = 20;

export interface Inspection {
  /** Fields that do not fit the schema, under the caller's code. */
  readonly errors: readonly Problem[];
  /** Fields that the schema does not know: AMKO may be newer. */
  readonly warnings: readonly Problem[];
}

/** Judges an object that was read from a file as the API server would, each finding with its line. */
export function inspectObject(
  { value, lineOf }: ReadableDocument,
  schema: Schema,
  { path, code }: { readonly path: string; readonly code: ErrorCode },
): Inspection {
  const pruned = prune(value, schema);
  const misfits = validate(applyDefaults(pruned.value, schema), schema).slice(0, FINDINGS_MAX);
  const unknown = pruned.dropped.slice(0, FINDINGS_MAX);
  return {
    errors: misfits.map((misfit) =>
      problem(code, `${fieldName(misfit.path)} ${misfit.message}`, { path, line: lineOf(misfit.path) }),
    ),
    warnings: unknown.map((field) =>
      problem("AG1013", `${fieldName(field)} is unknown to the schema`, {
        path,
        line: lineOf(field),
        severity: "warning",
      }),
    ),
  };
}

export interface Annotations {
  readonly values: Readonly<Record<string, string>>;
  readonly errors: readonly Problem[];
}

/** `metadata.annotations`, which no CRD's schema describes: text by key, or the API server refuses the object. */
export function readAnnotations(
  { value, lineOf }: ReadableDocument,
  { path, code }: { readonly path: string; readonly code: ErrorCode },
): Annotations {
  const found = member(member(value, "metadata"), "annotations") ?? {};
  const at: DocumentPath = ["metadata", "annotations"];
  if (!isObject(found)) {
    return { values: {}, errors: [problem(code, `${fieldName(at)} must be a map`, { path, line: lineOf(at) })] };
  }
  const isText = (entry: readonly [string, unknown]): entry is [string, string] => typeof entry[1] === "string";
  const entries = Object.entries(found);
  const misfits = entries.filter((entry) => !isText(entry)).slice(0, FINDINGS_MAX);
  return {
    values: Object.fromEntries(entries.filter(isText)),
    errors: misfits.map(([key]) =>
      problem(code, `${fieldName([...at, key])} must be a string; put it in quotes`, {
        path,
        line: lineOf([...at, key]),
      }),
    ),
  };
}

function fieldName(path: DocumentPath): string {
  return path.length === 0 ? "the object" : describePath(path);
}
