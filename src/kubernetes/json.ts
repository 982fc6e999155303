import { FederationError } from "../errors.ts";

/**
 * Parses JSON without ever changing a number: JavaScript rounds integers beyond 2^53 - 1, and what was rounded on the
 * way in would be written back rounded.
 * @throws FederationError AG1014 that names the field; SyntaxError when it is no JSON.
 */
export function parseExactJson(text: string): unknown {
  let inexact = false;
  const value = parseWithSource(text, (_key, parsed, { source }) => {
    if (typeof parsed !== "number" || source === undefined || isExact(parsed, source)) return parsed;
    inexact = true;
    return new InexactNumber(source);
  });
  if (!inexact) return value;
  const found = findInexact(value, "");
  throw new FederationError(
    "AG1014",
    `${found?.path ?? "A number"} is ${found?.source ?? "too large"}, which cannot be kept exactly.`,
  );
}

/** `JSON.parse` as Node 24 has it; TypeScript's declaration does not know the third argument yet. */
const parseWithSource = JSON.parse as (
  text: string,
  reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
) => unknown;

/** Fractions are left alone: no field of AMKO has one, and Kubernetes itself keeps them as binary floats. */
function isExact(value: number, source: string): boolean {
  if (!Number.isFinite(value)) return false;
  return Number.isSafeInteger(value) || !/^-?\d+$/.test(source);
}

/** Stands where the number stood until its path is known: a reviver sees keys, not paths. */
class InexactNumber {
  readonly source: string;
  constructor(source: string) {
    this.source = source;
  }
}

function findInexact(value: unknown, path: string): { readonly path: string; readonly source: string } | null {
  if (value instanceof InexactNumber) return { path, source: value.source.slice(0, SOURCE_LENGTH_MAX) };
  if (typeof value !== "object" || value === null) return null;
  for (const [key, child] of Object.entries(value)) {
    const step = Array.isArray(value) ? `[${key}]` : `${path === "" ? "" : "."}${key}`;
    const found = findInexact(child, `${path}${step}`);
    if (found !== null) return found;
  }
  return null;
}

const SOURCE_LENGTH_MAX = 40;
