import { problem } from "../core/catalogue.ts";
import type { LiveObject, Problem } from "../core/model.ts";
import { ACCEPT_REWRITE_ANNOTATION } from "../core/model.ts";
import { parseCommitId } from "../core/records.ts";
import { judgeHistory } from "../core/rewrite.ts";
import { type Designation, designate, type Role, takeRole } from "../core/role.ts";
import { readSuspension } from "../core/suspension.ts";
import { FederationError } from "../errors.ts";
import type { Branch, Context, Local, Memory } from "./context.ts";
import { identify } from "./identity.ts";

export interface Judgement {
  readonly role: Role;
  readonly designation: Designation;
  /** False before the first judgement of a pass. */
  readonly judged: boolean;
  /** The repository knows another cluster under this name: nothing may be written but `isLeader: false`. */
  readonly impostor: boolean;
  /** Held by a person or by the history: nothing may be written but the status. */
  readonly frozen: boolean;
  readonly memory: Memory;
  /** When a suspension ends; null while there is none. */
  readonly againAfterMs: number | null;
}

/**
 * The agent judges itself before it takes the role that the revision gives: a person's suspension first, then whether
 * the branch is the one it knows, whether the repository knows this cluster, and only then what the manifests say.
 */
export async function judge(context: Context, branch: Branch, local: Local, memory: Memory): Promise<Judgement> {
  const suspension = suspendedNow(local.amkoCluster, context.clock.nowMs());
  if (suspension !== null) {
    return { ...held(suspension.problem, memory), againAfterMs: suspension.restMs };
  }
  const halted = await findRewrite(context, branch, local);
  if (halted !== null) return held(halted, memory);
  const identified = await identify(context, local, memory);
  const facts = { ...local, view: branch.view, identity: identified.problem };
  const role = takeRole(facts);
  const designation = designate(facts);
  return {
    role,
    // Designated, but at a wrong version: neither up nor down.
    designation: designation === "leader" && role.kind !== "lead" ? "undecided" : designation,
    judged: true,
    impostor: identified.problem !== null,
    frozen: false,
    memory: identified.memory,
    againAfterMs: null,
  };
}

/** The office stays as it is too. */
function held(cause: Problem, memory: Memory): Judgement {
  return {
    role: { kind: "hold", problem: cause },
    designation: "undecided",
    judged: true,
    impostor: false,
    frozen: true,
    memory,
    againAfterMs: null,
  };
}

/** Null where there is no suspension, or where it ended. */
export function suspendedNow(
  { metadata }: LiveObject,
  nowMs: number,
): { readonly problem: Problem; readonly restMs: number } | null {
  const suspension = readSuspension(metadata.annotations);
  if (suspension === null) return null;
  const { until, reason } = suspension;
  const restMs = Date.parse(until) - nowMs;
  if (!(restMs > 0)) return null;
  return { problem: problem("AG5015", `suspended until ${until}: ${reason}`), restMs };
}

/** A head that does not descend from the one judged before means that the branch was rewritten, or put back. */
async function findRewrite(
  { repository, settings, signal }: Context,
  { head }: Branch,
  { records, amkoCluster }: Local,
): Promise<Problem | null> {
  if (settings.historyRewrite === "follow") return null;
  const accepted = parseCommitId(amkoCluster.metadata.annotations?.[ACCEPT_REWRITE_ANNOTATION] ?? "");
  const verdict = await judgeHistory({ before: records.head, head, accepted }, (ancestor, descendant) =>
    repository.relation(ancestor, descendant, signal),
  );
  if (verdict.kind !== "halted") return null;
  // The record may be newer than the listing: another process of this cluster read the branch in between, or a copy of
  // the repository lags behind.
  const { head: now } = await repository.list("branch", signal);
  if (now !== head) throw new FederationError("AG2003", `branch ${settings.branch} moved while it was read`);
  const what = verdict.how === "put-back" ? "was put back to an older revision" : "was rewritten";
  return problem("AG2007", `branch ${settings.branch} ${what}: it was at ${verdict.before}, now it is at ${head}`);
}
