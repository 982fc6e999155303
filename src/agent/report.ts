import {
  type Condition,
  describeStatus,
  describeUnknown,
  type MemberProgress,
  PARTIAL_TYPES,
  updateConditions,
} from "../core/conditions.ts";
import type { Problem } from "../core/model.ts";
import { formatRevision } from "../core/records.ts";
import type { Role } from "../core/role.ts";
import { asFederationError } from "../errors.ts";
import type { Acted, Branch, Context, Local, Memory, Note } from "./context.ts";
import { withObject } from "./observe.ts";
import { pendingRestart } from "./restart.ts";
import { standingOf } from "./standing.ts";

export interface Reported {
  readonly local: Local;
  readonly memory: Memory;
  /** The valid members of a leader, as just told. */
  readonly members: readonly MemberProgress[];
  readonly againAfterMs: number | null;
}

/** Tells the outcome of a pass in the AMKOCluster's status; writes only when its meaning changed. */
export async function reportStatus(context: Context, branch: Branch, role: Role, acted: Acted): Promise<Reported> {
  const { local, memory } = acted;
  const valid = role.kind === "lead" ? role.members.filter(({ problem }) => problem === null) : [];
  const standings = await Promise.all(valid.map((member) => standingOf(context, branch, member, local, memory)));
  const members = standings.map(({ member }) => member);
  const { problem, advice } = acted;
  const revision = formatRevision(context.settings.branch, branch.head);
  const conditions = describeStatus({
    role,
    synced:
      problem === null
        ? { kind: "yes", revision, advice: advice.length === 0 ? null : explainAll(advice) }
        : { kind: "no", cause: explainAll([problem, ...advice]) },
    members,
    exportProblems: acted.exportProblems,
    pendingKinds: acted.pendingKinds,
    findings: memory.findings,
    restartFields: pendingRestart(local),
  });
  const written = await writeConditions(context, local, conditions, undefined);
  const pending = standings.map(({ lateInMs }) => lateInMs).filter((restMs) => restMs !== null);
  const behind = standings.flatMap((one) => (one.behind === null ? [] : [[one.member.cluster, one.behind] as const]));
  return {
    local: written,
    memory: { ...memory, behind: new Map(behind) },
    members,
    againAfterMs: pending.length === 0 ? null : Math.min(...pending),
  };
}

/** Tells that nothing is known, because git cannot be read: the only write that an agent without git makes. */
export function reportUnknown(context: Context, local: Local, cause: string): Promise<Local> {
  return writeConditions(context, local, describeUnknown(cause), PARTIAL_TYPES);
}

async function writeConditions(
  { cluster, signal }: Context,
  local: Local,
  wanted: readonly Condition[],
  types: readonly string[] | undefined,
): Promise<Local> {
  const conditions = updateConditions(local.amkoCluster, wanted, types);
  if (conditions === null) return local;
  const { metadata, status } = local.amkoCluster;
  const patch =
    status === undefined
      ? [{ op: "add", path: "/status", value: { conditions } } as const]
      : [{ op: "add", path: "/status/conditions", value: conditions } as const];
  const target = { kind: "AMKOCluster", name: metadata.name, resourceVersion: metadata.resourceVersion } as const;
  return withObject(local, "AMKOCluster", await cluster.patchStatus(target, patch, signal));
}

/** Says once in log and Events what people should know, and once that it is over. */
export async function tellOnce(
  context: Context,
  local: Local,
  memory: Memory,
  causes: readonly Problem[],
): Promise<Memory> {
  const text = causes.length === 0 ? null : explainAll(causes);
  if (text === memory.told) return memory;
  if (text === null) {
    context.log("info", "in sync again", { cluster: local.self });
    const message = "The cluster holds what the branch says.";
    await tell(context, local, { type: "Normal", reason: "InSync", message });
    return { ...memory, told: null };
  }
  for (const cause of causes) {
    context.log("warn", "held", { cluster: local.self, code: cause.code, cause: cause.message, remedy: cause.remedy });
    await tell(context, local, { type: "Warning", reason: "Held", message: explain(cause) });
  }
  return { ...memory, told: text };
}

/** An Event on the AMKOCluster. Best effort: a pass does not fail because nobody could be told. */
export async function tell({ cluster, log, signal }: Context, local: Local, note: Note): Promise<void> {
  try {
    await cluster.recordEvent({ ...note, regarding: local.amkoCluster }, signal);
  } catch (error) {
    const { code, message } = asFederationError(error);
    log("warn", "event could not be recorded", { cluster: local.self, code, cause: message });
  }
}

function explainAll(causes: readonly Problem[]): string {
  return causes.map(explain).join(" ");
}

export function explain({ code, message, remedy, path, line }: Problem): string {
  const place = path === null ? "" : ` (${path}${line === null ? "" : `:${line}`})`;
  return `${code} ${message}${place}. ${remedy}`;
}
