import { CATALOGUE, type ErrorCode } from "./catalogue.ts";

/** One thing that a preflight looked at. The shape of `check -o json`; it stays. */
export interface CheckItem {
  /** Kebab-case, for scripts: `api-server`. */
  readonly name: string;
  /** `skipped`: nobody looked, and the message says why. */
  readonly result: "ok" | "warning" | "failed" | "skipped";
  /** One sentence: what was found. */
  readonly message: string;
  /** Null where nothing is wrong. */
  readonly code: string | null;
  readonly remedy: string | null;
}

export function passed(name: string, message: string): CheckItem {
  return { name, result: "ok", message, code: null, remedy: null };
}

export function skipped(name: string, message: string): CheckItem {
  return { name, result: "skipped", message, code: null, remedy: null };
}

export function failed(name: string, code: ErrorCode, message: string, remedy?: string): CheckItem {
  return { name, result: "failed", message, code, remedy: remedy ?? CATALOGUE[code].remedy };
}

export function warned(name: string, code: ErrorCode, message: string, remedy?: string): CheckItem {
  return { ...failed(name, code, message, remedy), result: "warning" };
}
