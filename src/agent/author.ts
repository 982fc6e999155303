import type { ClusterName } from "../core/model.ts";
import { encodeClusterName } from "../core/names.ts";
import type { CommitAuthor } from "../ports.ts";
import type { Context } from "./context.ts";

/** Who signs this agent's commits, now: `amko-gitops <amko-gitops@CLUSTER>` unless configured. */
export function authorOf({ settings, clock }: Context, self: ClusterName): CommitAuthor {
  const configured = settings.author ?? { name: "amko-gitops", email: `amko-gitops@${encodeClusterName(self)}` };
  return { ...configured, atSeconds: Math.floor(clock.nowMs() / 1000) };
}
