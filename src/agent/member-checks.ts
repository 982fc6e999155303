import type { MemberAnswers, MemberReading } from "../core/members.ts";
import type { ClusterName, CommitId } from "../core/model.ts";
import { asFederationError } from "../errors.ts";
import type { Clock, Log, Members } from "../ports.ts";
import { inParallel, MEMBERS_AT_ONCE_MAX } from "./in-parallel.ts";
import { readKubeconfig, readMember, readObjects } from "./member-readings.ts";
import { createNudges } from "./nudge.ts";

/** Whom a leader asks about. */
export interface MemberQuestion {
  readonly clusters: readonly ClusterName[];
  /** What each member has acknowledged, as just read from git. */
  readonly acknowledged: ReadonlyMap<ClusterName, CommitId>;
  /** Answers that are older than this are asked for again, in the background. */
  readonly ageMaxMs: number;
}

/**
 * The members as a leader sees them through their credentials. Nobody waits for a member: what is asked is asked in
 * the background and answered from what is known, so that a member that hangs delays no export and no status. Only a
 * leader that knows nothing at all yet waits, and not for long.
 */
export interface MemberChecks {
  /** @throws FederationError when the Secret cannot be read and never was. */
  consult(question: MemberQuestion, signal: AbortSignal): Promise<MemberAnswers>;
  /** Looks again where that is due. */
  refresh(): void;
  /** This cluster does not lead: nobody is asked any more. */
  dismiss(): void;
  /** Tells members to fetch, in the background and best effort; the newest revision wins. */
  nudge(clusters: readonly ClusterName[], revision: string): void;
  /** Sets `isLeader: false` in clusters, as far as they can be reached. Waits for them; their time limit is short. */
  standDown(clusters: readonly ClusterName[], signal: AbortSignal): Promise<void>;
  /** Settles when nothing runs in the background any more. */
  settled(): Promise<void>;
}

/** How long a leader that has just come into office waits for its members' first answers. */
const FIRST_ANSWERS_MAX_MS = 1_000;

const NOTHING: MemberAnswers = { contexts: null, unusable: null, readings: new Map() };

/** Without credentials there is nobody to ask. */
export const NO_MEMBER_CHECKS: MemberChecks = {
  consult: async () => NOTHING,
  refresh: () => undefined,
  dismiss: () => undefined,
  nudge: () => undefined,
  standDown: async () => undefined,
  settled: async () => undefined,
};

export interface MemberChecksParts {
  readonly members: Members;
  readonly clock: Clock;
  readonly log: Log;
  /** Told when the answers are other ones than before. */
  changed(): void;
}

/** What is known at the moment. */
interface Known {
  question: MemberQuestion | null;
  /** Null before the first answer about the kubeconfig. */
  answers: MemberAnswers | null;
  askedAtMs: number;
  /** The check that is under way; null while there is none. */
  running: Check | null;
}

interface Check {
  /** Settles with the kubeconfig. */
  readonly contexts: Promise<void>;
  /** Settles with the last member. */
  readonly done: Promise<void>;
}

/** The background work of one process; it ends when the signal aborts. */
export function createMemberChecks(parts: MemberChecksParts, signal: AbortSignal): MemberChecks {
  const { members, clock, log } = parts;
  const known: Known = { question: null, answers: null, askedAtMs: 0, running: null };
  const learn = (cluster: ClusterName, reading: MemberReading): void => noteReading(known, parts, cluster, reading);
  const nudges = createNudges({ members, log }, signal, (cluster) => {
    // What it had acknowledged when it was told, not when it answered.
    const { question } = known;
    return (object) => learn(cluster, readObjects(cluster, [object], question?.acknowledged ?? new Map()));
  });

  function ask(question: MemberQuestion): Check {
    if (known.running !== null) return known.running;
    known.askedAtMs = clock.elapsedMs();
    const contexts = readContexts(known, parts, signal);
    const done = contexts
      .then(() => readMembers(known, parts, question, learn, signal))
      .catch((error: unknown) => tellFailure(log, error, signal))
      .finally(() => {
        known.running = null;
      });
    known.running = { contexts, done };
    return known.running;
  }

  return {
    async consult(question, passSignal) {
      known.question = question;
      const first = known.answers === null;
      const check = isDue(known, question, clock) ? ask(question) : known.running;
      if (first && check !== null) await awaitFirst(check, clock, passSignal);
      return answersFor(known.answers ?? NOTHING, question);
    },
    refresh() {
      if (known.question !== null && isDue(known, known.question, clock)) ask(known.question);
    },
    dismiss() {
      known.question = null;
      known.answers = null;
    },
    nudge(clusters, revision) {
      const usable = clusters.filter((cluster) => known.answers?.contexts?.get(cluster) === null);
      nudges.send(usable, revision);
    },
    standDown: (clusters, passSignal) => standDownAll(parts, clusters, passSignal),
    async settled() {
      await known.running?.done;
      await nudges.settled();
    },
  };
}

