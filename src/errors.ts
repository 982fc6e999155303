import { CATALOGUE, type ErrorCode, type Retry } from "./core/catalogue.ts";

export interface ErrorDetails {
  readonly cause?: unknown;
  readonly retryAfterMs?: number | null;
  /** Where more can be said than the catalogue does. */
  readonly remedy?: string;
}

/**
 * An error that people and the agent's loop can act on: `code` from the catalogue, one sentence of cause, a remedy,
 * and how it wants to be retried. Adapters throw nothing else; what they cannot classify is AG9001.
 */
export class FederationError extends Error {
  override readonly name = "FederationError";
  readonly code: ErrorCode;
  readonly remedy: string;
  readonly retry: Retry;
  /** What a server asked for with `Retry-After`; null when it asked for nothing. */
  readonly retryAfterMs: number | null;

  constructor(
    code: ErrorCode,
    message: string,
    { cause, retryAfterMs = null, remedy = CATALOGUE[code].remedy }: ErrorDetails = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.remedy = remedy;
    this.retry = CATALOGUE[code].retry;
    this.retryAfterMs = retryAfterMs;
  }
}

/** True for a {@link FederationError} with one of `codes`. */
export function hasCode<Code extends ErrorCode>(
  error: unknown,
  ...codes: readonly Code[]
): error is FederationError & { readonly code: Code } {
  return error instanceof FederationError && (codes as readonly ErrorCode[]).includes(error.code);
}

/** What is not a {@link FederationError} yet becomes one: AG9001, with the original as its cause. */
export function asFederationError(error: unknown): FederationError {
  if (error instanceof FederationError) return error;
  return new FederationError("AG9001", error instanceof Error ? error.message : String(error), { cause: error });
}
