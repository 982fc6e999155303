import type { CommitPlan } from "../core/commit-plan.ts";
import { formatPersonMessage } from "../core/message.ts";
import type { FileChange } from "../core/model.ts";
import { hasCode } from "../errors.ts";
import { readAuthor } from "./commit-options.ts";
import type { CommitReport } from "./commit-report.ts";
import type { Given } from "./given.ts";
import type { Head } from "./head.ts";
import type { House, OpenRepository } from "./house.ts";
import { pushPlan } from "./push-plan.ts";
import { askReason, askYes } from "./questions.ts";
import { renderPushed, reportCommit } from "./render/commit.ts";
import { renderNotes } from "./render/notes.ts";
import { plainText, renderProblem } from "./render/problem.ts";
import { paint, type Shell, type Stream } from "./shell.ts";
import { EXIT, type ExitCode } from "./verb.ts";

export interface Planned<Plan extends CommitPlan> {
  readonly head: Head;
  readonly plan: Plan;
}

export type PushOutcome = Pick<CommitReport, "outcome" | "commit" | "branch">;

export interface CommitWork<Plan extends CommitPlan> {
  /** Reads the head and plans on it; called again when the branch moved. */
  readonly plan: () => Promise<Planned<Plan>>;
  /** What the person sees before saying yes. */
  readonly show: (planned: Planned<Plan>, stream: Stream) => string;
  /** What stands in the json beside the {@link CommitReport}. */
  readonly extra: (plan: Plan) => object;
  /** What is said when there is nothing to commit. */
  readonly nothing: string;
  /** Typed instead of yes; null where there is no such word. */
  readonly word: string | null;
  /** The ref of a proposal, below the prefix. */
  readonly proposal: (head: Head) => string;
  /** Always a proposal, whatever the flags say. */
  readonly proposes: boolean;
  /** What to watch afterwards. */
  readonly next: string;
}

export interface Calling {
  readonly given: Given;
  readonly shell: Shell;
  readonly house: House;
  readonly repository: OpenRepository;
}

/** A branch that moves so often is busy with something that people should look at first. */
const ATTEMPTS_MAX = 5;

/** What was sent cannot be called back, and nobody waited for the answer. */
const INTERRUPTED =
  "Interrupted while pushing: the commit may have landed all the same. amko-gitops status shows what the branch says.\n";

/** Shows, asks, pushes and tells: the way of every verb that writes a commit. */
export async function commitPlanned<Plan extends CommitPlan>(
  calling: Calling,
  work: CommitWork<Plan>,
): Promise<ExitCode> {
  const { given, shell } = calling;
  const json = given.oneOf("output", ["text", "json"]) === "json";
  // Where data is printed, whoever is asked reads the rest beside it.
  const stream = json ? shell.stderr : shell.stdout;
  const isHeard = !json || (shell.stderr.isTerminal && !given.isSet("yes"));
  const talk: Talk = { stream, json, say: (text) => (isHeard ? stream.write(text) : undefined) };
  const { planned, pushed } = await pushUntilSettled(calling, work, talk);
  if (json) {
    const report = { ...reportCommit(planned, pushed), ...work.extra(planned.plan) };
    shell.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  }
  return pushed.outcome === "refused" || pushed.outcome === "declined" ? EXIT.failed : EXIT.ok;
}

interface Talk {
  readonly stream: Stream;
  readonly json: boolean;
  readonly say: (text: string) => void;
}

interface Settled<Plan extends CommitPlan> {
  readonly planned: Planned<Plan>;
  readonly pushed: PushOutcome;
}

/** Where the branch moved it is planned again; only another plan is asked about again. */
async function pushUntilSettled<Plan extends CommitPlan>(
  calling: Calling,
  work: CommitWork<Plan>,
  talk: Talk,
): Promise<Settled<Plan>> {
  const { given, shell } = calling;
  const author = await readAuthor(given, shell, calling.house);
  const apart = await calling.repository.uncommitted(shell.signal);
  if (apart.length > 0) talk.say(`${renderNotes("Not committed here, and no part of it", apart, talk.stream)}\n`);
  let reason: string | null = null;
  let agreed: string | null = null;
  for (let attempt = 1; ; attempt += 1) {
    const planned = await work.plan();
    const { plan } = planned;
    const isKnown = agreed === digest(plan.changes);
    if (agreed !== null && !isKnown)
      talk.say(paint(talk.stream, "yellow", "The branch moved: it is planned anew.\n\n"));
    const settled = settle(calling, work, planned, { ...talk, say: isKnown ? () => undefined : talk.say });
    if (settled !== null) return { planned, pushed: settled };
    talk.say(isKnown ? "" : "\n");
    reason ??= await askReason(given, shell);
    if (!isKnown && !(await askYes(given, shell, "Push it?", work.word))) {
      talk.say("Nothing was pushed.\n");
      return { planned, pushed: none("declined") };
    }
    agreed = digest(plan.changes);
    const message = formatPersonMessage({ subject: plan.subject, changes: plan.snapshots, reason });
    const proposal = work.proposes || given.isSet("propose") ? work.proposal(planned.head) : null;
    const pushed = await pushPlan(calling, planned, { proposal, message, author }).catch((error: unknown) => {
      if (shell.signal.aborted) shell.stderr.write(INTERRUPTED);
      return unlessMoved(error, attempt);
    });
    if (pushed === null) continue;
    const { branch: tracked } = given.place();
    talk.say(renderPushed(pushed, plan.subject, { next: work.next, tracked }, talk.stream));
    return { planned, pushed };
  }
}

/** Null asks for another attempt. */
function unlessMoved(error: unknown, attempt: number): null {
  if (hasCode(error, "AG2003", "AG2011") && attempt < ATTEMPTS_MAX) return null;
  throw error;
}

/** What is settled before anybody is asked; null where there is something to push. Shows the plan. */
function settle<Plan extends CommitPlan>(
  { given, shell }: Calling,
  work: CommitWork<Plan>,
  planned: Planned<Plan>,
  { json, stream, say }: Talk,
): PushOutcome | null {
  const { refusals, changes, notes } = planned.plan;
  if (refusals.length > 0) {
    // In json they stand in the report.
    if (!json) for (const refusal of refusals) shell.stderr.write(renderProblem(refusal, shell.stderr));
    return none("refused");
  }
  if (changes.length === 0) {
    say([work.nothing, ...notes].map((line) => `${plainText(line)}\n`).join(""));
    return none("unchanged");
  }
  say(work.show(planned, stream));
  if (!given.isSet("dry-run")) return null;
  say("\nDry run: nothing was pushed.\n");
  return none("dry-run");
}

function none(outcome: PushOutcome["outcome"]): PushOutcome {
  return { outcome, commit: null, branch: null };
}

/** Two plans with the same digest change the same files to the same bytes. */
function digest(changes: readonly FileChange[]): string {
  return JSON.stringify(changes.map(({ path, bytes }) => [path, bytes && Buffer.from(bytes).toString("base64")]));
}
