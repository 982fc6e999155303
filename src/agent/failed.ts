import { stringify } from "yaml";
import { readYaml } from "../core/document.ts";
import { member } from "../core/json.ts";
import type { CommitId, Json } from "../core/model.ts";
import { clusterRef } from "../core/refs.ts";
import { asFederationError, hasCode } from "../errors.ts";
import type { ApplyFailure } from "./apply.ts";
import { authorOf } from "./author.ts";
import type { Acted, Branch, Context, Local, Memory } from "./context.ts";
import { withRef } from "./observe.ts";

const FILE = "status.yaml";
/** When it is tried again to tell. */
const TOLD_AGAIN_MS = 30_000;

export interface Told {
  readonly memory: Memory;
  readonly againAfterMs: number | null;
}

/**
 * Keeps `failed/<self>` true: it exists while the cluster cannot apply, with what was tried and why, and is deleted on
 * recovery. Best effort: what the cluster holds does not depend on whether it could tell.
 */
export async function reportFailure(
  context: Context,
  branch: Branch,
  { local, holds, failures }: Acted,
  memory: Memory,
): Promise<Told> {
  const same: Told = { memory, againAfterMs: null };
  // Neither failed nor done (somebody fights, git refuses): what was said last is still true.
  if (failures.length === 0 && !holds) return same;
  const ref = clusterRef("failed", local.self);
  const present = memory.refs?.get(ref) ?? null;
  const text = failures.length === 0 ? null : describe(branch.head, failures);
  if (text === null && present === null) return same;
  if (text !== null && present !== null && saysTheSame(await readText(context, present), text)) return same;
  try {
    const commit = await push(context, local, ref, present, text);
    return { ...same, memory: { ...memory, refs: withRef(memory.refs ?? new Map(), ref, commit) } };
  } catch (error) {
    const { code, message } = asFederationError(error);
    context.log("warn", "failure could not be reported in git", { cluster: local.self, code, cause: message });
    // An agent that may only read must not knock all the time; what else went wrong may be over soon.
    return hasCode(error, "AG2004", "AG2013") ? same : { memory, againAfterMs: TOLD_AGAIN_MS };
  }
}

async function push(
  context: Context,
  local: Local,
  ref: string,
  expected: CommitId | null,
  text: string | null,
): Promise<CommitId | null> {
  const { repository } = context;
  if (text === null) {
    await repository.moveRef({ ref, expected, target: null }, context.signal);
    return null;
  }
  const files = [{ path: FILE, bytes: new TextEncoder().encode(text) }];
  const message = `failed: cluster ${local.self} cannot apply\n`;
  return repository.writeOrphan(
    { ref, expected, files, message, author: authorOf(context, local.self) },
    context.signal,
  );
}

function describe(revision: CommitId, failures: readonly ApplyFailure[]): string {
  const reason = failures.map(({ problem: { message } }) => message).join("; ");
  const kinds = failures.map(
    ({ kind, problem: { code, message, remedy } }) => [kind, { code, message, remedy }] as const,
  );
  return stringify({ revision, reason, kinds: Object.fromEntries(kinds) });
}

/**
 * Which revision failed, of which kinds and with which code. What a server says of it may differ each time, and is told
 * once.
 */
function saysTheSame(former: string | null, next: string): boolean {
  return former !== null && outlineOf(former) === outlineOf(next);
}

function outlineOf(text: string): string {
  const read = readYaml(text, FILE);
  const kinds = Object.entries(member(read.ok ? read.value : null, "kinds") ?? {});
  const revision = member(read.ok ? read.value : null, "revision") ?? null;
  return JSON.stringify([revision, kinds.map(([kind, one]) => [kind, member(one as Json, "code") ?? null])]);
}

async function readText({ repository, signal }: Context, commit: CommitId): Promise<string | null> {
  const bytes = (await repository.readFiles(commit, signal)).find(({ path }) => path === FILE)?.bytes ?? null;
  return bytes === null ? null : new TextDecoder().decode(bytes);
}
