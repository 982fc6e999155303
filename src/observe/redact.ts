import { FederationError } from "../errors.ts";

const REDACTED = "[redacted]";
/** Keys whose values are never shown, however they are spelt (`bearerToken`, `x-hub-signature`, `client-key-data`). */
const SECRET_KEY =
  /pass(word|wd|phrase)|token|secret|authorization|bearer|credential|cookie|signature|private.?key|key.?data/i;
/**
 * A URL's user and password: everything between `://` and the last `@` before a slash or a space. The scheme has a
 * limit because it is looked for from each word on: without one, 100 KiB of `a-a-a-` take minutes.
 */
const USER_INFO = /(\b[a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#]*@/gi;
/** What an Authorization header looks like wherever it turns up. */
const AUTHORIZATION = /\b(Bearer|Basic)\s+[A-Za-z0-9+/._~=-]{8,}/g;

const DEPTH_MAX = 6;
const ENTRIES_MAX = 100;
const TEXT_LENGTH_MAX = 4_000;
const CAUSES_MAX = 5;

/**
 * The one place where values are made fit to be shown: secrets out, errors told, limits on depth, number and length.
 * Stacks are for those who debug; everybody else gets code, message, remedy and causes.
 */
export function redact(value: unknown, options: { readonly stacks: boolean }): unknown {
  return redactValue(value, options.stacks, DEPTH_MAX);
}

/** A text without the credentials that URLs and headers carry, and of limited length. */
export function redactText(text: string): string {
  const shown = text.replace(USER_INFO, `$1${REDACTED}@`).replace(AUTHORIZATION, `$1 ${REDACTED}`);
  return shown.length > TEXT_LENGTH_MAX ? `${shown.slice(0, TEXT_LENGTH_MAX)}…` : shown;
}

function redactValue(value: unknown, stacks: boolean, depth: number): unknown {
  switch (typeof value) {
    case "string":
      return redactText(value);
    case "bigint":
    case "symbol":
    case "function":
      return String(value).slice(0, ENTRIES_MAX);
    case "object":
      return value === null ? null : redactObject(value, stacks, depth);
    default:
      return value;
  }
}

function redactObject(value: object, stacks: boolean, depth: number): unknown {
  if (value instanceof Error) return tellError(value, stacks, CAUSES_MAX);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "no date" : value.toISOString();
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (depth === 0) return "…";
  const inside = (item: unknown) => redactValue(item, stacks, depth - 1);
  if (Array.isArray(value) || value instanceof Set) return [...value].slice(0, ENTRIES_MAX).map(inside);
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return Object.fromEntries(
    entries
      .slice(0, ENTRIES_MAX)
      .map(([key, item]) => [String(key), SECRET_KEY.test(String(key)) ? REDACTED : inside(item)]),
  );
}

function tellError(error: Error, stacks: boolean, causesLeft: number): Readonly<Record<string, unknown>> {
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const { cause } = error;
  return {
    ...(code === undefined ? { type: error.name } : { code }),
    message: redactText(error.message),
    ...(error instanceof FederationError ? { remedy: error.remedy } : {}),
    ...(cause === undefined ? {} : { cause: tellCause(cause, stacks, causesLeft - 1) }),
    ...(stacks && error.stack !== undefined ? { stack: redactText(error.stack) } : {}),
  };
}

function tellCause(cause: unknown, stacks: boolean, causesLeft: number): unknown {
  if (causesLeft === 0) return "…";
  return cause instanceof Error ? tellError(cause, stacks, causesLeft) : redactValue(cause, stacks, 1);
}