/** A member that says leader and has acknowledged something new since it was asked is asked again at once. */
function isDue(known: Known, { clusters, acknowledged, ageMaxMs }: MemberQuestion, clock: Clock): boolean {
  const { answers, askedAtMs } = known;
  if (answers === null || clock.elapsedMs() - askedAtMs >= ageMaxMs) return true;
  return clusters.some((cluster) => {
    const reading = answers.readings.get(cluster);
    if (reading === undefined) return answers.contexts?.get(cluster) === null;
    if (reading.kind !== "answered" || !reading.leads) return false;
    return reading.acknowledged !== (acknowledged.get(cluster) ?? null);
  });
}

async function awaitFirst({ contexts, done }: Check, clock: Clock, signal: AbortSignal): Promise<void> {
  await contexts;
  const over = new AbortController();
  await Promise.race([done, clock.sleep(FIRST_ANSWERS_MAX_MS, AbortSignal.any([signal, over.signal]))]);
  over.abort();
}

function answersFor({ contexts, unusable, readings }: MemberAnswers, { clusters }: MemberQuestion): MemberAnswers {
  return { contexts, unusable, readings: new Map([...readings].filter(([cluster]) => clusters.includes(cluster))) };
}

async function readContexts(
  known: Known,
  { members, log, changed }: MemberChecksParts,
  signal: AbortSignal,
): Promise<void> {
  const read = await readKubeconfig(members, signal);
  // No longer the leader: what was read is of no use.
  if (known.question === null) return;
  const before = known.answers;
  if (read.kind === "forbidden" && before === null) {
    const { code, message } = read.problem;
    log("warn", "members are not checked: their kubeconfig may not be read", { code, cause: message });
  }
  const readings = read.kind === "read" ? (before?.readings ?? new Map()) : new Map();
  known.answers = {
    contexts: read.kind === "read" ? read.contexts : null,
    unusable: read.kind === "unusable" ? read.problem : null,
    readings,
  };
  if (before !== null && fingerprint(before) !== fingerprint(known.answers)) changed();
}

function fingerprint({ contexts, unusable }: MemberAnswers): string {
  return JSON.stringify([contexts && [...contexts].map(([name, cause]) => [name, cause?.message]), unusable?.message]);
}

async function readMembers(
  known: Known,
  { members }: MemberChecksParts,
  question: MemberQuestion,
  learn: (cluster: ClusterName, reading: MemberReading) => void,
  signal: AbortSignal,
): Promise<void> {
  const usable = question.clusters.filter((cluster) => known.answers?.contexts?.get(cluster) === null);
  await inParallel(usable, MEMBERS_AT_ONCE_MAX, async (cluster) => {
    const reading = await readMember(members, cluster, question.acknowledged, signal);
    if (!signal.aborted) learn(cluster, reading);
  });
}

function noteReading(
  known: Known,
  { changed, log }: MemberChecksParts,
  cluster: ClusterName,
  reading: MemberReading,
): void {
  const { answers } = known;
  if (answers === null) return;
  const before = answers.readings.get(cluster);
  known.answers = { ...answers, readings: new Map([...answers.readings, [cluster, reading]]) };
  // A member that was not asked yet is taken for one that follows: there is nothing to tell of it.
  const says = (one: MemberReading | undefined): string =>
    one?.kind === "unusable" ? one.reason : one?.leads === true ? "leads" : "follows";
  const leading = reading.kind === "answered" && reading.leads;
  const moved = before?.kind === "answered" && leading && before.acknowledged !== reading.acknowledged;
  if (says(before) === says(reading) && !moved) return;
  if (reading.kind === "unusable") log("warn", "member cannot be checked", { member: cluster, cause: reading.reason });
  else if (before?.kind === "unusable") log("info", "member can be checked again", { member: cluster });
  changed();
}

async function standDownAll(
  { members, log }: MemberChecksParts,
  clusters: readonly ClusterName[],
  signal: AbortSignal,
): Promise<void> {
  const failed = (cause: unknown, about: Readonly<Record<string, string>>): void => {
    const { code, message } = asFederationError(cause);
    log("warn", "former leader could not be stood down", { ...about, code, cause: message });
  };
  try {
    // Without a kubeconfig nobody asks for it.
    if (clusters.length === 0 || (await members.contexts(signal)) === null) return;
  } catch (error) {
    return failed(error, { members: clusters.join(", ") });
  }
  await inParallel(clusters, MEMBERS_AT_ONCE_MAX, async (cluster) => {
    try {
      await members.standDown(cluster, signal);
      log("info", "stood the former leader down", { member: cluster });
    } catch (error) {
      failed(error, { member: cluster });
    }
  });
}

function tellFailure(log: Log, error: unknown, signal: AbortSignal): void {
  if (signal.aborted) return;
  const { code, message } = asFederationError(error);
  log("warn", "members could not be checked", { code, cause: message });
}
