import { FederationError } from "../errors.ts";

/** A pack that is not what git makes, or that was harmed on its way. */
export function damagedPack(what: string, cause?: unknown): FederationError {
  return new FederationError("AG2008", `the pack that the git server sent is damaged: ${what}`, { cause });
}

export function packTooLarge(maxBytes: number): FederationError {
  return new FederationError("AG2009", `the git server's answer unfolds to more than ${maxBytes} bytes`);
}
