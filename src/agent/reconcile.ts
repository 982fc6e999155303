import { CATALOGUE, type ErrorCode, problem } from "../core/catalogue.ts";
import type { Problem } from "../core/model.ts";
import { NO_TELEMETRY, type Wake } from "../core/telemetry.ts";
import { asFederationError, FederationError } from "../errors.ts";
import { acknowledge } from "./acknowledge.ts";
import { findHandEdits, tellHandEdits } from "./break-glass.ts";
import type { Acted, Branch, Context, Local, Memory, Note, PassParts, Result } from "./context.ts";
import { reportFailure } from "./failed.ts";
import { type Judgement, judge } from "./judge.ts";
import { withLag } from "./lag.ts";
import { NO_MEMBER_CHECKS } from "./member-checks.ts";
import { waitForAmko } from "./not-here.ts";
import { readBranch, readLocal } from "./observe.ts";
import { forgetFound } from "./pending.ts";
import { nothingDone, play } from "./play.ts";
import { forgetRefusals, refusedRestMs, settleRefusals } from "./refusals.ts";
import { explain, reportStatus, reportUnknown, tell, tellOnce } from "./report.ts";
import { stanceAfter, stanceOf, stanceWithoutGit } from "./stance.ts";
import { forgetVanished } from "./vanished.ts";

/** How often a held pass is tried again that nothing wakes. */
const HELD_RETRY_MS = 30_000;
/** The git server spoke: about rights, or refs that moved. */
const GIT_ANSWERED: ReadonlySet<string> = new Set(["AG2003", "AG2004", "AG2011", "AG2013"]);

/** Events that pile up while passes follow one another; the oldest are dropped, the log has them all. */
const NOTES_MAX = 20;

/**
 * One pass: read the branch, judge, take the role that the revision gives, act, report. Level-triggered: it depends on
 * what is there, not on what woke it. It never throws; an error stands in the result, with what was remembered before it.
 */
export async function reconcile(
  parts: PassParts,
  memory: Memory,
  wake: ReadonlySet<Wake>,
  signal: AbortSignal,
): Promise<Result> {
  const notes: Note[] = [];
  const note = (one: Note): void => void notes.push(one);
  const context: Context = { members: NO_MEMBER_CHECKS, telemetry: NO_TELEMETRY, ...parts, signal, note };
  const branch = await readBranch(context, memory, wake).catch(asFederationError);
  if (branch instanceof FederationError) {
    return await waitForGit(context, memory, branch).catch((error) => broken(memory, error));
  }
  const listed = branch.listing.refs;
  const refs = listed ?? memory.refs;
  const refsAtMs = listed === null ? memory.refsAtMs : context.clock.elapsedMs();
  const seen = { ...memory, refs, refsAtMs, branch: { revision: branch.revision, view: branch.view } };
  const result = await actOn(context, branch, seen, wake, notes).catch((error) => broken(seen, error));
  return withLag(context, branch, result);
}

async function actOn(
  context: Context,
  branch: Branch,
  seen: Memory,
  wake: ReadonlySet<Wake>,
  notes: readonly Note[],
): Promise<Result> {
  const rested = restSettled(context, branch, seen, wake);
  if (rested !== null) return rested;
  const fresh = { ...forgetRefusals(context, seen, wake.has("resync")), settled: null, contested: false };
  return await takePart(context, branch, fresh, notes);
}

/** What woke this pass is not done: the next poll must not take the last finished one for the truth. */
function broken(memory: Memory, cause: unknown): Result {
  const error = asFederationError(cause);
  const stance = { problem: error.code };
  return { memory: { ...memory, settled: null }, againAfterMs: null, error, state: "failed", stance };
}

/** A poll that finds the head, and the refs that matter, where the last finished pass left them, has nothing to do. */
function restSettled(
  { clock }: Context,
  { head, listing: { refs } }: Branch,
  memory: Memory,
  wake: ReadonlySet<Wake>,
): Result | null {
  const { settled } = memory;
  const polled = [...wake].every((reason) => reason === "poll" || reason === "hook");
  if (settled === null || settled.head !== head || !polled) return null;
  const moved =
    refs !== null && (refs.size !== settled.refs.size || [...refs].some(([name, at]) => settled.refs.get(name) !== at));
  if (moved) return null;
  const againAfterMs = settled.againAtMs === null ? null : Math.max(0, settled.againAtMs - clock.elapsedMs());
  return { memory, againAfterMs, error: null, state: settled.state, stance: null };
}

/** Without git an agent changes nothing; it only says so, and stays up. */
async function waitForGit(context: Context, memory: Memory, error: FederationError): Promise<Result> {
  const reading = await readLocal(context);
  const away = { againAfterMs: null, error, state: "git-away" } as const;
  if (reading.kind === "not-here")
    return { ...away, memory: { ...memory, settled: null }, stance: { problem: error.code } };
  const waiting = { ...forgetFound(memory, reading.local), self: reading.local.self, settled: null };
  const here = await forgetVanished(context, reading.local);
  const edits = here.unread === null ? findHandEdits(context, here, memory) : null;
  const causes = [asProblem(error), ...(edits === null ? [] : [edits])].map(explain);
  const local = await reportUnknown(context, here, causes.join(" "));
  const told = await tellHandEdits(context, local, waiting, edits);
  return { ...away, memory: told, stance: { ...stanceWithoutGit(context, local), problem: error.code } };
}

