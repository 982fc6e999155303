import type { CommitId } from "../core/model.ts";
import { authorOf } from "./author.ts";
import type { Branch, Context, Local } from "./context.ts";
import { type Export, nameOf, prepareExport } from "./export.ts";
import { pendingId, type RecordedExports, recordExports } from "./export-record.ts";

/**
 * Commits what changed on the leader, all kinds in one commit, on top of the very revision that was evaluated. No commit
 * where the API server refuses them all.
 * @throws FederationError AG2003 when the branch moved: the caller reads and decides afresh. AG3004 when the object
 * changed meanwhile.
 */
export async function exportChanges(
  context: Context,
  branch: Branch,
  local: Local,
  exports: readonly Export[],
): Promise<Pick<RecordedExports, "local" | "refused"> & { readonly commit: CommitId | null }> {
  const exportId = pendingId(context, local, exports) ?? context.chance.token();
  const recorded = await recordExports(context, branch, local, exports, exportId);
  if (recorded.exports.length === 0) return { ...recorded, commit: null };
  const { changes, message } = prepareExport(branch, local, recorded.exports, exportId);
  const author = authorOf(context, local.self);
  const commit = await context.repository.publish({ parent: branch.head, changes, message, author }, context.signal);
  for (const { kind, action } of recorded.exports) context.telemetry.happened({ fact: "exported", kind, action });
  const subject = message.split("\n", 1)[0];
  context.note({ type: "Normal", reason: "Exported", message: `Committed ${commit.slice(0, 8)}: ${subject}` });
  const objects = recorded.exports.map((one) => `${one.kind} ${nameOf(one)}`);
  context.log("info", "exported", { revision: commit, cluster: local.self, objects });
  return { ...recorded, commit };
}
