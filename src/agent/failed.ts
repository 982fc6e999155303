import { stringify } from "yaml";
import type { CommitId } from "../core/model.ts";
import { clusterRef } from "../core/refs.ts";
import { asFederationError } from "../errors.ts";
import type { ApplyFailure } from "./apply.ts";
import { authorOf } from "./author.ts";
import type { Acted, Branch, Context, Local, Memory } from "./context.ts";
import { withRef } from "./observe.ts";

const FILE = "status.yaml";

/**
 * Keeps `failed/<self>` true: it exists while the cluster cannot apply, with what was tried and why, and is deleted on
 * recovery. Best effort: what the cluster holds does not depend on whether it could tell.
 */
export async function reportFailure(
  context: Context,
  branch: Branch,
  { local, holds, failures }: Acted,
  memory: Memory,
): Promise<Memory> {
  // Neither failed nor done (somebody fights, git refuses): what was said last is still true.
  if (failures.length === 0 && !holds) return memory;
  const ref = clusterRef("failed", local.self);
  const present = memory.refs?.get(ref) ?? null;
  const text = failures.length === 0 ? null : describe(branch.head, failures);
  if (text === null && present === null) return memory;
  if (text !== null && present !== null && (await readText(context, present)) === text) return memory;
  try {
    const commit = await push(context, local, ref, present, text);
    return { ...memory, refs: withRef(memory.refs ?? new Map(), ref, commit) };
  } catch (error) {
    const { code, message } = asFederationError(error);
    context.log("warn", "failure could not be reported in git", { cluster: local.self, code, cause: message });
    return memory;
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

async function readText({ repository, signal }: Context, commit: CommitId): Promise<string | null> {
  const bytes = (await repository.readFiles(commit, signal)).find(({ path }) => path === FILE)?.bytes ?? null;
  return bytes === null ? null : new TextDecoder().decode(bytes);
}
