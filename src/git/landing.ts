import type { CommitId } from "../core/model.ts";
import { FederationError, hasCode } from "../errors.ts";
import type { PushReport, RefCommand } from "./send-pack.ts";

/** Where a ref is after an attempt to move it. */
export type Landing = { readonly kind: "there" } | Elsewhere;

export interface Elsewhere {
  readonly kind: "elsewhere";
  readonly at: CommitId | null;
  /** False when the server itself said that it did not move the ref. */
  readonly answerLost: boolean;
}

/** Whoever keeps the refs. */
export interface RefKeeper {
  /** Moves one ref from exactly where it is expected, with the objects that this needs. */
  push(move: RefCommand, pack: Uint8Array, signal: AbortSignal): Promise<PushReport>;
  refAt(ref: string, signal: AbortSignal): Promise<CommitId | null>;
}

/**
 * Pushes one ref. A failed push says nothing about what the server did: it may have landed, lost the race, or done
 * nothing. So the server is asked where the ref is, and only if it has not moved is the failure the answer.
 */
export async function pushRef(
  keeper: RefKeeper,
  move: RefCommand,
  pack: Uint8Array,
  signal: AbortSignal,
): Promise<Landing> {
  const failure = await keeper.push(move, pack, signal).then(
    (report) => complaintOf(report, move.ref),
    (error: unknown) => error,
  );
  if (failure === null) return { kind: "there" };
  if (signal.aborted || hasCode(failure, "AG2002", "AG2006", "AG2013", "AG4004")) throw failure;
  const answerLost = !hasCode(failure, "AG2004");
  const at = await keeper.refAt(move.ref, signal).catch((error: unknown) => {
    throw answerLost ? failure : error;
  });
  if (at === move.target) return { kind: "there" };
  if (at === move.expected) throw failure;
  return { kind: "elsewhere", at, answerLost };
}

function complaintOf(report: PushReport, ref: string): FederationError | null {
  switch (report.kind) {
    case "done":
      return null;
    case "refused":
      return new FederationError("AG2004", `the git server refused the push to ${ref}: ${report.words}`);
    case "unsaid":
      return new FederationError("AG2008", `the git server did not say what became of ${ref}: ${report.words}`);
    default:
      return report satisfies never;
  }
}