async function takePart(context: Context, branch: Branch, memory: Memory, notes: readonly Note[]): Promise<Result> {
  const reading = await readLocal(context);
  if (reading.kind === "not-here") {
    return waitForAmko(context, branch, memory, reading);
  }
  let { local } = reading;
  let judgement = unjudged(memory);
  try {
    judgement = await judge(context, branch, local, { ...forgetFound(memory, local), self: local.self });
    if (!judgement.impostor) local = await forgetVanished(context, local);
    const acted = await play(context, branch, judgement, local);
    const kept = { ...acted.memory, notes: [...memory.notes, ...notes].slice(-NOTES_MAX) };
    // What was done is done, whoever cannot be told of it.
    judgement = { ...judgement, memory: kept };
    if (acted.againAfterMs === 0) return { memory: kept, againAfterMs: 0, error: null, state: "working", stance: {} };
    return await finish(context, branch, judgement, { ...acted, memory: kept });
  } catch (error) {
    const kept = { ...judgement.memory, notes: [...memory.notes, ...notes].slice(-NOTES_MAX) };
    return fail(context, branch, { ...judgement, memory: kept }, local, asFederationError(error));
  }
}

/** What is known of the role while the agent has not judged itself yet: it is neither up nor down. */
function unjudged(memory: Memory): Judgement {
  const cause = problem("AG5003", "the revision could not be judged");
  const role = { kind: "hold", problem: cause } as const;
  return { role, designation: "undecided", judged: false, impostor: false, frozen: false, memory, againAfterMs: null };
}

/** Acknowledges and reports, in the order of who waits for it: other clusters, then people. */
async function finish(context: Context, branch: Branch, judgement: Judgement, acted: Acted): Promise<Result> {
  const again: (number | null)[] = [acted.againAfterMs, judgement.againAfterMs, retryAfterMs(acted)];
  let { memory } = acted;
  if (acted.holds) {
    const acknowledged = await acknowledge(context, branch, acted.local, memory);
    ({ memory } = acknowledged);
    again.push(acknowledged.againAfterMs);
  }
  if (judgement.role.kind !== "hold") {
    const told = await reportFailure(context, branch, acted, memory);
    ({ memory } = told);
    again.push(told.againAfterMs);
  }
  const reported = await reportStatus(context, branch, judgement.role, { ...acted, memory });
  again.push(reported.againAfterMs);
  again.push(refusedRestMs(context, memory));
  for (const note of memory.notes) await tell(context, reported.local, note);
  memory = await tellOnce(context, reported.local, reported.memory, [
    ...(acted.problem === null ? [] : [acted.problem]),
    ...acted.advice,
  ]);
  const againAfterMs = soonest(again);
  const state = acted.problem === null ? "in-sync" : "held";
  const againAtMs = againAfterMs === null ? null : context.clock.elapsedMs() + againAfterMs;
  const settled = { head: branch.head, refs: memory.refs ?? new Map(), againAtMs, state } as const;
  const held = acted.holds ? branch.head : memory.held;
  const stance = stanceOf(context, branch, judgement.role, { ...acted, local: reported.local }, reported.members);
  const rested = settleRefusals({ ...memory, notes: [], held, settled });
  return { memory: rested, againAfterMs, error: null, state, stance };
}

/** A pass that broke off says why in the status, unless it only has to read again. */
async function fail(
  context: Context,
  branch: Branch,
  judgement: Judgement,
  local: Local,
  error: FederationError,
): Promise<Result> {
  const { role, memory } = judgement;
  const stance = error.retry === "now" ? {} : { ...stanceAfter(context, judgement, local), problem: error.code };
  const result: Result = { memory, againAfterMs: null, error, state: stateAfter(error), stance };
  if (error.retry === "now" || context.signal.aborted) return result;
  try {
    const reading = await readLocal(context);
    if (reading.kind !== "here") return result;
    const cause = asProblem(error);
    // What kept a leader from reaching git, or its API server, concerns both kinds: one commit would have held them.
    const unexported = /^AG[23]/.test(error.code) && role.kind === "lead" ? cause : null;
    const exportProblems = { GSLBConfig: unexported, GlobalDeploymentPolicy: unexported };
    const acted = { ...nothingDone(reading.local, memory), problem: cause, exportProblems };
    const told = await tellOnce(context, reading.local, memory, [cause]);
    if (result.state === "git-away") await reportUnknown(context, reading.local, explain(cause));
    else await reportStatus(context, branch, role, { ...acted, memory: told });
    return { ...result, memory: told };
  } catch (unreported) {
    // The API server is away, most likely; the log has the error, and the status catches up when it is back.
    const { code, message } = asFederationError(unreported);
    context.log("debug", "status could not be written", { cluster: local.self, code, cause: message });
  }
  return result;
}

/** Git that goes away in the middle of a pass is away; one that refuses is there, and the cluster is as it was. */
function stateAfter({ code }: FederationError): Result["state"] {
  if (!code.startsWith("AG2")) return "failed";
  return GIT_ANSWERED.has(code) ? "held" : "git-away";
}

/** What was refused may be accepted later without anybody telling: it is tried again from time to time. */
function retryAfterMs({ problem: cause }: Acted): number | null {
  const known = cause === null ? undefined : CATALOGUE[cause.code as ErrorCode];
  return known?.retry === "backoff" ? HELD_RETRY_MS : null;
}

function asProblem({ code, message }: FederationError): Problem {
  return problem(code, message);
}

function soonest(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}
